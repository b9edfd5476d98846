/**
 * What is seen of an edge in a stretch of time: requests, latency, concurrency, bandwidth. Counts,
 * never rates, so that stretches and nodes can be added; rates are made where they are shown.
 * Fields are those of EdgeSignal on the wire; all are numbers, exact to 2^53.
 */
import { emptyBuckets, pack, quantileOf, unpackInto } from './histogram.ts'

export interface EdgeCounts {
  /** Requests, or opaque connections, that entered. */
  started: number
  succeeded: number
  failed: number
  ignored: number
  /** By a policy or by the proxy itself; these never entered. */
  refused: number
  /** Connections that were opened. */
  connections: number
  /** From the source to the target. */
  bytesIn: number
  bytesOut: number
  /** At the end of the stretch. */
  inFlight: number
  /** At most this many at once; over several nodes an upper bound. */
  inFlightMax: number
  connectionsOpen: number
  latencyMaxUs: number
  latencySumUs: number
  /** Packed: bucket, count, bucket, count ... (histogram.ts). */
  latencyBuckets: number[]
  /** Since the last byte on the edge, in ms; Infinity when there was none. */
  idleMs: number
}

export const emptyCounts = (): EdgeCounts => ({
  started: 0,
  succeeded: 0,
  failed: 0,
  ignored: 0,
  refused: 0,
  connections: 0,
  bytesIn: 0,
  bytesOut: 0,
  inFlight: 0,
  inFlightMax: 0,
  connectionsOpen: 0,
  latencyMaxUs: 0,
  latencySumUs: 0,
  latencyBuckets: [],
  idleMs: Number.POSITIVE_INFINITY,
})

/**
 * Adds what was seen elsewhere at the same time: other workers, other nodes, other edges. What is
 * in flight adds up too, so this is not for two windows of one node: the landscape joins those.
 */
export function addCounts(into: EdgeCounts, other: Readonly<EdgeCounts>): void {
  into.started += other.started
  into.succeeded += other.succeeded
  into.failed += other.failed
  into.ignored += other.ignored
  into.refused += other.refused
  into.connections += other.connections
  into.bytesIn += other.bytesIn
  into.bytesOut += other.bytesOut
  into.inFlight += other.inFlight
  into.inFlightMax += other.inFlightMax
  into.connectionsOpen += other.connectionsOpen
  into.latencyMaxUs = Math.max(into.latencyMaxUs, other.latencyMaxUs)
  into.latencySumUs += other.latencySumUs
  into.latencyBuckets = addPairs(into.latencyBuckets, other.latencyBuckets)
  into.idleMs = Math.min(into.idleMs, other.idleMs)
}

/** How many ended at the target, whatever the ending; refused ones never were there. */
export const endedOf = (counts: Readonly<EdgeCounts>): number =>
  counts.succeeded + counts.failed + counts.ignored

/** The latency that a part `q` of the calls did not exceed, in us; NaN when none ended. */
export function latencyOf(counts: Readonly<EdgeCounts>, q: number): number {
  const buckets = emptyBuckets()
  unpackInto(counts.latencyBuckets, buckets)
  return quantileOf(buckets, q, counts.latencyMaxUs > 0 ? counts.latencyMaxUs : undefined)
}

function addPairs(left: number[], right: readonly number[]): number[] {
  if (right.length === 0) return left
  if (left.length === 0) return [...right]
  const buckets = emptyBuckets()
  unpackInto(left, buckets)
  unpackInto(right, buckets)
  return pack(buckets)
}
