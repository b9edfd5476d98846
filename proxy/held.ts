/**
 * Bytes that wait for their turn: a head that is not whole, a request the gate makes wait, what a
 * source sent ahead of its turn. Bounded by not reading on, never by dropping.
 */

/** With so much held a leg is read no further. One read more may already be on its way. */
export const HELD_MAX = 64 * 1024
const LEAST = 2 * 1024
/** What is bigger is not kept for the next time. */
const KEPT = 8 * 1024

const NONE = Buffer.alloc(0)

export class Held {
  bytes = NONE
  start = 0
  end = 0
  #lent = false

  get length(): number {
    return this.end - this.start
  }

  add(bytes: Buffer, start: number, end: number): void {
    const more = end - start
    if (this.end + more > this.bytes.length) this.#grow(more)
    bytes.copy(this.bytes, this.end, start, end)
    this.end += more
  }

  #grow(more: number): void {
    const length = this.length
    let room = Math.max(LEAST, this.bytes.length)
    while (room < length + more) room *= 2
    // Always to new memory: slices of the old may be on their way to the kernel.
    const grown = Buffer.allocUnsafeSlow(room)
    this.bytes.copy(grown, 0, this.start, this.end)
    this.bytes = grown
    this.#lent = false
    this.start = 0
    this.end = length
  }

  /** All up to `at` is done with. `pending`: slices of it may still be on their way. */
  consume(at: number, pending: boolean): void {
    this.start = at
    this.#lent ||= pending
    if (this.start < this.end) return
    this.start = this.end = 0
    if (!this.#lent && this.bytes.length <= KEPT) return
    this.bytes = NONE
    this.#lent = false
  }
}
