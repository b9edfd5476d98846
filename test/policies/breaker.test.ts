/** The circuit of a breaker, begun in any state: what opens it, what closes it, who probes. */
import t from 'tap'
import { breaker } from '../../policies/breaker.ts'
import type { Call, Decision, Result } from '../../policies/pattern.ts'
import { callOn, stateOf } from './world.ts'

type Given = { readonly [name: string]: unknown }
const steady = { jitterRatio: 0, consecutive: 100_000 }

/** A breaker with a clock: calls go through it one after the other, or stay out. */
function circuitOf(given: Given, startMs = 10_000) {
  const { state, settings } = stateOf(breaker, { ...steady, ...given })
  const world = {
    nowMs: startMs,
    state,
    settings,
    get name() {
      return state.stateOf(state.load())
    },
    admit: (more: Partial<Call> = {}): Decision =>
      breaker.admit(state, settings, callOn(undefined, more), world.nowMs),
    /** Returns the mark of a call that passed. */
    begin(more: Partial<Call> = {}): number {
      const decision = world.admit(more)
      return decision.verdict === 'pass' ? decision.mark : -1
    },
    end(mark: number, result: Result, tookMs = 1): void {
      const admittedMs = world.nowMs - tookMs
      breaker.settle(state, settings, { result, admittedMs, tookMs, mark }, world.nowMs)
    },
    call(result: Result, tookMs = 1): string {
      const mark = world.begin()
      if (mark === -1) return 'refused'
      world.end(mark, result, tookMs)
      return result
    },
    calls(letters: string): void {
      for (const letter of letters) world.call(letter === 'S' ? 'success' : 'failure')
    },
  }
  return world
}

t.test('breaker: opens at the share of failures, not before there are enough calls', async (t) => {
  for (const [given, letters, name] of [
    // cockatiel, CountBreaker: below the least number of calls nothing opens it.
    [{ minRequests: 50, errorRatio: 0.51 }, 'F'.repeat(49), 'closed'],
    [{ minRequests: 50, errorRatio: 0.51 }, 'S'.repeat(25) + 'F'.repeat(25), 'closed'],
    [{ minRequests: 50, errorRatio: 0.51 }, 'S'.repeat(24) + 'F'.repeat(26), 'open'],
    // resilience4j: S,S,S,E,E is 40 %; one more E makes it 50 % of 6.
    [{ minRequests: 5, errorRatio: 0.5 }, 'SSSFF', 'closed'],
    [{ minRequests: 5, errorRatio: 0.5 }, 'SSSFFF', 'open'],
    // It opens on what went wrong: the fifth call of E,E,E,S,S is a success, the next E opens it.
    [{ minRequests: 5, errorRatio: 0.5 }, 'FFFSS', 'closed'],
    [{ minRequests: 5, errorRatio: 0.5 }, 'FFFSSF', 'open'],
    // opossum: with a volume threshold of 3 the first two failures do not open it.
    [{ minRequests: 3, errorRatio: 0.5 }, 'FF', 'closed'],
    [{ minRequests: 3, errorRatio: 0.5 }, 'FFF', 'open'],
    [{ minRequests: 1, errorRatio: 1 }, 'SFFF', 'closed'],
    [{ minRequests: 1, errorRatio: 1 }, 'F', 'open'],
  ] as const) {
    const circuit = circuitOf(given)
    circuit.calls(letters)
    t.equal(circuit.name, name, `${JSON.stringify(given)} ${letters}`)
  }
})

t.test('breaker: opens after failures in a row, which a success breaks', async (t) => {
  const circuit = circuitOf({ consecutive: 3, minRequests: 1000 })
  circuit.calls('FFSFF')
  t.equal(circuit.name, 'closed')
  circuit.calls('F')
  t.equal(circuit.name, 'open')
})

t.test('breaker: opens at the share of slow calls, failed or not', async (t) => {
  // resilience4j: 5 s E, 5 s S, 0.1 s E, 0.1 s S, 5 s S are 60 % slow.
  const slow = { minRequests: 5, slowMs: 4000, slowRatio: 0.5, errorRatio: 1 }
  const circuit = circuitOf(slow)
  circuit.call('failure', 5000)
  circuit.call('success', 5000)
  circuit.call('failure', 100)
  circuit.call('success', 100)
  t.equal(circuit.name, 'closed')
  circuit.call('success', 5000)
  t.equal(circuit.name, 'open')

  const unaware = circuitOf({ minRequests: 1 })
  for (let i = 0; i < 9; i += 1) unaware.call('success', 60_000)
  t.equal(unaware.name, 'closed', 'without slowMs nothing is slow')
})

t.test('breaker: what happened before the window does not count', async (t) => {
  const circuit = circuitOf({ minRequests: 4, windowMs: 10_000 })
  circuit.calls('FFF')
  circuit.nowMs += 10_000
  circuit.calls('F')
  t.equal(circuit.name, 'closed')
  circuit.nowMs += 8000
  circuit.calls('FFF')
  t.equal(circuit.name, 'open', 'the one of 8 s ago still does')
})

t.test('breaker: a bucket of long ago is not taken for one of today', async (t) => {
  // Stamps have 12 bits and there are 10 buckets: after 20,480 tenths of a window both come round.
  const later = (tend: boolean): string => {
    const circuit = circuitOf({ minRequests: 4, windowMs: 1000 })
    circuit.calls('FFF')
    circuit.nowMs += 1_024_000
    if (tend) breaker.tend?.([circuit.state], circuit.settings, { medianMs: 0 }, circuit.nowMs)
    circuit.nowMs += 1_024_000
    circuit.calls('F')
    return circuit.name
  }
  t.equal(later(false), 'open', 'it would be, so main forgets such buckets each second')
  t.equal(later(true), 'closed')
})

t.test('breaker: refuses while open and says for how long', async (t) => {
  const circuit = circuitOf({ consecutive: 1, openForMs: 5000 })
  circuit.calls('F')
  circuit.nowMs += 1500
  t.match(circuit.admit(), { verdict: 'refuse', cause: 'breaker', retryAfterMs: 3500 })
})

t.test('breaker: half-open lets as many through as it needs to see succeed', async (t) => {
  const circuit = circuitOf({ consecutive: 1, openForMs: 5000, probes: 4 })
  circuit.calls('F')
  circuit.nowMs += 5000
  const marks = [1, 2, 3, 4].map(() => circuit.begin())
  t.notOk(marks.includes(-1), 'resilience4j: the first 4 may')
  t.equal(circuit.admit().verdict, 'refuse')
  t.equal(circuit.admit().verdict, 'refuse', 'the 5th and 6th may not')
  circuit.end(marks.pop()!, 'ignored')
  marks.push(circuit.begin())
  t.notOk(marks.includes(-1), 'one given back may leave again')
  circuit.end(marks.pop()!, 'success')
  t.equal(circuit.admit().verdict, 'refuse', 'three out and one won are four')
  for (const mark of marks) {
    t.equal(circuit.name, 'half-open')
    circuit.end(mark, 'success')
  }
  t.equal(circuit.name, 'closed')
})

t.test('breaker: one failed probe opens it again, for twice as long each time', async (t) => {
  const given = { consecutive: 1, openForMs: 1000, openForMaxMs: 3000, probes: 1 }
  const circuit = circuitOf(given)
  circuit.calls('F')
  for (const openMs of [1000, 2000, 3000, 3000]) {
    circuit.nowMs += openMs - 1
    t.equal(circuit.admit().verdict, 'refuse', `${openMs} ms are not over`)
    circuit.nowMs += 1
    t.equal(circuit.call('failure'), 'failure', `after ${openMs} ms it is tried`)
    t.equal(circuit.name, 'open')
  }
  circuit.nowMs += 3000
  circuit.call('success')
  t.equal(circuit.name, 'closed')
  circuit.calls('F')
  circuit.nowMs += 1000
  t.equal(circuit.call('success'), 'success', 'closing it made the first time short again')
})

t.test('breaker: jitter prolongs, by chance that is in the arguments', async (t) => {
  const waits = new Set<number>()
  for (let ms = 0; ms < 50; ms += 1) {
    const circuit = circuitOf({ consecutive: 1, jitterRatio: 0.2, openForMs: 1000 }, 5000 + ms)
    circuit.calls('F')
    const decision = circuit.admit()
    const retryMs = decision.verdict === 'refuse' ? decision.retryAfterMs : NaN
    t.ok(retryMs >= 1000 && retryMs <= 1200, `${retryMs}`)
    waits.add(Math.round(retryMs))
  }
  t.ok(waits.size > 20, `${waits.size} different waits`)
})

t.test('breaker: a late answer, from before it opened, changes nothing', async (t) => {
  const circuit = circuitOf({ consecutive: 2, openForMs: 1000, probes: 1 })
  const [early, late, never] = [circuit.begin(), circuit.begin(), circuit.begin()]
  circuit.calls('FF')
  t.equal(circuit.name, 'open')
  circuit.end(early!, 'success')
  t.equal(circuit.name, 'open')
  circuit.nowMs += 1000
  const probe = circuit.begin()
  circuit.end(late!, 'success')
  t.equal(circuit.name, 'half-open', 'it is not the probe`s answer')
  t.equal(circuit.admit().verdict, 'refuse', 'nor does it give the probe`s place away')
  circuit.end(probe, 'success')
  t.equal(circuit.name, 'closed')
  circuit.end(never!, 'failure')
  circuit.calls('F')
  t.equal(circuit.name, 'closed', 'the late one was not the first of two in a row')
})

t.test('breaker: a probe that another policy refuses gives its place back', async (t) => {
  // Sentinel#1638: half-open for ever, since the probe's result never came.
  const circuit = circuitOf({ consecutive: 1, openForMs: 1000, probes: 1 })
  circuit.calls('F')
  circuit.nowMs += 1000
  for (let i = 0; i < 5; i += 1) {
    const probe = circuit.begin()
    t.not(probe, -1)
    circuit.end(probe, 'ignored')
    t.equal(circuit.name, 'half-open')
  }
})

t.test('breaker: a probe that never comes back counts as failed', async (t) => {
  const circuit = circuitOf({ consecutive: 1, openForMs: 1000, probes: 1 })
  circuit.calls('F')
  circuit.nowMs += 1000
  const hung = circuit.begin()
  circuit.nowMs += 999
  t.equal(circuit.admit().verdict, 'refuse')
  t.equal(circuit.name, 'half-open')
  circuit.nowMs += 1
  t.equal(circuit.admit().verdict, 'refuse')
  t.equal(circuit.name, 'open')
  circuit.nowMs += 2000
  t.equal(circuit.call('success'), 'success', 'the next turn has its own places')
  t.equal(circuit.name, 'closed')
  circuit.end(hung, 'failure')
  t.equal(circuit.name, 'closed')
})

t.test('breaker: what may not be sent twice is no probe, unless nothing else comes', async (t) => {
  const circuit = circuitOf({ consecutive: 1, openForMs: 1000, probes: 1 })
  circuit.calls('F')
  circuit.nowMs += 1000
  t.equal(circuit.admit({ idempotent: false }).verdict, 'refuse')
  t.equal(circuit.name, 'half-open')
  circuit.nowMs += 1000
  const mark = circuit.begin({ idempotent: false })
  t.not(mark, -1, 'an edge of POSTs only must heal too')
  t.equal(circuit.admit({ idempotent: false }).verdict, 'refuse', 'one at a time')
  t.equal(circuit.name, 'half-open')
  circuit.end(mark, 'success')
  t.equal(circuit.name, 'closed')
})

t.test('breaker: an opaque connection may be a probe', async (t) => {
  const circuit = circuitOf({ consecutive: 1, openForMs: 1000, probes: 1 })
  circuit.calls('F')
  circuit.nowMs += 1000
  t.not(circuit.begin({ form: 'connection', idempotent: false }), -1)
})

t.test('breaker: what an aborted call would have shown is not known', async (t) => {
  const share = circuitOf({ minRequests: 2, errorRatio: 0.5 })
  for (let i = 0; i < 9; i += 1) share.call('ignored')
  share.calls('F')
  t.equal(share.name, 'closed', 'nine ignored and a failure are one call')
  share.calls('F')
  t.equal(share.name, 'open', 'and with another two of two failed')
  const row = circuitOf({ minRequests: 1000, consecutive: 2 })
  row.calls('F')
  row.call('ignored')
  row.calls('F')
  t.equal(row.name, 'open', 'it does not break a row either')
})

t.test('breaker: what failed before it opened is forgotten when it closes', async (t) => {
  const circuit = circuitOf({ minRequests: 4, openForMs: 1000, windowMs: 60_000, probes: 1 })
  circuit.calls('FFFF')
  circuit.nowMs += 1000
  circuit.calls('S')
  t.equal(circuit.name, 'closed')
  circuit.calls('FFF')
  t.equal(circuit.name, 'closed')
  circuit.calls('F')
  t.equal(circuit.name, 'open')
})

t.test('breaker: by hand it is open or closed, and learns nothing meanwhile', async (t) => {
  const circuit = circuitOf({ consecutive: 1 })
  const { state, settings } = circuit
  const open = { ...settings, state: 'open' as const }
  const closed = { ...settings, state: 'closed' as const }
  t.match(breaker.admit(state, open, callOn(), 0), { verdict: 'refuse', reason: 'open by hand' })
  t.equal(breaker.severs?.(open), true)
  t.equal(breaker.severs?.(settings), false)
  const decision = breaker.admit(state, closed, callOn(), 0)
  const mark = decision.verdict === 'pass' ? decision.mark : -1
  breaker.settle(state, closed, { result: 'failure', admittedMs: 0, tookMs: 1, mark }, 1)
  t.equal(circuit.name, 'closed')
})
