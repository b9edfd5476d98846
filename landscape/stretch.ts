/**
 * The sum of many windows: what was seen of each edge from one time to another. Counts add up over
 * nodes and seconds; what is in flight is what each node said last, and nodes add up.
 */
import type { Edge } from './edge.ts'
import { emptyBuckets, pack, unpackInto } from './histogram.ts'
import type { Sighting } from './sightings.ts'
import { type EdgeCounts, emptyCounts } from './signal.ts'

/** After so many seconds without a window nobody knows what a node still has in flight. */
export const STALE_SECONDS = 15

export interface EdgeSum extends Readonly<Sighting> {
  readonly counts: EdgeCounts
  /** Nodes that saw the edge. */
  readonly nodes: number
  /** By the name of the node, as it said last; nodes with none in flight are left out. */
  readonly inFlightAt: ReadonlyMap<string, number>
}

export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
  readonly edges: readonly EdgeSum[]
  /** Names of the nodes of which there is a window. */
  readonly reporting: readonly string[]
  /** Windows known to be missing. */
  readonly gaps: number
}

/** What one node said last of an edge. */
interface Word {
  second: number
  inFlight: number
  inFlightMax: number
  connectionsOpen: number
  idleMs: number
}

interface Sum {
  readonly counts: EdgeCounts
  buckets: Float64Array | undefined
  readonly words: Map<number, Word>
}

export class Adding {
  readonly #sums = new Map<number, Sum>()
  /** The last second of which a node has a window. */
  readonly #lastOf = new Map<number, number>()

  /** Seconds come in order. */
  reported(node: number, second: number): void {
    this.#lastOf.set(node, second)
  }

  add(edge: number, node: number, counts: Readonly<EdgeCounts>, second: number): void {
    let sum = this.#sums.get(edge)
    if (sum === undefined) {
      sum = { counts: emptyCounts(), buckets: undefined, words: new Map() }
      this.#sums.set(edge, sum)
    }
    const into = sum.counts
    into.started += counts.started
    into.succeeded += counts.succeeded
    into.failed += counts.failed
    into.ignored += counts.ignored
    into.refused += counts.refused
    into.connections += counts.connections
    into.bytesIn += counts.bytesIn
    into.bytesOut += counts.bytesOut
    into.latencySumUs += counts.latencySumUs
    into.latencyMaxUs = Math.max(into.latencyMaxUs, counts.latencyMaxUs)
    if (counts.latencyBuckets.length > 0) {
      sum.buckets ??= emptyBuckets()
      unpackInto(counts.latencyBuckets, sum.buckets)
    }
    const { inFlight, connectionsOpen, idleMs } = counts
    const most = Math.max(counts.inFlightMax, sum.words.get(node)?.inFlightMax ?? 0)
    sum.words.set(node, { second, inFlight, inFlightMax: most, connectionsOpen, idleMs })
  }

  reporting(nameOf: (node: number) => string): string[] {
    return [...this.#lastOf.keys()].map(nameOf)
  }

  /** `toSecond` is the last second asked for. */
  *edges(
    toSecond: number,
    at: (edge: number) => Readonly<Sighting>,
    nameOf: (node: number) => string,
  ): Iterable<EdgeSum> {
    for (const [edge, { counts, buckets, words }] of this.#sums) {
      if (buckets !== undefined) counts.latencyBuckets = pack(buckets)
      const inFlightAt = new Map<string, number>()
      for (const [node, word] of words) {
        const last = this.#lastOf.get(node) ?? word.second
        counts.inFlightMax += word.inFlightMax
        counts.idleMs = Math.min(counts.idleMs, word.idleMs + (last - word.second) * 1000)
        // An edge left out of the node's last window has nothing in flight there.
        if (word.second !== last || last <= toSecond - STALE_SECONDS) continue
        counts.inFlight += word.inFlight
        counts.connectionsOpen += word.connectionsOpen
        if (word.inFlight > 0) inFlightAt.set(nameOf(node), word.inFlight)
      }
      yield { ...at(edge), counts, nodes: words.size, inFlightAt }
    }
  }
}

/** For readers that only want the edge and its numbers. */
export const sumOf = (stretch: Stretch, edge: Edge): EdgeSum | undefined =>
  stretch.edges.find((sum) => sum.edge.key === edge.key)
