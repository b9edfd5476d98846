/**
 * Windows that the control plane has not acknowledged: a queue on disk, so that neither its absence
 * nor our restart loses them. At the bound the oldest goes, and the next says how many went before
 * it. What the disk does not take waits in memory, with a lower bound.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Log } from '../runtime/log.ts'
import { type Window, WindowSchema } from '../wire/gen/airspace_pb.ts'
import { type Place, Segments } from './segments.ts'

/** An hour of seconds. */
export const WINDOWS_MAX = 3_600
export const BUFFER_BYTES_MAX = 64 * 1024 * 1024
export const HELD_BYTES_MAX = 8 * 1024 * 1024

export interface Buffered {
  /** Counts up over all that this process ever buffered: how far the reporter has come. */
  readonly number: number
  readonly epoch: bigint
  readonly sequence: bigint
  readonly bytes: number
  /** On disk, or in memory if the disk was full. */
  readonly at: Place | Uint8Array
  /** Windows lost between the one before and this. */
  forgotten: number
}

export interface Bounds {
  readonly windows: number
  readonly bytes: number
  readonly held: number
}

const BOUNDS: Bounds = { windows: WINDOWS_MAX, bytes: BUFFER_BYTES_MAX, held: HELD_BYTES_MAX }

export class WindowBuffer {
  readonly #segments: Segments
  readonly #log: Log
  readonly #bounds: Bounds
  #queue: Buffered[] = []
  #numbers = 0
  #bytes = 0
  #heldBytes = 0
  #forgotten = 0

  constructor(folder: string, epoch: bigint, log: Log, bounds = BOUNDS) {
    this.#segments = new Segments(folder, epoch, log)
    this.#log = log
    this.#bounds = bounds
    this.#recover()
  }

  get size(): number {
    return this.#queue.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Windows dropped since this process started. */
  get forgotten(): number {
    return this.#forgotten
  }

  append(window: Window): void {
    const payload = toBinary(WindowSchema, window)
    this.#add(window, payload.length, this.#segments.write(payload) ?? payload, 0)
    this.#trim()
  }

  /** The first window after the numbered one; after 0 it is the oldest. */
  after(number: number): Buffered | undefined {
    return this.#queue[this.countTo(number)]
  }

  /** How many up to the numbered one are not acknowledged. */
  countTo(number: number): number {
    const place = this.#queue.findIndex((buffered) => buffered.number > number)
    return place < 0 ? this.#queue.length : place
  }

  /** Reads it back. What is no longer there as it was written is dropped and counted. */
  read(buffered: Buffered): Window | undefined {
    const { at } = buffered
    const payload = at instanceof Uint8Array ? at : this.#segments.read(at)
    if (!payload) {
      this.#log.error('a window cannot be read back', { sequence: String(buffered.sequence) })
      this.#forget(buffered)
      return undefined
    }
    const window = fromBinary(WindowSchema, payload)
    window.forgottenWindows = BigInt(buffered.forgotten)
    return window
  }

  /** This window, and all before it of the same epoch, are kept elsewhere now. */
  acknowledge(epoch: bigint, sequence: bigint): void {
    const left: Buffered[] = []
    for (const buffered of this.#queue) {
      if (buffered.epoch === epoch && buffered.sequence <= sequence) this.#drop(buffered)
      else left.push(buffered)
    }
    this.#queue = left
  }

  #add(
    { epoch, sequence }: Window,
    bytes: number,
    at: Place | Uint8Array,
    forgotten: number,
  ): void {
    this.#numbers += 1
    this.#queue.push({ number: this.#numbers, epoch, sequence, bytes, at, forgotten })
    this.#bytes += bytes
    if (at instanceof Uint8Array) this.#heldBytes += bytes
  }

  #trim(): void {
    const { windows, bytes, held } = this.#bounds
    while (this.#queue.length > windows || this.#bytes > bytes || this.#heldBytes > held) {
      const oldest = this.#queue[0]
      if (!oldest) return
      if (this.#forgotten === 0) this.#log.warn('the oldest windows are forgotten', { windows })
      this.#forget(oldest)
    }
  }

  #forget(buffered: Buffered): void {
    const at = this.#queue.indexOf(buffered)
    if (at < 0) return
    this.#queue.splice(at, 1)
    const next = this.#queue[at]
    if (next) next.forgotten += buffered.forgotten + 1
    this.#forgotten += 1
    this.#drop(buffered)
  }

  #drop({ bytes, at }: Buffered): void {
    this.#bytes -= bytes
    if (at instanceof Uint8Array) this.#heldBytes -= bytes
    else this.#segments.release(at)
  }

  #recover(): void {
    let before: Window | undefined
    for (const { place, payload } of this.#segments.recover()) {
      const window = fromBinary(WindowSchema, payload)
      const isNext = before?.epoch === window.epoch
      const hole = isNext ? Number(window.sequence - (before?.sequence ?? 0n)) - 1 : 0
      this.#add(window, payload.length, place, Math.max(0, hole))
      before = window
    }
    this.#trim()
    if (this.size > 0) this.#log.info('unsent windows of before are kept', { windows: this.size })
  }
}
