/**
 * Paces callers by delay, then refuses: a call waits for its time of departure with its body
 * unread, so that its source feels it; and bytes are paced by pausing reads, so that a raw TCP
 * source is slowed and never reset. Each source has its fair share of the rate (departure.ts).
 *
 * The longest wait is Sentinel's, the burst Linkerd's; no queue is kept, nothing to drain or leak.
 */
import { aheadOf, type Clocks, depart, push, recount, SPAN_MAX_US } from './departure.ts'
import { delay, PASS, type Pattern, refuse } from './pattern.ts'
import { type ClockCell, clockOf } from './row.ts'
import { bytesPerSecond, count, milliseconds, perSecond, type SettingsOf } from './settings.ts'

const fields = {
  ratePerSecond: perSecond({
    flag: 'rate',
    help: 'calls (or new connections) let through each second',
    min: 0.01,
    max: 100_000,
    shared: true,
  }),
  burst: count({
    flag: 'burst',
    help: 'calls that may go at once after a pause; one second of the rate if not given',
    min: 0,
    max: 1_000_000,
    follows: 'ratePerSecond',
  }),
  maxWaitMs: milliseconds({
    flag: 'max-wait',
    help: 'longest wait before a call is refused; 500ms, or 1s when smoothing, if not given',
    min: 0,
    max: 60_000,
  }),
  maxDelayed: count({
    flag: 'max-delayed',
    help: 'calls that may wait at once',
    min: 0,
    max: 100_000,
    fallback: 1000,
  }),
  smoothMs: milliseconds({
    flag: 'smooth',
    help: 'spreads calls by a delay of up to this, by chance',
    min: 0,
    max: 10_000,
    fallback: 0,
  }),
  bytesPerSecond: bytesPerSecond({
    flag: 'bandwidth',
    help: 'bytes let through each second, each way',
    min: 1024,
    max: 1e11,
    shared: true,
  }),
}

type Settings = SettingsOf<typeof fields>

export const MAX_WAIT_MS = 500
export const MAX_WAIT_SMOOTH_MS = 1000
/** A pause in reading is no longer than this, so that no client takes it for silence. */
export const PAUSE_MAX_MS = 1000
/** What may pass at once before bytes are paced: a pause for every packet would be overhead. */
export const FILL_MS = 50
const NO_SHARE_RETRY_MS = 1000
const NO_SHARE = 'no share of the rate at this node'
const TOO_MANY = 'more calls a second than'

interface State extends Clocks {
  readonly bytesIn: ClockCell
  readonly bytesOut: ClockCell
}

export const backpressure: Pattern<typeof fields, State> = {
  kind: 'backpressure',
  help: 'paces calls and bytes by delay, each source by its fair share',
  fields,
  per: 'policy',
  apart: 'source',
  existing: 'keep',

  check({ ratePerSecond, bytesPerSecond, smoothMs, burst }) {
    if (ratePerSecond === undefined && burst !== undefined) return 'burst needs ratePerSecond'
    return ratePerSecond === undefined && bytesPerSecond === undefined && smoothMs === 0
      ? 'backpressure needs ratePerSecond, bytesPerSecond or smoothMs'
      : undefined
  },

  cells: (row, _side, own) => ({
    own: own.clock('own'),
    all: row.clock('all'),
    sources: row.count('sources'),
    bytesIn: row.clock('bytesIn'),
    bytesOut: row.clock('bytesOut'),
  }),

  admit(state, settings, { chance, patienceMs }, nowMs) {
    const { ratePerSecond, smoothMs } = settings
    const smooth = smoothMs * chance
    if (ratePerSecond === undefined) return smooth === 0 ? PASS : delay(smooth)
    // This node's share of the fleet's rate may be nothing.
    if (ratePerSecond === 0) return refuse('backpressure', NO_SHARE, NO_SHARE_RETRY_MS)
    paceBy(settings, ratePerSecond, patienceMs)
    pace.chance = chance
    const waitUs = depart(state, pace, clockOf(nowMs))
    if (waitUs < 0) return refuse('backpressure', TOO_MANY, -waitUs / 1000, 0, ratePerSecond)
    return waitUs === 0 && smooth === 0 ? PASS : delay(waitUs / 1000 + smooth)
  },

  settle() {},

  pace(state, { bytesPerSecond }, bytes, nowMs, way) {
    if (bytesPerSecond === undefined) return 0
    if (bytesPerSecond === 0) return PAUSE_MAX_MS
    const clock = way === 'in' ? state.bytesIn : state.bytesOut
    const nowUs = clockOf(nowMs)
    const cost = Math.min((bytes * 1e6) / bytesPerSecond, SPAN_MAX_US)
    const ahead = bytes > 0 ? push(clock, cost, nowUs) : aheadOf(clock.load(), nowUs)
    return Math.min(Math.max(0, ahead / 1000 - FILL_MS), PAUSE_MAX_MS)
  },

  tend: (states, _settings, _sight, nowMs) => recount(states, nowMs),
}

/** Scratch, read before it is filled in again: nothing is allocated per call. */
const pace = { spacing: 0, burst: 0, longest: 0, bound: 0, chance: 0.5 }

function paceBy(settings: Settings, ratePerSecond: number, patienceMs: number): void {
  const { burst = ratePerSecond, maxDelayed, smoothMs } = settings
  const maxWaitMs = settings.maxWaitMs ?? (smoothMs > 0 ? MAX_WAIT_SMOOTH_MS : MAX_WAIT_MS)
  pace.spacing = 1e6 / ratePerSecond
  pace.burst = Math.min(Math.max(0, burst - 1) * pace.spacing, SPAN_MAX_US)
  pace.longest = maxWaitMs * 1000
  // Of all sources together no more than maxDelayed wait, if each waits no longer than this.
  pace.bound = Math.min(pace.longest, maxDelayed * pace.spacing, patienceMs * 1000)
}
