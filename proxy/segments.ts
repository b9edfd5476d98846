/**
 * Windows as bytes on disk: segments of records, appended and never rewritten.
 *
 *   windows-<epoch>-<n>.log    [length u32][crc32 u32][payload] [length][crc][payload] ...
 *
 * A segment is removed when nothing in it is needed. There is no fsync: a killed process loses
 * nothing; a lost power supply loses what the kernel had not written, which shows as a gap.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Log } from '../runtime/log.ts'

export const SEGMENT_RECORDS = 60
const HEADER = 8

interface Segment {
  readonly path: string
  bytes: number
  records: number
  needed: number
}

/** Where a payload lies. */
export interface Place {
  readonly segment: Segment
  readonly offset: number
  readonly length: number
}

export class Segments {
  readonly #folder: string
  readonly #epoch: bigint
  readonly #log: Log
  #writing: (Segment & { readonly fd: number }) | undefined
  #count = 0
  #failing = false

  /** `epoch` names the segments written; those of earlier epochs are only read and removed. */
  constructor(folder: string, epoch: bigint, log: Log) {
    this.#folder = folder
    this.#epoch = epoch
    this.#log = log
  }

  /** Undefined when the disk does not take it. */
  write(payload: Uint8Array): Place | undefined {
    try {
      const segment = this.#current()
      const { fd } = segment
      const record = Buffer.alloc(HEADER + payload.length)
      record.writeUInt32LE(payload.length, 0)
      record.writeUInt32LE(crc32(payload), 4)
      record.set(payload, HEADER)
      const offset = segment.bytes
      // At a place of its own: what a full disk cut short is written over by the next record.
      if (writeSync(fd, record, 0, record.length, offset) !== record.length) {
        throw new Error('the disk took a part only')
      }
      segment.bytes += record.length
      segment.records += 1
      segment.needed += 1
      if (this.#failing) this.#log.info('windows are kept on disk again')
      this.#failing = false
      return { segment, offset, length: payload.length }
    } catch (error) {
      if (!this.#failing) this.#log.error('windows cannot be kept on disk', { error })
      this.#failing = true
      return undefined
    }
  }

  /** Undefined when the bytes are no longer what was written. */
  read({ segment, offset, length }: Place): Uint8Array | undefined {
    const record = Buffer.alloc(HEADER + length)
    try {
      // Opened for the one reading: what waits for long need not hold descriptors.
      const fd = openSync(segment.path, 'r')
      const got = readSync(fd, record, 0, record.length, offset)
      closeSync(fd)
      if (got !== record.length) return undefined
    } catch {
      return undefined
    }
    const payload = record.subarray(HEADER)
    return record.readUInt32LE(4) === crc32(payload) ? payload : undefined
  }

  /** A payload is needed no more. Each place is given up once. */
  release({ segment }: Place): void {
    segment.needed -= 1
    if (segment.needed === 0 && segment !== this.#writing) this.#remove(segment)
  }

  /** What earlier processes left, oldest first; a torn end is passed over and logged. */
  *recover(): Generator<{ place: Place; payload: Uint8Array }> {
    for (const path of this.#left()) {
      let bytes: Buffer
      try {
        bytes = readFileSync(path)
      } catch (error) {
        this.#log.warn('a segment of windows cannot be read', { path, error })
        continue
      }
      const segment: Segment = { path, bytes: bytes.length, records: 0, needed: 0 }
      const found = [...recordsOf(bytes)]
      segment.needed = found.length
      segment.records = found.length
      const end = found.reduce((at, { length }) => at + HEADER + length, 0)
      if (end < bytes.length) this.#log.warn('a segment of windows is torn', { path, at: end })
      if (found.length === 0) this.#remove(segment)
      for (const { offset, length } of found) {
        const payload = bytes.subarray(offset + HEADER, offset + HEADER + length)
        yield { place: { segment, offset, length }, payload }
      }
    }
  }

  #left(): readonly string[] {
    const found: { path: string; epoch: bigint; n: number }[] = []
    for (const name of listed(this.#folder)) {
      const match = /^windows-(\d{1,20})-(\d{1,9})\.log$/.exec(name)
      if (!match) continue
      const epoch = BigInt(match[1] ?? 0)
      if (epoch === this.#epoch) continue
      found.push({ path: join(this.#folder, name), epoch, n: Number(match[2]) })
    }
    found.sort((a, b) => (a.epoch === b.epoch ? a.n - b.n : a.epoch < b.epoch ? -1 : 1))
    return found.map(({ path }) => path)
  }

  #current(): Segment & { readonly fd: number } {
    const writing = this.#writing
    if (writing && writing.records < SEGMENT_RECORDS) return writing
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const path = join(this.#folder, `windows-${this.#epoch}-${this.#count}.log`)
    const fd = openSync(path, 'w+', 0o600)
    this.#count += 1
    this.#writing = { path, fd, bytes: 0, records: 0, needed: 0 }
    if (writing) closeSync(writing.fd)
    if (writing?.needed === 0) this.#remove(writing)
    return this.#writing
  }

  #remove(segment: Segment): void {
    rmSync(segment.path, { force: true })
  }
}

/** Whole records from the start; stops at the first that is not. */
function* recordsOf(bytes: Buffer): Generator<{ offset: number; length: number }> {
  let offset = 0
  while (offset + HEADER <= bytes.length) {
    const length = bytes.readUInt32LE(offset)
    const payload = bytes.subarray(offset + HEADER, offset + HEADER + length)
    if (payload.length !== length || crc32(payload) !== bytes.readUInt32LE(offset + 4)) return
    yield { offset, length }
    offset += HEADER + length
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // the first start
  }
}
