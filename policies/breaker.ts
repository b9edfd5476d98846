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
 * Open means calls are refused. Each change is one compare-and-swap of a cell that holds the state
 * and its turn; a call carries the turn it was admitted in, so that a late answer, from before a
 * circuit opened, changes nothing. A probe that another policy refuses gives its place back and
 * teaches nothing (Sentinel#1638). Thresholds are Hystrix's and Linkerd's, states everyone's.
 */
import { type Call, PASS, type Pattern, pass, refuse } from './pattern.ts'
import { type ClockCell, type Count, clockOf } from './row.ts'
import { choice, count, milliseconds, ratio, type SettingsOf } from './settings.ts'
import { Ring, Stamped } from './stamped.ts'

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

interface Circuit {
  readonly phase: Count // turn * 4 + state
  /** Open: when to try. Half-open: until when the probe that left last is waited for. */
  readonly until: ClockCell
  readonly openings: Count // since it was last closed
  readonly inARow: Stamped
  readonly out: Stamped // probes that have left and not come back
  readonly won: Stamped // probes that succeeded
  readonly window: Ring
}

const CLOSED = 0
const OPEN = 1
const HALF_OPEN = 2

const stateIn = (phase: number): number => phase & 3
const turnOf = (phase: number): number => phase >>> 2
const next = (phase: number, state: number): number => ((turnOf(phase) + 1) << 2) | state
const markOf = (phase: number): number => (phase + 1) | 0

export const breaker: Pattern<typeof fields, Circuit> = {
  kind: 'breaker',
  help: 'refuses calls to a target that fails, and tries it now and then',
  fields,
  per: 'edge',
  existing: 'keep',
  severs: ({ state }) => state === 'open',

  cells: (row) => ({
    phase: row.count('phase'),
    until: row.clock('until'),
    openings: row.count('openings'),
    inARow: new Stamped(row.count('inARow')),
    out: new Stamped(row.count('out')),
    won: new Stamped(row.count('won')),
    window: new Ring(row),
  }),

  admit(circuit, settings, call, nowMs) {
    if (settings.state === 'closed') return PASS
    if (settings.state === 'open') return refuse('breaker', 'open by hand', settings.openForMs)
    const nowUs = clockOf(nowMs)
    let phase = circuit.phase.load()
    if (stateIn(phase) === OPEN) {
      const leftUs = (circuit.until.load() - nowUs) | 0
      if (leftUs > 0) return refuse('breaker', 'circuit open', leftUs / 1000)
      circuit.until.store((nowUs + settings.openForMs * 1000) | 0)
      circuit.phase.cas(phase, next(phase, HALF_OPEN))
      phase = circuit.phase.load()
    }
    if (stateIn(phase) === CLOSED) return pass(markOf(phase))
    return probe(circuit, phase, settings, call, nowMs)
  },

  settle(circuit, settings, { result, tookMs, mark }, nowMs) {
    const phase = circuit.phase.load()
    if (mark !== markOf(phase)) return // late, from before this turn; or it passed by hand
    const turn = turnOf(phase)
    if (stateIn(phase) === HALF_OPEN) {
      // Won first, then no longer out: at no moment may one probe too many leave.
      const won = result === 'success' ? circuit.won.add(turn) : 0
      circuit.out.take(turn)
      if (won >= settings.probes) close(circuit, phase)
      if (result === 'failure') open(circuit, phase, settings, nowMs)
      return
    }
    if (result === 'ignored') return
    const failed = result === 'failure'
    const slow = settings.slowMs !== undefined && tookMs >= settings.slowMs
    circuit.window.add(failed, slow, nowMs, settings.windowMs)
    if (!failed) circuit.inARow.clear(turn)
    const inARow = failed ? circuit.inARow.add(turn) : 0
    if (inARow >= settings.consecutive || ((failed || slow) && isBad(circuit, settings, nowMs))) {
      open(circuit, phase, settings, nowMs)
    }
  },

  tend(states, { windowMs }, _sight, nowMs) {
    for (const { window } of states) window.expire(nowMs, windowMs)
  },
}

/** Half-open: a few calls go, those that may be sent twice first. */
function probe(circuit: Circuit, phase: number, settings: Settings, call: Call, nowMs: number) {
  const nowUs = clockOf(nowMs)
  const leftUs = (circuit.until.load() - nowUs) | 0
  const retryMs = Math.max(leftUs / 1000, settings.openForMs / 10)
  const turn = turnOf(phase)
  // Where only POSTs come, nothing else can show that the target is well again.
  const fit = call.idempotent || call.form === 'connection' || leftUs <= 0
  if (!fit) return refuse('breaker', 'circuit half-open', retryMs)
  if (circuit.out.tryAdd(turn, settings.probes - circuit.won.load(turn))) {
    circuit.until.store((nowUs + settings.openForMs * 1000) | 0)
    return pass(markOf(phase))
  }
  // All probes are out for longer than it may take: hung, or gone with their worker.
  if (leftUs <= 0) open(circuit, phase, settings, nowMs)
  return refuse('breaker', 'circuit half-open', retryMs)
}

function isBad({ window }: Circuit, settings: Settings, nowMs: number): boolean {
  const { windowMs, minRequests, errorRatio, slowRatio } = settings
  const calls = window.calls(nowMs, windowMs)
  if (calls < minRequests) return false
  if (window.failed(nowMs, windowMs) >= errorRatio * calls) return true
  return settings.slowMs !== undefined && window.slow(nowMs, windowMs) >= slowRatio * calls
}

function open(circuit: Circuit, phase: number, settings: Settings, nowMs: number): void {
  const { openForMs, openForMaxMs, jitterRatio } = settings
  const nowUs = clockOf(nowMs)
  const doubled = openForMs * 2 ** Math.min(circuit.openings.load(), 20)
  // Chance must come from the arguments: the microsecond will do, since nodes differ in it.
  const chance = (Math.imul(nowUs, 0x9e37_79b1) >>> 0) / 2 ** 32
  const openMs = Math.min(doubled, Math.max(openForMs, openForMaxMs)) * (1 + jitterRatio * chance)
  circuit.until.store((nowUs + openMs * 1000) | 0) // before anyone sees that it is open
  if (circuit.phase.cas(phase, next(phase, OPEN))) circuit.openings.add(1)
}

function close(circuit: Circuit, phase: number): void {
  circuit.window.clear() // nothing is counted in half-open: what failed before is forgotten
  if (circuit.phase.cas(phase, next(phase, CLOSED))) circuit.openings.store(0)
}
