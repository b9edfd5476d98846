/**
 * What travels between loggers, orders and the broker: a byte of kind, four of length, and for a
 * record so many bytes of it. The first byte fits no HTTP method, so the proxy need not guess.
 *
 *   +------+----------------+---------------+
 *   | kind | length, 32 bit | length bytes  |   of a record; all else is the first five bytes
 *   +------+----------------+---------------+
 */
export const RECORD = 1 // keep this
export const KEPT = 2 // so many bytes are on disk
export const REFUSED = 3 // so many bytes were not taken: no leader
export const LEADER = 4 // there is a leader again: send

export const HEAD_BYTES = 5
/** Longer records are cut into several. */
export const RECORD_BYTES_MAX = 16 * 1024

export function frame(kind: number, length: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head[0] = kind
  head.writeUInt32BE(length, 1)
  return head
}

const filler = Buffer.alloc(RECORD_BYTES_MAX, 'at deliver (kafka-client/producer.js:412) ')

export function record(bytes: number): Buffer {
  return Buffer.concat([frame(RECORD, bytes), filler.subarray(0, bytes)])
}

/** Reads frames off a stream of bytes, however it is cut; what a record holds is only counted. */
export class FrameReader {
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #have = 0
  #skip = 0
  readonly #take: (kind: number, length: number) => void

  constructor(take: (kind: number, length: number) => void) {
    this.#take = take
  }

  read(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at)
        this.#skip -= skipped
        at += skipped
        if (this.#skip === 0) this.#finish()
        continue
      }
      const taken = bytes.copy(this.#head, this.#have, at, at + HEAD_BYTES - this.#have)
      this.#have += taken
      at += taken
      if (this.#have < HEAD_BYTES) return
      this.#skip = this.#head[0] === RECORD ? this.#length() : 0
      if (this.#skip === 0) this.#finish()
    }
  }

  #length(): number {
    return this.#head.readUInt32BE(1)
  }

  #finish(): void {
    this.#have = 0
    this.#take(this.#head[0] ?? 0, this.#length())
  }
}
