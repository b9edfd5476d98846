/**
 * When a call departs, so that each source keeps its fair pace and all together keep the rate.
 * There is no queue: a call is given a time, two clocks are moved on, and that is all. (GCRA, ITU-T
 * I.371 Annex A: a clock runs ahead of now by what was let through and not yet earned.)
 *
 *   own   how far a source is ahead of its turns; a turn is spacing x sources at work
 *   all   how far all sources together are ahead of the rate
 *
 * A call departs
 *   at once              in its turn, or ahead of it by no more than the burst
 *   when all has room    if that is sooner: it borrows what others leave unused. It may wait for
 *                        that up to a fifth of the longest wait; a flood one turn at most, so
 *                        that room is left for those who are merely uneven
 *   in its turn          otherwise: others' floods are not its concern
 *   the later of both    a flood, so that what others do with their burst is made up for
 *
 * A newcomer counts itself among the sources at once, and finds the burst as the others left it;
 * if they left none, it gets a place somewhere in its first turn. Main recounts each second.
 */
import { type ClockCell, type Count, clockOf } from './row.ts'

export interface Clocks {
  readonly own: ClockCell
  readonly all: ClockCell
  /** Sources at work. */
  readonly sources: Count
}

/** A source that has been behind its turns for so long is not at work. */
export const IDLE_US = 1_000_000
/** Clock cells compare up to 35 minutes; nothing here reaches a third of that. */
export const SPAN_MAX_US = 600_000_000
const BORROW = 0.2 // of the longest wait
/** A source that is so far ahead of its turns is a flood. */
const FLOOD = 0.5 // of the longest wait

/** How far ahead of now a clock is, in us; one that never ran is far behind. */
export const aheadOf = (us: number, nowUs: number): number =>
  us === 0 ? -SPAN_MAX_US : (us - nowUs) | 0

/** The pace of all, and how long a call may wait: in us. */
export interface Pace {
  readonly spacing: number
  readonly burst: number
  /** The longest wait there is. */
  readonly longest: number
  /** The longest for this call: less, if its caller is in a hurry. */
  readonly bound: number
  /** The call's own, 0 to 1: here, since as an argument each call would put it on the heap. */
  readonly chance: number
}

/** In us from now; negative if that is too late: by how long it would have had to wait. */
export function depart(clocks: Clocks, pace: Pace, nowUs: number): number {
  const { own, all, sources } = clocks
  const { spacing, burst, longest, bound, chance } = pace
  for (;;) {
    const was = own.load()
    const wasAll = all.load()
    const whole = Math.max(0, aheadOf(wasAll, nowUs))
    const idle = aheadOf(was, nowUs) <= -IDLE_US
    const atWork = Math.max(1, sources.load() + (idle ? 1 : 0))
    const turn = Math.min(spacing * atWork, SPAN_MAX_US)
    const place = whole <= burst ? whole : Math.min(burst + chance * turn, SPAN_MAX_US)
    const ahead = idle ? place : Math.max(0, aheadOf(was, nowUs))
    // Chance rounds: on average a spacing of 3.3 us is 3.3 us.
    const cost = Math.floor(spacing + chance)

    let wait = Math.max(0, ahead - burst)
    const flood = wait > FLOOD * longest
    const room = Math.max(0, whole - burst / atWork)
    const most = flood ? Math.min(turn, BORROW * longest) : BORROW * longest
    // Who is alone has all there is, and a newcomer is not known to have less than others.
    if (room < wait && room < most && room <= bound && atWork > 1 && !idle) {
      if (!all.cas(wasAll, (nowUs + whole + cost) | 0)) continue
      return Math.floor(room)
    }
    if (flood) wait = Math.max(wait, room)

    const late = wait > bound
    // What is refused costs nothing, but a newcomer is at work all the same: it has a turn next.
    const then = late ? ahead : ahead + Math.floor(turn + chance)
    if (!own.cas(was, (nowUs + then) | 0)) continue
    if (idle) sources.add(1)
    if (late) return -Math.ceil(wait)
    push(all, cost, nowUs)
    return Math.floor(wait)
  }
}

/** Moves a clock on; it never lags behind now. Returns how far it is ahead then, in us. */
export function push(clock: ClockCell, byUs: number, nowUs: number): number {
  for (;;) {
    const was = clock.load()
    const ahead = Math.min(Math.max(0, aheadOf(was, nowUs)) + byUs, SPAN_MAX_US)
    if (clock.cas(was, (nowUs + ahead) | 0)) return ahead
  }
}

/** Each second: sources that came count themselves, those that went are found out here. */
export function recount(clocks: readonly Clocks[], nowMs: number): void {
  const first = clocks[0]
  if (first === undefined) return
  const nowUs = clockOf(nowMs)
  const counted = first.sources.load()
  const atWork = clocks.filter(({ own }) => aheadOf(own.load(), nowUs) > -IDLE_US).length
  first.sources.cas(counted, atWork) // unless one has just come: then in a second
}
