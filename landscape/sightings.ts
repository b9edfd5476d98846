/**
 * Every edge that was ever seen, with a number that stands for it in packed records, and when it
 * was first and last seen, busy, and heard to answer. Edges beyond the bound share one, so that
 * totals stay exact: numbered 0 and named `other..other`.
 */
import { type Edge, edgeKey, edgeOf } from './edge.ts'
import { OTHER } from './service.ts'
import { type EdgeCounts, endedOf } from './signal.ts'

/** Times are Unix ms on our clock, of the windows' ends but for the first; 0 is never. */
export interface Sighting {
  readonly edge: Edge
  protocol: string
  firstSeenMs: number
  lastSeenMs: number
  /** The last window in which a call entered. */
  lastStartedMs: number
  /** The last window in which a call ended at the target, well or badly. */
  lastEndedMs: number
}

export const OVERFLOW = 0

export class Sightings {
  /** Windows of edges that had to share the overflow edge: reaching the bound is a signal. */
  overflowed = 0
  readonly #max: number
  readonly #numbers = new Map<string, number>()
  readonly #rows: (Sighting | undefined)[] = []
  readonly #free: number[] = []
  #sweptMs = 0

  constructor(max: number) {
    this.#max = max
    this.#add(edgeOf(OTHER, OTHER))
  }

  /** The number of an edge. When all are taken, one not seen since `goneMs` makes room. */
  numberOf(source: string, target: string, goneMs: number): number {
    const known = this.#numbers.get(edgeKey(source, target))
    if (known !== undefined) return known
    if (this.#numbers.size > this.#max) this.#sweep(goneMs)
    if (this.#numbers.size > this.#max) {
      this.overflowed += 1
      return OVERFLOW
    }
    return this.#add(edgeOf(source, target))
  }

  /** Seen before this process began, says whoever kept it. */
  recall(number: number, firstSeenMs: number): void {
    const row = this.#rows[number]!
    if (row.firstSeenMs === 0 || firstSeenMs < row.firstSeenMs) row.firstSeenMs = firstSeenMs
    row.lastSeenMs = Math.max(row.lastSeenMs, firstSeenMs)
  }

  see(number: number, counts: EdgeCounts, protocol: string, startMs: number, endMs: number): void {
    const row = this.#rows[number]!
    if (protocol !== '') row.protocol = protocol
    if (row.firstSeenMs === 0 || startMs < row.firstSeenMs) row.firstSeenMs = startMs
    if (endMs > row.lastSeenMs) row.lastSeenMs = endMs
    if (counts.started > 0 && endMs > row.lastStartedMs) row.lastStartedMs = endMs
    if (endedOf(counts) > 0 && endMs > row.lastEndedMs) row.lastEndedMs = endMs
  }

  /** Of a number that was given and is still in use. */
  at(number: number): Sighting {
    return this.#rows[number]!
  }

  find(key: string): Readonly<Sighting> | undefined {
    const number = this.#numbers.get(key)
    return number === undefined ? undefined : this.#rows[number]
  }

  *all(): Iterable<Readonly<Sighting>> {
    for (const row of this.#rows) if (row !== undefined && row.firstSeenMs > 0) yield row
  }

  #add(edge: Edge): number {
    const number = this.#free.pop() ?? this.#rows.length
    this.#rows[number] = {
      edge,
      protocol: '',
      firstSeenMs: 0,
      lastSeenMs: 0,
      lastStartedMs: 0,
      lastEndedMs: 0,
    }
    this.#numbers.set(edge.key, number)
    return number
  }

  /** At most once for each second that leaves: a full table is not walked for every new edge. */
  #sweep(goneMs: number): void {
    if (goneMs < this.#sweptMs + 1000) return
    this.#sweptMs = goneMs
    for (const [key, number] of this.#numbers) {
      if (number === OVERFLOW || this.#rows[number]!.lastSeenMs >= goneMs) continue
      this.#numbers.delete(key)
      this.#rows[number] = undefined
      this.#free.push(number)
    }
  }
}
