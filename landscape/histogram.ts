/**
 * Latencies as counts in 432 buckets: 16 to each power of two, over whole microseconds up to
 * 2^30 (17.9 min). A bucket is at most 1/16 of its lowest value wide, so the value in its middle
 * is wrong by 1/32 (3.2 %) at most, and below 32 us by nothing.
 *
 *   bucket   0 .. 15 | 16 .. 31 | 32 33 ..      47 | 48   ..    63 | ...
 *   us       0 .. 15 | 16 .. 31 | 32 34 36 ..   62 | 64 68 .. 124  | ...
 */
const STEPS_BITS = 4
const STEPS = 1 << STEPS_BITS
const TOP_BITS = 30

/** Longer than this is counted as this long, in the last bucket. */
export const LATENCY_MAX_US = 2 ** TOP_BITS - 1
export const BUCKETS = STEPS * (TOP_BITS - STEPS_BITS + 1)

/** The bucket of a latency in us. What is no latency (negative, NaN) counts as none: 0. */
export function bucketOf(us: number): number {
  if (!(us >= STEPS)) return us > 0 ? us | 0 : 0
  const whole = us < LATENCY_MAX_US ? us | 0 : LATENCY_MAX_US
  const shift = 31 - STEPS_BITS - Math.clz32(whole)
  return shift * STEPS + (whole >>> shift)
}

const shiftOf = (bucket: number): number => (bucket < 2 * STEPS ? 0 : (bucket >>> STEPS_BITS) - 1)

/** The smallest latency a bucket counts, in us. */
export function lowestOf(bucket: number): number {
  const shift = shiftOf(bucket)
  return (bucket - shift * STEPS) * 2 ** shift
}

/** The latency a bucket stands for, in us: halfway from the smallest it counts to the largest. */
export const midpointOf = (bucket: number): number =>
  lowestOf(bucket) + (2 ** shiftOf(bucket) - 1) / 2

/**
 * The latency that a part `q` (0 to 1) of all calls did not exceed, in us; NaN when there were
 * none. With `maxUs`, the longest that was measured, no answer is beyond what was measured.
 */
export function quantileOf(counts: ArrayLike<number>, q: number, maxUs = Infinity): number {
  let total = 0
  for (let bucket = 0; bucket < counts.length; bucket += 1) total += counts[bucket]!
  if (!(total > 0)) return Number.NaN
  if (q >= 1 && maxUs < Infinity) return maxUs
  let rank = Math.max(1, Math.ceil(q * total))
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    rank -= counts[bucket]!
    if (rank > 0) continue
    return Math.min(midpointOf(bucket), maxUs)
  }
  return Math.min(LATENCY_MAX_US, maxUs)
}

/** As it travels and is kept: bucket, count, bucket, count ... of those that are not 0. */
export function pack(counts: ArrayLike<number>): number[] {
  const pairs: number[] = []
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    const count = counts[bucket]!
    if (count > 0) pairs.push(bucket, count)
  }
  return pairs
}

/** Adds pairs to counts. A bucket beyond the last, from a newer node, counts in the last. */
export function unpackInto(pairs: ArrayLike<number>, counts: Float64Array | number[]): void {
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const bucket = Math.min(pairs[at]!, BUCKETS - 1)
    counts[bucket] = (counts[bucket] ?? 0) + pairs[at + 1]!
  }
}

export const emptyBuckets = (): Float64Array<ArrayBuffer> => new Float64Array(BUCKETS)
