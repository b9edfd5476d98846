/** What is kept as bytes is read as it was written. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { BUCKETS } from '../../landscape/histogram.ts'
import { type EdgeCounts, emptyCounts } from '../../landscape/signal.ts'
import { WindowLog } from '../../landscape/window-log.ts'

type Entry = readonly [edge: number, node: number, counts: EdgeCounts]

const entriesOf = (log: WindowLog): Entry[] => {
  const entries: Entry[] = []
  log.each((edge, node, counts) => entries.push([edge, node, structuredClone(counts)]))
  return entries
}

const whole = fc.oneof(
  fc.constantFrom(0, 1, 127, 128, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.nat(300),
  fc.maxSafeNat(),
)
const pairs = fc
  .array(fc.tuple(fc.nat(BUCKETS - 1), whole), { maxLength: 30 })
  .map((some) => some.flat())
const someCounts: fc.Arbitrary<EdgeCounts> = fc.record(
  {
    ...Object.fromEntries(Object.keys(emptyCounts()).map((field) => [field, whole])),
    latencyBuckets: pairs,
    idleMs: fc.oneof(whole, fc.constant(Number.POSITIVE_INFINITY)),
  } as { [field in keyof EdgeCounts]: fc.Arbitrary<EdgeCounts[field]> },
  { noNullPrototype: true },
)

t.test('records are read as they were written, in order', async () => {
  const entry = fc.tuple(fc.nat(50_000), fc.nat(2000), someCounts)
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
      const log = new WindowLog()
      for (const [edge, node, counts] of entries) log.append(edge, node, counts)
      assert.deepEqual(entriesOf(log), entries)
    }),
    { numRuns: 200 },
  )
})

t.test('an empty log holds nothing and no memory', async (t) => {
  t.strictSame(entriesOf(new WindowLog()), [])
  t.equal(new WindowLog().size, 0)
})

t.test('what is no count counts nothing', async (t) => {
  const log = new WindowLog()
  for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 60]) {
    log.append(1, 2, { ...emptyCounts(), started: value, idleMs: value, bytesIn: 3.9 })
  }
  for (const [, , counts] of entriesOf(log)) t.match(counts, { started: 0, bytesIn: 3 })
})

t.test('a bucket beyond the last is the last, and half a pair is none', async (t) => {
  const log = new WindowLog()
  log.append(1, 2, { ...emptyCounts(), latencyBuckets: [9999, 7, 3] })
  t.strictSame(entriesOf(log)[0]?.[2].latencyBuckets, [BUCKETS - 1, 7])
})

t.test('a usual record takes less than 150 bytes', async (t) => {
  const log = new WindowLog()
  const counts = {
    ...emptyCounts(),
    ...{ started: 120, succeeded: 118, failed: 1, inFlight: 2, inFlightMax: 9, connectionsOpen: 8 },
    ...{
      bytesIn: 40_000,
      bytesOut: 900_000,
      latencyMaxUs: 48_000,
      latencySumUs: 900_000,
      idleMs: 3,
    },
    latencyBuckets: Array.from({ length: 15 }, (_, at) => [160 + at, 8]).flat(),
  }
  for (let at = 0; at < 1000; at += 1) log.append(at, 3, counts)
  t.ok(log.size / 1000 < 150, `${log.size / 1000} bytes with the room it grew by`)
})
