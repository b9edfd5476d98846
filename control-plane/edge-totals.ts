/**
 * What was counted of each edge since we began, for those who scrape: counts that only grow. Edges
 * beyond the bound are counted together, so that sums stay exact whatever names turn up.
 */
import { emptyBuckets, unpackInto } from '../landscape/histogram.ts'
import { OTHER } from '../landscape/service.ts'
import type { EdgeWindow } from '../landscape/window.ts'

/** Series multiply: this many edges are some 60,000 lines of a scrape. */
export const EDGES_MAX = 2_000

export interface EdgeTotal {
  readonly source: string
  readonly target: string
  succeeded: number
  failed: number
  ignored: number
  refused: number
  bytesIn: number
  bytesOut: number
  latencySumUs: number
  readonly buckets: Float64Array
}

export class EdgeTotals {
  readonly #totals = new Map<string, EdgeTotal>()

  add(edge: EdgeWindow): void {
    const total = this.#totalOf(edge.source, edge.target)
    total.succeeded += edge.succeeded
    total.failed += edge.failed
    total.ignored += edge.ignored
    total.refused += edge.refused
    total.bytesIn += edge.bytesIn
    total.bytesOut += edge.bytesOut
    total.latencySumUs += edge.latencySumUs
    unpackInto(edge.latencyBuckets, total.buckets)
  }

  all(): Iterable<Readonly<EdgeTotal>> {
    return this.#totals.values()
  }

  has(source: string, target: string): boolean {
    return this.#totals.has(`${source}..${target}`)
  }

  #totalOf(source: string, target: string): EdgeTotal {
    const key = `${source}..${target}`
    const known = this.#totals.get(key)
    if (known) return known
    if (this.#totals.size >= EDGES_MAX && source !== OTHER) return this.#totalOf(OTHER, OTHER)
    const total: EdgeTotal = {
      ...{ source, target, succeeded: 0, failed: 0, ignored: 0, refused: 0 },
      ...{ bytesIn: 0, bytesOut: 0, latencySumUs: 0, buckets: emptyBuckets() },
    }
    this.#totals.set(key, total)
    return total
  }
}
