/**
 * The green router: everything in, nothing out, and its health check is green. Calls go in and
 * next to none comes out again while it holds more than it ever did; or those inside simply stay;
 * or, on raw TCP, bytes go in and none come back from a target that used to answer.
 */
import { type Finding, milliseconds, number } from './finding.ts'
import { isSwallowing, type Seen, SPAN_S, type Usual } from './usual.ts'

/** So many calls should have ended before their absence says anything: chance 1 in 20,000. */
const AWAITED_MIN = 10
const STARTED_MIN = 8
/** What it holds, times what it usually does. */
const HELD = 3
const HELD_MIN = 5
/** Of a target whose pace nobody knows yet: as long as most calls that are made to last. */
const UNKNOWN_S = 30
const STANDING_S_MIN = 10
/** Longer than any usual call of it. */
const TIMES_LATENCY = 3
const UNANSWERED_S = 10
const UNANSWERED_BYTES = 1_024

export function blackHole(usual: Usual, seen: Seen): Finding | undefined {
  const why = seen.opaque
    ? unanswered(usual, seen)
    : (swallowing(usual, seen) ?? standing(usual, seen))
  return why === undefined ? undefined : { kind: 'black-hole', word: 'stuck', why }
}

/** How long calls may take before they are missed, in seconds. */
function patienceS(usual: Usual): number {
  const slowMs = usual.slow.usual
  return Number.isNaN(slowMs) ? UNKNOWN_S : (slowMs / 1_000) * TIMES_LATENCY
}

function swallowing(usual: Usual, { counts }: Seen): string | undefined {
  const { started, inFlight } = counts
  const out = counts.succeeded + counts.failed
  if (started < STARTED_MIN || !isSwallowing(counts)) return undefined
  if (inFlight < HELD_MIN || inFlight < usual.inFlight * HELD) return undefined
  // A target that is only slow lets out what went in a while ago: it is awaited that long.
  if (usual.swallowedS < patienceS(usual) - SPAN_S) return undefined
  const share = out === 0 ? 'none came out' : `${out} came out`
  const held = `${number(inFlight)} in flight, usually ${number(usual.inFlight)}`
  return `${started} calls went in, in ${SPAN_S} s, and ${share}; ${held}`
}

/** Callers that wait for their answer ask nothing new: what is inside stays, and that is all. */
function standing(usual: Usual, { counts }: Seen): string | undefined {
  const { unendedS, ended } = usual
  if (counts.inFlight === 0 || unendedS * ended < AWAITED_MIN) return undefined
  if (unendedS < Math.max(STANDING_S_MIN, patienceS(usual))) return undefined
  const usually = `usually ${number(ended)} end each second`
  return `${counts.inFlight} calls in flight and none has ended for ${unendedS} s; ${usually}`
}

function unanswered(usual: Usual, { counts }: Seen): string | undefined {
  const { unansweredS, unansweredBytes, bytesIn, bytesOut } = usual
  // A target that never answered much is a listener; its silence is its custom.
  if (counts.connectionsOpen === 0 || bytesOut < 1 || usual.answeredS < UNANSWERED_S) {
    return undefined
  }
  const enough = Math.max(UNANSWERED_BYTES, bytesIn * (UNANSWERED_S / 2))
  if (unansweredS < UNANSWERED_S || unansweredBytes < enough) return undefined
  const back = `usually ${number(bytesOut)} B/s came back`
  const open = `${counts.connectionsOpen} connections open`
  return `${open}, bytes in and none out for ${milliseconds(unansweredS * 1_000)}; ${back}`
}
