/**
 * A circuit on each edge that opens when the target fails, so that it can recover and its callers
 * are answered at once. By hand it is open or closed as `state` says; `auto` is this machine:
 *
 *            too many failed, slow or in a row            openForMs, doubled each time
 *   closed -------------------------------------> open ---------------------------> half-open
 *     ^                                             ^       a probe failed, or none      |
 *     |                                             +------- came back in time ----------+
 *     +---------------------------- all probes succeeded --------------------------------+
 *
 * Open means calls are refused. A call is marked with the turn it was admitted in, so that a late
 * answer, from before a circuit opened, changes nothing. A probe that a later policy refuses gives
 * its place back and teaches nothing (Sentinel#1638). Only what went wrong opens a circuit: it is
 * looked at after a failed or a slow call. Thresholds are Hystrix's and Linkerd's.
 */
import { Circuit } from './circuit.ts'
import { type Call, PASS, type Pattern, pass, refuse } from './pattern.ts'
import { choice, count, milliseconds, ratio, type SettingsOf } from './settings.ts'

const fields = {
  state: choice({
    flag: 'state',
    help: 'auto, or open or closed by hand',
    choices: ['auto', 'open', 'closed'],
    fallback: 'auto',
  }),
  errorRatio: ratio({
    flag: 'errors',
    help: 'share of failed calls that opens it',
    min: 0.01,
    max: 1,
    fallback: 0.5,
  }),
  slowMs: milliseconds({ flag: 'slow', help: 'a call is slow from here on', min: 1, max: 600_000 }),
  slowRatio: ratio({
    flag: 'slow-ratio',
    help: 'share of slow calls that opens it',
    min: 0.01,
    max: 1,
    fallback: 0.5,
  }),
  consecutive: count({
    flag: 'consecutive',
    help: 'failures in a row that open it',
    min: 1,
    max: 100_000,
    fallback: 7,
  }),
  minRequests: count({
    flag: 'min',
    help: 'calls in the window before a share counts',
    min: 1,
    max: 100_000,
    fallback: 20,
  }),
  windowMs: milliseconds({
    flag: 'over',
    help: 'how far back shares look',
    min: 1000,
    max: 600_000,
    fallback: 10_000,
  }),
  openForMs: milliseconds({
    flag: 'open',
    help: 'how long it stays open at first',
    min: 100,
    max: 600_000,
    fallback: 5000,
  }),
  openForMaxMs: milliseconds({
    flag: 'open-max',
    help: 'how long at most, after doublings',
    min: 100,
    max: 600_000,
    fallback: 60_000,
  }),
  probes: count({
    flag: 'probes',
    help: 'successes in half-open that close it',
    min: 1,
    max: 100,
    fallback: 3,
  }),
  jitterRatio: ratio({
    flag: 'jitter',
    help: 'how much longer than that it may stay open, by chance',
    min: 0,
    max: 1,
    fallback: 0.2,
  }),
}

type Settings = SettingsOf<typeof fields>

export const breaker: Pattern<typeof fields, Circuit> = {
  kind: 'breaker',
  help: 'refuses calls to a target that fails, and tries it now and then',
  fields,
  per: 'edge',
  existing: 'keep',
  severs: ({ state }) => state === 'open',

  cells: (row) => new Circuit(row),

  admit(circuit, settings, call, nowMs) {
    if (settings.state === 'closed') return PASS
    if (settings.state === 'open') return refuse('breaker', 'open by hand', settings.openForMs)
    let phase = circuit.load()
    if (circuit.stateOf(phase) === 'open') {
      const leftMs = circuit.leftMs(nowMs)
      if (leftMs > 0) return refuse('breaker', 'circuit open', leftMs)
      circuit.halfOpen(phase, settings.openForMs, nowMs)
      phase = circuit.load()
    }
    if (circuit.stateOf(phase) === 'closed') return pass(circuit.markOf(phase))
    return probe(circuit, phase, settings, call, nowMs)
  },

  settle(circuit, settings, { result, tookMs, mark }, nowMs) {
    const phase = circuit.load()
    if (mark !== circuit.markOf(phase)) return // late, from before this turn; or passed by hand
    if (circuit.stateOf(phase) === 'half-open') {
      const won = circuit.probeCame(phase, result === 'success')
      if (result === 'failure') circuit.open(phase, settings, nowMs)
      else if (won >= settings.probes) circuit.close(phase)
      return
    }
    if (result === 'ignored') return
    const failed = result === 'failure'
    const slow = settings.slowMs !== undefined && tookMs >= settings.slowMs
    circuit.ring.add(failed, slow, nowMs, settings.windowMs)
    if (!failed) circuit.succeeded(phase)
    const inARow = failed ? circuit.failed(phase) : 0
    if (inARow >= settings.consecutive || ((failed || slow) && isBad(circuit, settings, nowMs))) {
      circuit.open(phase, settings, nowMs)
    }
  },

  tend(states, { windowMs }, _sight, nowMs) {
    for (const { ring } of states) ring.expire(nowMs, windowMs)
  },
}

/** Half-open: a few calls go, those that may be sent twice first. */
function probe(circuit: Circuit, phase: number, settings: Settings, call: Call, nowMs: number) {
  const leftMs = circuit.leftMs(nowMs)
  // Where only POSTs come, nothing else can show that the target is well again.
  const fit = call.idempotent || call.form === 'connection' || leftMs <= 0
  const waitMs = settings.openForMs
  if (fit && circuit.sendProbe(phase, settings.probes, waitMs, nowMs)) {
    return pass(circuit.markOf(phase))
  }
  // All probes are out for longer than one may take: hung, or gone with their worker.
  if (fit && leftMs <= 0) circuit.open(phase, settings, nowMs)
  return refuse('breaker', 'circuit half-open', Math.max(leftMs, waitMs / 10))
}

function isBad({ ring }: Circuit, settings: Settings, nowMs: number): boolean {
  const { windowMs, minRequests, errorRatio, slowRatio } = settings
  const calls = ring.calls(nowMs, windowMs)
  if (calls < minRequests) return false
  if (ring.failed(nowMs, windowMs) >= errorRatio * calls) return true
  return settings.slowMs !== undefined && ring.slow(nowMs, windowMs) >= slowRatio * calls
}
