/**
 * Windows of edges as bytes, one record after another: a landscape holds hundreds of thousands, and
 * as objects each would cost five times as much and be walked by the garbage collector.
 *
 *   edge | node | which fields differ from empty | those fields | pairs | bucket count bucket ...
 *
 * Each is a whole number, seven bits a byte, lowest first; the high bit says that more follow.
 */
import { BUCKETS } from './histogram.ts'
import { type EdgeCounts, emptyCounts } from './signal.ts'

const FIELDS = [
  'started',
  'succeeded',
  'failed',
  'ignored',
  'refused',
  'connections',
  'bytesIn',
  'bytesOut',
  'inFlight',
  'inFlightMax',
  'connectionsOpen',
  'latencyMaxUs',
  'latencySumUs',
  'idleMs',
] as const satisfies readonly (keyof EdgeCounts)[]

const EMPTY = emptyCounts()
/** 53 bits at seven a byte. */
const NUMBER_BYTES_MAX = 8
const FIRST_BYTES = 512

/** What is no count (NaN, negative, endless) counts nothing; a fraction is dropped. */
const whole = (value: number): number =>
  value > 0 && value <= Number.MAX_SAFE_INTEGER ? Math.floor(value) : 0

export class WindowLog {
  #bytes = new Uint8Array(0)
  #end = 0

  /** Memory held, in bytes. */
  get size(): number {
    return this.#bytes.length
  }

  append(edge: number, node: number, counts: Readonly<EdgeCounts>): void {
    const pairs = counts.latencyBuckets
    this.#reserve((4 + FIELDS.length + pairs.length) * NUMBER_BYTES_MAX)
    let differing = 0
    for (let at = 0; at < FIELDS.length; at += 1) {
      if (counts[FIELDS[at]!] !== EMPTY[FIELDS[at]!]) differing |= 1 << at
    }
    this.#write(edge)
    this.#write(node)
    this.#write(differing)
    for (let at = 0; at < FIELDS.length; at += 1) {
      if (differing & (1 << at)) this.#write(whole(counts[FIELDS[at]!]))
    }
    this.#write(pairs.length >>> 1)
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      this.#write(Math.min(whole(pairs[at]!), BUCKETS - 1))
      this.#write(whole(pairs[at + 1]!))
    }
  }

  /** Each record in the order they came; `counts` is one object, filled anew for each. */
  each(visit: (edge: number, node: number, counts: Readonly<EdgeCounts>) => void): void {
    const counts = emptyCounts()
    const cursor = { at: 0 }
    while (cursor.at < this.#end) {
      const edge = this.#read(cursor)
      const node = this.#read(cursor)
      const differing = this.#read(cursor)
      for (let at = 0; at < FIELDS.length; at += 1) {
        const field = FIELDS[at]!
        counts[field] = differing & (1 << at) ? this.#read(cursor) : EMPTY[field]
      }
      const pairs = this.#read(cursor) * 2
      counts.latencyBuckets.length = 0
      for (let at = 0; at < pairs; at += 1) counts.latencyBuckets.push(this.#read(cursor))
      visit(edge, node, counts)
    }
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    const grown = Math.max(FIRST_BYTES, Math.ceil(this.#end * 1.5), this.#end + bytes)
    const larger = new Uint8Array(grown)
    larger.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = larger
  }

  #write(value: number): void {
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#end] = (rest % 128) + 128
      this.#end += 1
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#end] = rest
    this.#end += 1
  }

  #read(cursor: { at: number }): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[cursor.at]!
      cursor.at += 1
      if (byte < 128) return value + byte * scale
      value += (byte - 128) * scale
    }
  }
}
