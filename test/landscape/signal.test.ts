/** Counts of the same time add up over workers, nodes and edges, each field in its own way. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { bucketOf } from '../../landscape/histogram.ts'
import {
  addCounts,
  type EdgeCounts,
  emptyCounts,
  endedOf,
  latencyOf,
} from '../../landscape/signal.ts'

const count = fc.nat(1_000_000)
const someCounts: fc.Arbitrary<EdgeCounts> = fc.record(
  {
    started: count,
    succeeded: count,
    failed: count,
    ignored: count,
    refused: count,
    connections: count,
    bytesIn: count,
    bytesOut: count,
    inFlight: count,
    inFlightMax: count,
    connectionsOpen: count,
    latencyMaxUs: count,
    latencySumUs: count,
    latencyBuckets: fc
      .uniqueArray(fc.nat(431), { maxLength: 5 })
      .map((buckets) => buckets.sort((a, b) => a - b).flatMap((bucket) => [bucket, bucket + 1])),
    idleMs: fc.oneof(count, fc.constant(Number.POSITIVE_INFINITY)),
  },
  { noNullPrototype: true },
)

const sum = (...all: EdgeCounts[]): EdgeCounts => {
  const into = emptyCounts()
  for (const one of all) addCounts(into, one)
  return into
}

t.test('adding to nothing gives what was added', async () => {
  fc.assert(
    fc.property(someCounts, (one) => void assert.deepEqual(sum(one), one)),
    { numRuns: 30 },
  )
})

t.test('the order of adding changes nothing', async () => {
  fc.assert(
    fc.property(someCounts, someCounts, someCounts, (a, b, c) => {
      assert.deepEqual(sum(a, b, c), sum(c, sum(b, a)))
    }),
    { numRuns: 50 },
  )
})

t.test('each field adds up in its own way', async (t) => {
  const one: EdgeCounts = { ...emptyCounts(), started: 2, inFlight: 1, latencyMaxUs: 9, idleMs: 5 }
  const two: EdgeCounts = { ...emptyCounts(), started: 3, inFlight: 2, latencyMaxUs: 7, idleMs: 4 }
  const { started, inFlight, latencyMaxUs, idleMs } = sum(one, two)
  t.strictSame([started, inFlight, latencyMaxUs, idleMs], [5, 3, 9, 4])
})

t.test('what is added is not changed, nor held on to', async (t) => {
  const one = { ...emptyCounts(), latencyBuckets: [3, 1] }
  const into = sum(one)
  addCounts(into, { ...emptyCounts(), latencyBuckets: [3, 1, 4, 1] })
  t.strictSame(one.latencyBuckets, [3, 1])
  const alone = sum(one)
  one.latencyBuckets.push(9, 9)
  t.strictSame(alone.latencyBuckets, [3, 1])
  t.strictSame(into.latencyBuckets, [3, 2, 4, 1])
})

t.test('ended is what was at the target, well or badly', async (t) => {
  const counts = { ...emptyCounts(), started: 99, succeeded: 1, failed: 2, ignored: 4, refused: 8 }
  t.equal(endedOf(counts), 7)
})

t.test('a latency is read from the buckets, never beyond the longest', async (t) => {
  const counts = { ...emptyCounts(), latencyBuckets: [bucketOf(20), 99, bucketOf(5000), 1] }
  t.ok(Number.isNaN(latencyOf(emptyCounts(), 0.5)))
  t.equal(latencyOf(counts, 0.5), 20)
  t.ok(Math.abs(latencyOf(counts, 1) - 5000) <= 160)
  t.equal(latencyOf({ ...counts, latencyMaxUs: 4990 }, 1), 4990)
})
