/**
 * Counts that are of one moment only: a cell holds the count (20 bits) and the stamp of what it
 * counts (12 bits). Adding under another stamp starts from nothing, in the same compare-and-swap,
 * so that no two workers can disagree on who resets what.
 */
import type { Count, Row } from './row.ts'

const COUNT_BITS = 20
const COUNT_MAX = 2 ** COUNT_BITS - 1
const STAMP_MAX = 2 ** (32 - COUNT_BITS) - 1

const countIn = (word: number, stamp: number): number =>
  word >>> COUNT_BITS === (stamp & STAMP_MAX) ? word & COUNT_MAX : 0

const wordOf = (count: number, stamp: number): number => ((stamp & STAMP_MAX) << COUNT_BITS) | count

export class Stamped {
  readonly #cell: Count

  constructor(cell: Count) {
    this.#cell = cell
  }

  load(stamp: number): number {
    return countIn(this.#cell.load(), stamp)
  }

  /** Returns the new count, which stays below a million. */
  add(stamp: number): number {
    for (;;) {
      const word = this.#cell.load()
      const count = Math.min(countIn(word, stamp) + 1, COUNT_MAX)
      if (this.#cell.cas(word, wordOf(count, stamp))) return count
    }
  }

  /** One more, unless there are `limit` of this stamp. */
  tryAdd(stamp: number, limit: number): boolean {
    for (;;) {
      const word = this.#cell.load()
      const count = countIn(word, stamp)
      if (count >= limit) return false
      if (this.#cell.cas(word, wordOf(count + 1, stamp))) return true
    }
  }

  /** One less, if any of this stamp is left. */
  take(stamp: number): void {
    for (;;) {
      const word = this.#cell.load()
      const count = countIn(word, stamp)
      if (count === 0 || this.#cell.cas(word, wordOf(count - 1, stamp))) return
    }
  }

  clear(stamp: number): void {
    if (this.load(stamp) !== 0) this.#cell.store(wordOf(0, stamp))
  }

  reset(): void {
    this.#cell.store(0)
  }

  /** Forgets what is not of one of the stamps from `oldest` to `newest`. */
  expire(oldest: number, newest: number): void {
    const word = this.#cell.load()
    const age = (newest - (word >>> COUNT_BITS)) & STAMP_MAX
    if (word !== 0 && age > newest - oldest) this.#cell.cas(word, 0)
  }
}

export const WINDOW_BUCKETS = 10

/** How calls ended lately: a ring of buckets, each stamped with the tenth of a window it is of. */
export class Ring {
  readonly #calls: Stamped[]
  readonly #failed: Stamped[]
  readonly #slow: Stamped[]

  constructor(row: Row) {
    const ring = (name: string) =>
      Array.from({ length: WINDOW_BUCKETS }, (_, at) => new Stamped(row.count(`${name} ${at}`)))
    this.#calls = ring('calls')
    this.#failed = ring('failed')
    this.#slow = ring('slow')
  }

  add(failed: boolean, slow: boolean, nowMs: number, windowMs: number): void {
    const stamp = stampAt(nowMs, windowMs)
    const at = stamp % WINDOW_BUCKETS
    this.#calls[at]!.add(stamp)
    if (failed) this.#failed[at]!.add(stamp)
    if (slow) this.#slow[at]!.add(stamp)
  }

  calls(nowMs: number, windowMs: number): number {
    return sum(this.#calls, stampAt(nowMs, windowMs))
  }

  failed(nowMs: number, windowMs: number): number {
    return sum(this.#failed, stampAt(nowMs, windowMs))
  }

  slow(nowMs: number, windowMs: number): number {
    return sum(this.#slow, stampAt(nowMs, windowMs))
  }

  clear(): void {
    for (const ring of [this.#calls, this.#failed, this.#slow]) {
      for (const bucket of ring) bucket.reset()
    }
  }

  /** Each second: stamps come round after 4,096 buckets, and nothing as old may look new. */
  expire(nowMs: number, windowMs: number): void {
    const stamp = stampAt(nowMs, windowMs)
    for (const ring of [this.#calls, this.#failed, this.#slow]) {
      for (const bucket of ring) bucket.expire(stamp - WINDOW_BUCKETS + 1, stamp)
    }
  }
}

const stampAt = (nowMs: number, windowMs: number): number =>
  Math.floor((nowMs * WINDOW_BUCKETS) / windowMs)

function sum(ring: readonly Stamped[], newest: number): number {
  let total = 0
  for (let back = 0; back < WINDOW_BUCKETS; back += 1) {
    const stamp = newest - back
    if (stamp >= 0) total += ring[stamp % WINDOW_BUCKETS]!.load(stamp)
  }
  return total
}
