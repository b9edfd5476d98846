/**
 * Paces calls by delay, then refuses: each call is given a time of departure, so there is no queue
 * to bound, drain or leak. (GCRA: ITU-T I.371, as Linkerd limits; the wait is Sentinel's pacing.)
 *
 * Two clocks, shared by all workers: how far ahead of its fair pace (rate / sources at work) a
 * source is, and how far ahead of the rate all are together. By these a call departs
 *
 *   at once                      in pace, or ahead by no more than the burst
 *   when the whole rate has room sooner than its own turn: it borrows what others leave unused,
 *                                while that wait is under a fifth of maxWaitMs
 *   at its own turn              a little ahead of its pace: others' floods are not its concern
 *   at the later of the two      far ahead of its pace: a flood pays back what it took
 *
 * and it is refused if that is later than maxWaitMs, or the caller's patience, allow. A newcomer
 * counts itself among the sources at once; main recounts them each second.
 */
import { delay, PASS, type Pattern, refuse } from './pattern.ts'
import { type ClockCell, type Count, clockOf } from './row.ts'
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
/** What may pass at once before bytes are paced: a pause a packet would be all overhead. */
export const FILL_MS = 50
/** A source that has been within its pace this long is not at work. */
export const IDLE_US = 1_000_000
const BORROW = 0.2 // of the longest wait
const NEAR = 2 // spacings
const SPAN_MAX_US = 600_000_000 // clocks compare up to 35 minutes
const NEVER = -SPAN_MAX_US

interface Clocks {
  readonly own: ClockCell
  readonly all: ClockCell
  readonly active: Count
  readonly bytesIn: ClockCell
  readonly bytesOut: ClockCell
}

export const backpressure: Pattern<typeof fields, Clocks> = {
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
    active: row.count('active'),
    bytesIn: row.clock('bytesIn'),
    bytesOut: row.clock('bytesOut'),
  }),

  admit(clocks, settings, { chance, patienceMs }, nowMs) {
    const { ratePerSecond: rate, smoothMs } = settings
    const smooth = smoothMs * chance
    if (rate === undefined) return smooth === 0 ? PASS : delay(smooth)
    if (rate === 0) return refuse('backpressure', 'no share of the rate', 1000)
    const waitMs = depart(clocks, settings, rate, chance, patienceMs, clockOf(nowMs)) / 1000
    if (waitMs < 0) return refuse('backpressure', 'calls a second', -waitMs, 0, rate)
    return waitMs + smooth === 0 ? PASS : delay(waitMs + smooth)
  },

  settle() {},

  pace(clocks, { bytesPerSecond: rate }, bytes, nowMs, way) {
    if (rate === undefined) return 0
    if (rate === 0) return PAUSE_MAX_MS
    const clock = way === 'in' ? clocks.bytesIn : clocks.bytesOut
    const nowUs = clockOf(nowMs)
    const cost = (bytes / rate) * 1e6
    for (;;) {
      const was = clock.load()
      const ahead = Math.max(0, aheadOf(was, nowUs))
      const then = Math.min(ahead + cost, SPAN_MAX_US)
      if (bytes > 0 && !clock.cas(was, (nowUs + then) | 0)) continue
      return Math.min(Math.max(0, then / 1000 - FILL_MS), PAUSE_MAX_MS)
    }
  },

  tend(states, _settings, _sight, nowMs) {
    const first = states[0]
    if (first === undefined) return
    const counted = first.active.load()
    const nowUs = clockOf(nowMs)
    const active = states.filter(({ own }) => aheadOf(own.load(), nowUs) > -IDLE_US).length
    first.active.cas(counted, active) // unless one has just come: then next second
  },
}

/** How far ahead of now a clock is, in us. */
const aheadOf = (us: number, nowUs: number): number => (us === 0 ? NEVER : (us - nowUs) | 0)

/**
 * When the call departs, in us from now; or, negative, how long it would have to wait. Charged to
 * its source's clock (unless borrowed) and to the whole one's.
 */
function depart(
  { own, all, active }: Clocks,
  settings: Settings,
  rate: number,
  chance: number,
  patienceMs: number,
  nowUs: number,
): number {
  const spacing = 1e6 / rate
  const burst = Math.min(Math.max(0, (settings.burst ?? rate) - 1) * spacing, SPAN_MAX_US)
  const patience = settings.smoothMs > 0 ? MAX_WAIT_SMOOTH_MS : MAX_WAIT_MS
  const longest = Math.min((settings.maxWaitMs ?? patience) * 1000, patienceMs * 1000)
  const bound = Math.min(longest, settings.maxDelayed * spacing)
  for (;;) {
    const was = own.load()
    const whole = Math.max(0, aheadOf(all.load(), nowUs))
    const idle = aheadOf(was, nowUs) <= -IDLE_US
    const sources = Math.max(1, active.load() + (idle ? 1 : 0))
    const turn = Math.min(spacing * sources, SPAN_MAX_US)
    // A newcomer finds the burst as the others left it; if they left none, a place in its turn.
    const ahead = idle
      ? whole <= burst
        ? whole
        : burst + chance * turn
      : Math.max(0, aheadOf(was, nowUs))
    const credit = whole <= burst + longest ? burst : 0
    let wait = Math.max(0, ahead - credit)
    let charge = turn
    if (wait > 0) {
      const room = Math.max(0, whole - burst / sources)
      if (room < wait && room < BORROW * longest) {
        wait = room
        charge = 0
      } else if (wait > NEAR * turn) {
        wait = Math.max(wait, whole - burst)
      }
    }
    const refused = wait > bound
    const then = refused ? ahead : ahead + Math.floor(charge + chance)
    if (refused && !idle) return -wait
    if (charge > 0 && !own.cas(was, (nowUs + then) | 0)) continue
    if (idle) active.add(1)
    if (refused) return -wait
    push(all, Math.floor(spacing + chance), nowUs)
    return wait
  }
}

function push(clock: ClockCell, byUs: number, nowUs: number): void {
  for (;;) {
    const was = clock.load()
    const ahead = Math.max(0, aheadOf(was, nowUs))
    if (clock.cas(was, (nowUs + Math.min(ahead + byUs, 2 * SPAN_MAX_US)) | 0)) return
  }
}
