/**
 * A latency kept in a bucket is wrong by 3.2 % at most, and buckets add up like what they count.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  BUCKETS,
  bucketOf,
  emptyBuckets,
  LATENCY_MAX_US,
  lowestOf,
  midpointOf,
  pack,
  quantileOf,
  unpackInto,
} from '../../landscape/histogram.ts'

const latency = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 0, max: LATENCY_MAX_US }),
  // As likely in each power of two: uniform numbers would hardly ever be short.
  fc
    .tuple(
      fc.integer({ min: 0, max: 29 }),
      fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }),
    )
    .map(([power, part]) => Math.floor(2 ** power * part)),
)

const countsOf = (latencies: readonly number[]): Float64Array => {
  const counts = emptyBuckets()
  for (const us of latencies) counts[bucketOf(us)]! += 1
  return counts
}

t.test('there are 432 buckets and each begins where the one before ends', async (t) => {
  t.equal(BUCKETS, 432)
  for (let bucket = 1; bucket < BUCKETS; bucket += 1) {
    const lowest = lowestOf(bucket)
    if (bucketOf(lowest) !== bucket || bucketOf(lowest - 1) !== bucket - 1) {
      t.fail(`bucket ${bucket} does not begin at ${lowest}`)
    }
    if ((lowestOf(bucket) - lowestOf(bucket - 1)) / Math.max(16, lowestOf(bucket - 1)) > 0.0625) {
      t.fail(`bucket ${bucket - 1} is wider than 6.25 %`)
    }
  }
})

t.test('no latency is wrong by more than 3.2 %', async () => {
  fc.assert(
    fc.property(latency, (us) => Math.abs(midpointOf(bucketOf(us)) - us) <= us * 0.032),
    { numRuns: 20_000 },
  )
})

t.test('what is below 32 us is exact', async (t) => {
  for (let us = 0; us < 32; us += 1) t.equal(midpointOf(bucketOf(us)), us)
})

t.test('what cannot be a latency is counted at an end', async (t) => {
  const table: [number, number][] = [
    [-1, 0],
    [Number.NaN, 0],
    [0.9, 0],
    [17.9, 17],
    [LATENCY_MAX_US, BUCKETS - 1],
    [LATENCY_MAX_US + 1, BUCKETS - 1],
    [2 ** 31, BUCKETS - 1],
    [2 ** 40, BUCKETS - 1],
    [Number.POSITIVE_INFINITY, BUCKETS - 1],
  ]
  for (const [us, bucket] of table) t.equal(bucketOf(us), bucket, `${us} us`)
})

t.test('longer is never in an earlier bucket', async () => {
  fc.assert(fc.property(latency, latency, (a, b) => a > b || bucketOf(a) <= bucketOf(b)))
})

t.test('quantiles', async (t) => {
  const even = countsOf(Array.from({ length: 100 }, (_, at) => (at + 1) * 10))
  t.ok(Number.isNaN(quantileOf(emptyBuckets(), 0.5)), 'of nothing are not a number')
  t.equal(quantileOf(countsOf([7]), 0), 7, 'of one are that one')
  t.equal(quantileOf(countsOf([7]), 0.99), 7)
  t.equal(quantileOf(countsOf([5, 10, 20]), 0.5), 10)
  t.equal(quantileOf(countsOf([5, 10, 20, 30]), 0.5), 10, 'the rank is rounded up, never down')
  t.ok(Math.abs(quantileOf(even, 0.99) - 990) <= 990 * 0.032)
  t.equal(quantileOf(countsOf([1000]), 0.5, 990), 990, 'are not beyond what was measured')
  t.equal(quantileOf(even, 1, 1000), 1000, 'the whole is the longest, exactly')
})

t.test('a quantile is within 3.2 % of the true one', async () => {
  const many = fc.array(latency, { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(many, fc.double({ min: 0, max: 1, noNaN: true }), (latencies, q) => {
      const sorted = latencies.toSorted((a, b) => a - b)
      const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!
      return Math.abs(quantileOf(countsOf(latencies), q) - exact) <= exact * 0.032
    }),
  )
})

t.test('unpacking what was packed gives the same counts, and unpacking twice adds', async () => {
  const many = fc.array(latency, { maxLength: 60 })
  fc.assert(
    fc.property(many, many, (left, right) => {
      const packed = emptyBuckets()
      unpackInto(pack(countsOf(left)), packed)
      assert.deepEqual(packed, countsOf(left))
      unpackInto(pack(countsOf(right)), packed)
      assert.deepEqual(packed, countsOf([...left, ...right]))
    }),
    { numRuns: 50 },
  )
})

t.test('packed counts hold nothing that is 0, in order', async (t) => {
  t.strictSame(pack(countsOf([3, 3, 100])), [3, 2, bucketOf(100), 1])
  t.strictSame(pack(emptyBuckets()), [])
})

t.test('a bucket beyond ours counts in the last, and half a pair counts nothing', async (t) => {
  const counts = emptyBuckets()
  unpackInto([9999, 2, 5], counts)
  t.equal(counts.length, BUCKETS)
  t.equal(counts[BUCKETS - 1], 2)
  t.equal(counts[5], 0)
})
