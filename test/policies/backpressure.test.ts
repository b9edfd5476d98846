/** Backpressure as tables and laws: departures, debts, what is refused and what is borrowed. */
import t from 'tap'
import { backpressure } from '../../policies/backpressure.ts'
import { type Call, explain } from '../../policies/pattern.ts'
import { callOn, stateOf } from './world.ts'

const DAY_MS = 86_400_000

const tens = Array.from({ length: 51 }, (_, n) => n * 10)

/** Calls of one source at the given times: each one's delay, or 'refuse'. */
function delays(
  given: { readonly [name: string]: unknown },
  timesMs: readonly number[],
  more: Partial<Call> = { chance: 0 },
): (number | string)[] {
  const { state, settings } = stateOf(backpressure, given)
  return timesMs.map((ms) => {
    const decision = backpressure.admit(state, settings, callOn(undefined, more), DAY_MS + ms)
    return decision.verdict === 'pass' ? decision.delayMs : 'refuse'
  })
}

t.test('backpressure: departs by the rate once the burst is spent', async (t) => {
  for (const [given, timesMs, expected] of [
    [{ ratePerSecond: 100, burst: 1 }, [0, 0, 0, 30], [0, 10, 20, 0]],
    [{ ratePerSecond: 100, burst: 0 }, [0, 0, 0, 30], [0, 10, 20, 0]],
    [{ ratePerSecond: 100, burst: 3 }, [0, 0, 0, 0, 0], [0, 0, 0, 10, 20]],
    [{ ratePerSecond: 100, burst: 3 }, [0, 0, 0, 20, 20, 20], [0, 0, 0, 0, 0, 10]],
    [{ ratePerSecond: 4 }, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 250, 500]], // one second's worth
    [{ ratePerSecond: 0.5, burst: 1, maxWaitMs: 3000 }, [0, 0, 0], [0, 2000, 'refuse']],
  ] as const) {
    t.same(delays(given, timesMs), expected, `${JSON.stringify(given)} at ${timesMs}`)
  }
})

t.test('backpressure: refuses what would wait too long, and that costs nothing', async (t) => {
  for (const [given, timesMs, expected] of [
    [{ maxWaitMs: 15 }, [0, 0, 0, 10], [0, 10, 'refuse', 10]],
    [{ maxWaitMs: 0 }, [0, 0, 10], [0, 'refuse', 0]],
    [{ maxDelayed: 2 }, [0, 0, 0, 0], [0, 10, 20, 'refuse']],
    [{ maxDelayed: 0 }, [0, 0, 10], [0, 'refuse', 0]],
    [{}, Array(60).fill(0), [...tens, ...Array(9).fill('refuse')]],
  ] as const) {
    const all = { ratePerSecond: 100, burst: 1, ...given }
    t.same(delays(all, timesMs), expected, `${JSON.stringify(given)}`)
  }
})

t.test('backpressure: a caller in a hurry is refused at once', async (t) => {
  const given = { ratePerSecond: 100, burst: 1 }
  t.same(delays(given, [0, 0, 0], { chance: 0, patienceMs: 15 }), [0, 10, 'refuse'])
})

t.test('backpressure: a place that is borrowed is not too late either', async (t) => {
  for (const [patienceMs, expected] of [
    [Infinity, 70], // its own turn would be in 80 ms
    [75, 70],
    [65, 'refuse'],
  ] as const) {
    const { state, settings, of } = stateOf(backpressure, { ratePerSecond: 100, burst: 1 })
    const call = (source: typeof state, patience = Infinity) => {
      const asked = callOn(undefined, { chance: 0, patienceMs: patience })
      const decision = backpressure.admit(source, settings, asked, DAY_MS)
      return decision.verdict === 'pass' ? decision.delayMs : 'refuse'
    }
    const alone = [call(state), call(state), call(state), call(state)]
    t.same(alone, [0, 10, 20, 30])
    t.equal(call(of('other')), 0)
    t.same([call(state), call(state)], [40, 60], 'its turn comes half as often now')
    t.equal(call(state, patienceMs), expected)
  }
})

t.test('backpressure: says when to come back, and why', async (t) => {
  const { state, settings } = stateOf(backpressure, { ratePerSecond: 2, burst: 1, maxWaitMs: 0 })
  const call = callOn(undefined, { chance: 0 })
  backpressure.admit(state, settings, call, DAY_MS)
  const decision = backpressure.admit(state, settings, call, DAY_MS + 100)
  t.match(decision, { cause: 'backpressure', retryAfterMs: 400 })
  t.equal(decision.verdict === 'refuse' && explain(decision), 'more calls a second than 2')
  const none = { ...settings, ratePerSecond: 0 }
  t.match(backpressure.admit(state, none, call, DAY_MS), { reason: /no share of the rate/ })
})

t.test('backpressure: smoothing adds up to so much, by chance', async (t) => {
  t.same(delays({ smoothMs: 100 }, [0, 0], { chance: 0.25 }), [25, 25])
  const paced = { ratePerSecond: 100, burst: 1, smoothMs: 100 }
  t.same(delays(paced, [0, 0], { chance: 0.5 }), [50, 60])
  const long = delays({ ...paced, ratePerSecond: 1 }, [0, 0, 0], { chance: 0 })
  t.same(long, [0, 1000, 'refuse'], 'under smoothing a call waits a second')
})

t.test('backpressure: a spacing of no whole microseconds is kept on average', async (t) => {
  for (const others of [0, 10]) {
    const { state, settings, of } = stateOf(backpressure, { ratePerSecond: 30_000, burst: 1 })
    const small = of('small')
    let passed = 0
    for (let us = 0; us < 1_000_000; us += 10) {
      const call = callOn(undefined, { chance: (us * 0.618) % 1, patienceMs: 0.5 })
      // With another source at work most of it is borrowed, so it is the clock of all that paces.
      const source = others > 0 && us % (1_000_000 / others) === 0 ? small : state
      const decision = backpressure.admit(source, settings, call, DAY_MS + us / 1000)
      if (decision.verdict === 'pass') passed += 1
    }
    t.ok(Math.abs(passed - 30_000) < 150, `${passed} of 30000, ${others} by another`)
  }
})

t.test('backpressure: a clock that stood still for long delays nobody', async (t) => {
  // Beyond 35 minutes main must have moved it along: see the tests of cells.
  for (const minutes of [0.1, 1, 10, 34]) {
    for (const who of ['web', 'other']) {
      const { state, settings, of } = stateOf(backpressure, { ratePerSecond: 100, burst: 1 })
      backpressure.admit(state, settings, callOn(), DAY_MS)
      const laterMs = DAY_MS + minutes * 60_000
      const decision = backpressure.admit(of(who), settings, callOn(), laterMs)
      t.match(decision, { verdict: 'pass', delayMs: 0 }, `${who} after ${minutes} m`)
    }
  }
})

t.test('backpressure: bytes are paced beyond what fills 50 ms, each way by itself', async (t) => {
  const { state, settings } = stateOf(backpressure, { bytesPerSecond: 100_000 })
  const pace = (bytes: number, ms: number, way: 'in' | 'out' = 'in') =>
    backpressure.pace!(state, settings, bytes, DAY_MS + ms, way)
  t.equal(pace(5000, 0), 0)
  t.equal(pace(5000, 0), 50)
  t.equal(pace(0, 0), 50, 'asking costs nothing')
  t.equal(pace(0, 30), 20)
  t.equal(pace(5000, 0, 'out'), 0)
  t.equal(pace(100_000, 100), 950)
  t.equal(pace(100_000, 100), 1000, 'a pause is bounded')
  t.equal(pace(0, 1100), 950, 'the debt is not')
})

t.test('backpressure: a huge debt of bytes stays a debt', async (t) => {
  const { state, settings } = stateOf(backpressure, { bytesPerSecond: 1024 })
  for (let i = 0; i < 100; i += 1) backpressure.pace!(state, settings, 2 ** 26, DAY_MS, 'in')
  t.equal(backpressure.pace!(state, settings, 0, DAY_MS + 500_000, 'in'), 1000)
  t.equal(backpressure.pace!(state, settings, 0, DAY_MS + 600_000, 'in'), 0)
})

t.test('backpressure: without a rate calls pass, and a share of no bytes pauses', async (t) => {
  t.same(delays({ bytesPerSecond: 5000 }, [0, 0]), [0, 0])
  const { state, settings } = stateOf(backpressure, { bytesPerSecond: 5000 })
  t.equal(backpressure.pace!(state, { ...settings, bytesPerSecond: 0 }, 1, 0, 'in'), 1000)
  const unpaced = stateOf(backpressure, { ratePerSecond: 5 })
  t.equal(backpressure.pace!(unpaced.state, unpaced.settings, 1e9, 0, 'in'), 0)
})

t.test('backpressure: needs something to pace by', async (t) => {
  const ends = { from: '*', to: '*' }
  for (const [given, complaint] of [
    [{}, /needs ratePerSecond, bytesPerSecond or smoothMs/],
    [{ bytesPerSecond: 5000, burst: 3 }, /burst needs ratePerSecond/],
    [{ ratePerSecond: 3, burst: 3 }, undefined],
    [{ bytesPerSecond: 5000 }, undefined],
    [{ smoothMs: 10 }, undefined],
  ] as const) {
    const { settings } = stateOf(backpressure, given)
    const said = backpressure.check?.(settings, ends)
    if (complaint) t.match(said, complaint)
    else t.equal(said, undefined)
  }
})
