/**
 * Stress: much slower, much fuller or failing far more than this edge's own custom, with enough
 * calls to say so. Each measure knows how many calls it rests on; two calls at night prove nothing.
 */
import { latencyOf } from '../../landscape/signal.ts'
import { type Finding, milliseconds, number } from './finding.ts'
import type { Seen, Usual } from './usual.ts'

/** Calls that ended in the span: for the slow ones to mean something, and for the median. */
const SLOW_CALLS_MIN = 20
const MEDIAN_CALLS_MIN = 6
const SLOWER = 2.5
/** Nobody is woken for less than this, in ms. */
const SLOWER_MS = 10
/** Usual deviations above the custom; deviations smaller than this are taken for it. */
const SURPRISE = 4
const DEVIATION_MIN = 0.15
const FULLER = 3
const FULLER_MIN = 5
/** The part that fails, at least, whatever the custom. */
const FAILING = 0.05
const FAILED_MIN = 3

export function strain(usual: Usual, seen: Seen): Finding | undefined {
  // What an opaque connection takes is its life, not its latency.
  const why = seen.opaque ? undefined : slow(usual, seen)
  return why === undefined ? undefined : { kind: 'strain', word: 'stressed', why }
}

function slow(usual: Usual, { counts }: Seen): string | undefined {
  const ended = counts.succeeded + counts.failed
  const measured = [
    { calls: SLOW_CALLS_MIN, q: 0.9, name: 'p90', level: usual.slow },
    { calls: MEDIAN_CALLS_MIN, q: 0.5, name: 'median', level: usual.median },
  ]
  for (const { calls, q, name, level } of measured) {
    if (ended < calls) continue
    const ms = latencyOf(counts, q) / 1_000
    if (!(ms > level.usual * SLOWER && ms > level.usual + SLOWER_MS)) continue
    if (level.surprise(ms, DEVIATION_MIN) < SURPRISE) continue
    return `${name} ${milliseconds(ms)}, usually ${milliseconds(level.usual)}`
  }
  return undefined
}

export function crowd({ inFlight, seconds }: Usual, { counts, opaque }: Seen): Finding | undefined {
  const now = counts.inFlight
  // A count that varies as calls by chance do has a deviation of its root.
  const most = inFlight * FULLER + 3 * Math.sqrt(inFlight) + FULLER_MIN
  if (opaque || seconds < 20 || now <= most) return undefined
  const why = `${now} in flight, usually ${number(inFlight)}`
  return { kind: 'crowd', word: 'stressed', why }
}

export function failing(usual: Usual): Finding | undefined {
  const { recentEnded, recentFailed, failing: usually } = usual
  // About ten seconds of calls.
  const [ended, failed] = [recentEnded * 10, recentFailed * 10]
  if (failed < FAILED_MIN) return undefined
  if (atLeast(failed, ended) <= Math.max(FAILING, usually * 3)) return undefined
  const share = `${number((100 * failed) / ended)} %`
  const why = `${share} of calls fail, usually ${number(100 * usually)} %`
  return { kind: 'failing', word: 'stressed', why }
}

/** The smallest part that so many of so many speak for (Wilson's bound, three deviations). */
function atLeast(failed: number, ended: number): number {
  if (ended <= 0) return 0
  const z2 = 9
  const part = Math.min(1, failed / ended)
  const spread = Math.sqrt((part * (1 - part)) / ended + z2 / (4 * ended * ended))
  return Math.max(0, (part + z2 / (2 * ended) - 3 * spread) / (1 + z2 / ended))
}
