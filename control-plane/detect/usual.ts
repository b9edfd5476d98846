/**
 * What is usual for one edge, learnt from itself: rates, latency, concurrency, how long it is ever
 * quiet. Learnt slowly, and slower still while something is wrong, so that trouble is not taken for
 * the custom; a change that stays is the new custom after some minutes. All of it is counts and
 * means of what was seen: a number that is none is never taken in.
 */
import { type EdgeCounts, latencyOf } from '../../landscape/signal.ts'

/**
 * Counts are looked at over so many seconds at once, since nodes' seconds do not begin together.
 */
export const SPAN_S = 3
/** Each second the past weighs this much less: a memory of about a minute. */
const SLOWLY = 1 / 60
/** While something is wrong. */
const HARDLY = SLOWLY / 10
/** Of how many calls there are: a memory of five minutes, or a call a minute would be no custom. */
const RATE_S = 300
/** A memory of about ten seconds, for what is rare. */
const SHORTLY = 1 / 10

/** What is seen of an edge now. */
export interface Seen {
  readonly opaque: boolean
  /** Over the span. */
  readonly counts: Readonly<EdgeCounts>
  /** From the source to the target, and back, in the last second alone. */
  readonly bytesInNow: number
  readonly bytesOutNow: number
}

export class Usual {
  /** Seconds looked at, and calls seen, since the edge is known. */
  seconds = 0
  calls = 0
  /** A second. */
  started = 0
  ended = 0
  bytesIn = 0
  bytesOut = 0
  inFlight = 0
  /** Of ln(ms): mean and mean deviation of the median and of the slow ones. */
  readonly median = new Level()
  readonly slow = new Level()
  /** A part of those that ended. */
  failing = 0
  /** Of the last seconds: calls that ended, and those of them that failed. */
  recentEnded = 0
  recentFailed = 0
  /** The part of seconds in which anything happened. */
  busy = 0
  /** Seconds since anything happened, since a call ended, since a byte came back. */
  quietS = 0
  unendedS = 0
  unansweredS = 0
  /** The longest pause after which it went on, fading over an hour. */
  longestQuietS = 0
  /** Since a byte came back: what went there. */
  unansweredBytes = 0
  /** In how many seconds bytes came back, ever. */
  answeredS = 0
  /** For how long next to none of the calls that went in came out. */
  swallowedS = 0

  /** One second has passed. `well`: nothing was wrong in it. */
  learn(seen: Seen, well: boolean): void {
    const { counts } = seen
    const ended = counts.succeeded + counts.failed
    const active = isActive(seen)
    this.#count(seen, ended, active)
    // At first the mean of what was seen; from then on a mean that forgets.
    const rate = 1 / Math.min(this.seconds, RATE_S)
    const unhurried = well ? rate : rate / 10
    this.started += unhurried * (counts.started / SPAN_S - this.started)
    this.ended += unhurried * (ended / SPAN_S - this.ended)
    if (!active) return
    const part = well ? Math.max(SLOWLY, rate) : HARDLY
    this.inFlight += part * (counts.inFlight - this.inFlight)
    // One burst does not make a custom: more than twice the usual is learnt as twice.
    const most = this.seconds > 10 ? this.bytesIn * 2 + 1_024 : Number.POSITIVE_INFINITY
    this.bytesIn += part * (Math.min(seen.bytesInNow, most) - this.bytesIn)
    this.bytesOut += part * (seen.bytesOutNow - this.bytesOut)
    if (ended === 0) return
    this.failing += part * (counts.failed / ended - this.failing)
    this.median.learn(latencyOf(counts, 0.5) / 1_000, part)
    this.slow.learn(latencyOf(counts, 0.9) / 1_000, part)
  }

  #count(seen: Seen, ended: number, active: boolean): void {
    const { counts, bytesInNow, bytesOutNow } = seen
    this.seconds += 1
    this.calls += counts.started / SPAN_S
    this.busy += SLOWLY * ((active ? 1 : 0) - this.busy)
    this.recentEnded += SHORTLY * (ended / SPAN_S - this.recentEnded)
    this.recentFailed += SHORTLY * (counts.failed / SPAN_S - this.recentFailed)
    this.unendedS = ended > 0 ? 0 : this.unendedS + 1
    this.unansweredS = bytesOutNow > 0 ? 0 : this.unansweredS + 1
    this.unansweredBytes = bytesOutNow > 0 ? 0 : this.unansweredBytes + bytesInNow
    if (bytesOutNow > 0) this.answeredS += 1
    this.swallowedS = isSwallowing(counts) ? this.swallowedS + 1 : 0
    if (active && this.quietS > 0) {
      this.longestQuietS = Math.max(this.quietS, this.longestQuietS)
    }
    this.longestQuietS *= 1 - 1 / 3_600
    this.quietS = active ? 0 : this.quietS + 1
  }
}

/** Next to none of the calls that went in came out; who gave up waiting did not get one out. */
export const isSwallowing = ({ started, succeeded, failed }: Readonly<EdgeCounts>): boolean =>
  started > 0 && succeeded + failed <= started * 0.1

/** Refused calls are activity too: their source is there and asks. */
export const isActive = ({ counts }: Seen): boolean =>
  counts.started + counts.refused + counts.connections + counts.bytesIn + counts.bytesOut > 0

/** A level that moves, of something that varies by factors: mean and mean deviation of its ln. */
export class Level {
  #mean = Number.NaN
  #deviation = 0
  /** Looks it was made of. */
  looks = 0

  /** As it is usually; NaN while unknown. */
  get usual(): number {
    return Math.exp(this.#mean)
  }

  learn(value: number, part: number): void {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) return
    const ln = Math.log(value)
    this.looks += 1
    if (Number.isNaN(this.#mean)) {
      this.#mean = ln
      return
    }
    this.#deviation += part * (Math.abs(ln - this.#mean) - this.#deviation)
    this.#mean += part * (ln - this.#mean)
  }

  /** How many of its usual deviations above it a value is; a level hardly known counts nothing. */
  surprise(value: number, deviationMin: number): number {
    if (this.looks < 20 || !(value > 0)) return 0
    return (Math.log(value) - this.#mean) / Math.max(this.#deviation, deviationMin)
  }
}
