/**
 * What is wrong is refused with the path and a reason; a blank or a zero never means everything.
 */
import t from 'tap'
import { readIntent } from '../../policies/intent.ts'
import { readPlan } from '../../policies/plan.ts'
import { malformedIntents, malformedPlans, planAround, soundIntents } from '../support/malformed.ts'
import { thrownBy } from './world.ts'

t.test('malformed: what is spoilt was sound before', async (t) => {
  for (const [kind, sound] of Object.entries(soundIntents)) {
    t.equal(readIntent(sound).pattern.kind, kind)
    const holding = { intent: sound, version: 1, remainingMs: 1000, shares: {} }
    t.equal(readPlan(planAround(holding)).holdings.length, 1)
  }
})

t.test('malformed: there are enough, and of every sort', async (t) => {
  const all = [...malformedIntents, ...malformedPlans]
  t.ok(malformedIntents.length >= 200, `${malformedIntents.length} intents`)
  t.ok(malformedPlans.length >= 200, `${malformedPlans.length} plans`)
  for (const wrong of ['blank', 'zero', 'negative', 'unknown', 'too large', 'wrong type']) {
    t.ok(all.filter((one) => one.wrong === wrong).length >= 15, wrong)
  }
})

t.test('malformed: each intent is refused, with path and reason', async (t) => {
  for (const { what, path, given } of malformedIntents) {
    const error = thrownBy(() => readIntent(given))
    t.equal(error.path, path, what)
    t.ok(
      error.message.startsWith(`${path}: `) && error.message.length > path.length + 8,
      error.message,
    )
    t.ok(error.message.length < 400, 'a complaint fits on a screen')
  }
})

t.test('malformed: each plan is refused, with path and reason', async (t) => {
  for (const { what, path, given } of malformedPlans) {
    const error = thrownBy(() => readPlan(given))
    t.equal(error.path, path, what)
    t.ok(error.message.startsWith(`${path}: `), error.message)
  }
})

t.test('malformed: what is no intent at all is refused', async (t) => {
  for (const given of [undefined, null, 5, 'bulkhead', [], () => {}]) {
    t.match(thrownBy(() => readIntent(given)).message, /is not an intent|no '|not one of/)
    t.match(thrownBy(() => readIntent(given, 'intent')).path, 'intent')
    t.match(thrownBy(() => readPlan(given)).message, /^plan: /)
  }
})
