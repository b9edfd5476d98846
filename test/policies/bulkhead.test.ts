/** The bulkhead as a table: who is let in at which count, whatever was lowered meanwhile. */
import t from 'tap'
import { bulkhead } from '../../policies/bulkhead.ts'
import { explain, type Outcome } from '../../policies/pattern.ts'
import { callOn, stateOf } from './world.ts'

const request = callOn()
const connection = callOn(undefined, { form: 'connection' })
const left = (mark: number): Outcome => ({ result: 'success', admittedMs: 0, tookMs: 1, mark })

t.test('bulkhead: admits below the limit and refuses at it', async (t) => {
  for (const [inFlight, maxInFlight, verdict] of [
    [0, 1, 'pass'],
    [1, 1, 'refuse'],
    [9, 10, 'pass'],
    [10, 10, 'refuse'],
    [12, 10, 'refuse'], // the limit was lowered under 12 calls in flight
  ] as const) {
    const { state, settings } = stateOf(bulkhead, { maxInFlight })
    for (let inside = 0; inside < inFlight; inside += 1) state.requests.tryAdd(100)
    t.equal(bulkhead.admit(state, settings, request, 0).verdict, verdict)
    t.equal(state.requests.load(), verdict === 'pass' ? inFlight + 1 : inFlight)
  }
})

t.test('bulkhead: which limit is meant depends on the form of the call', async (t) => {
  for (const [given, call, passes] of [
    [{ maxInFlight: 2 }, request, 2],
    [{ maxInFlight: 2 }, connection, 2], // one limit alone is the limit of both
    [{ maxConnections: 2 }, connection, 2],
    [{ maxConnections: 2 }, request, 5], // requests have no limit then
    [{ maxInFlight: 1, maxConnections: 3 }, request, 1],
    [{ maxInFlight: 1, maxConnections: 3 }, connection, 3],
  ] as const) {
    const { state, settings } = stateOf(bulkhead, given)
    let passed = 0
    for (let i = 0; i < 5; i += 1) {
      if (bulkhead.admit(state, settings, call, 0).verdict === 'pass') passed += 1
    }
    t.equal(passed, passes, `${JSON.stringify(given)} ${call.form}`)
  }
})

t.test('bulkhead: requests and connections do not take each other`s slots', async (t) => {
  const { state, settings } = stateOf(bulkhead, { maxInFlight: 1, maxConnections: 1 })
  const first = bulkhead.admit(state, settings, request, 0)
  const mark = first.verdict === 'pass' ? first.mark : 0
  t.equal(bulkhead.admit(state, settings, connection, 0).verdict, 'pass')
  t.equal(bulkhead.inFlight?.(state), 2)
  bulkhead.settle(state, settings, left(mark), 1)
  t.equal(state.requests.load(), 0)
  t.equal(state.connections.load(), 1)
})

t.test('bulkhead: a call that took no slot gives none back', async (t) => {
  const { state, settings } = stateOf(bulkhead, { maxConnections: 1 })
  const decision = bulkhead.admit(state, settings, request, 0)
  t.match(decision, { verdict: 'pass', mark: 0 })
  // Meanwhile the intent was changed to limit requests too.
  bulkhead.settle(state, { maxInFlight: 1, maxConnections: 1 }, left(0), 1)
  t.equal(state.requests.load(), 0)
})

t.test('bulkhead: says how many are in flight, and when to come back', async (t) => {
  const { state, settings } = stateOf(bulkhead, { maxInFlight: 1 })
  bulkhead.admit(state, settings, request, 0)
  const first = bulkhead.admit(state, settings, request, 0)
  t.match(first, { cause: 'bulkhead', retryAfterMs: 1000, have: 1, limit: 1 })
  t.equal(first.verdict === 'refuse' && explain(first), '1 of 1 in flight')
  bulkhead.tend?.([state], settings, { medianMs: 12.4 }, 0)
  t.match(bulkhead.admit(state, settings, request, 0), { retryAfterMs: 13 })
})

t.test('bulkhead: a share of nothing refuses everything', async (t) => {
  const { state } = stateOf(bulkhead, { maxInFlight: 5 })
  const settings = { maxInFlight: 0, maxConnections: undefined }
  const decision = bulkhead.admit(state, settings, request, 0)
  t.equal(decision.verdict, 'refuse')
  t.equal(decision.verdict === 'refuse' && explain(decision), 'no share of the limit at this node')
})

t.test('bulkhead: knows whether what is in flight is within a lowered limit', async (t) => {
  const { state, settings } = stateOf(bulkhead, { maxInFlight: 3 })
  for (let i = 0; i < 3; i += 1) bulkhead.admit(state, settings, request, 0)
  t.equal(bulkhead.under?.(state, settings), true)
  t.equal(bulkhead.under?.(state, { ...settings, maxInFlight: 2 }), false)
  bulkhead.settle(state, settings, left(1), 1)
  t.equal(bulkhead.under?.(state, { ...settings, maxInFlight: 2 }), true)
})

t.test('bulkhead: needs a limit', async (t) => {
  const { settings } = stateOf(bulkhead, {})
  t.match(bulkhead.check?.(settings, { from: '*', to: '*' }), /needs maxInFlight or maxConn/)
})
