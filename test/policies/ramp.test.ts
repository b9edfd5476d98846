/** How a released intent lets go, as time goes by. */
import t from 'tap'
import { type IntentText, readIntent } from '../../policies/intent.ts'
import { effectOf } from '../../policies/ramp.ts'
import { intentText } from './world.ts'

const intentOf = (kind: string, more: Partial<IntentText>) =>
  readIntent(intentText({ kind, to: 'web', ...more }))

t.test('ramp: until it is released an intent is itself, with the node`s shares', async (t) => {
  const intent = intentOf('bulkhead', { settings: { maxInFlight: 40, maxConnections: 9 } })
  t.match(effectOf(intent), { settings: { maxInFlight: 40, maxConnections: 9 }, percent: 100 })
  t.match(effectOf(intent, { maxInFlight: 7 }), { settings: { maxInFlight: 7, maxConnections: 9 } })
  t.match(effectOf(intent, { maxInFlight: 0 }), { settings: { maxInFlight: 0 } })
})

t.test('ramp: a limit doubles each five seconds from where it was', async (t) => {
  const intent = intentOf('bulkhead', { settings: { maxInFlight: 10 }, rampMs: 60_000 })
  for (const [releasingMs, limit] of [
    [0, 10],
    [2500, 14],
    [5000, 20],
    [10_000, 40],
    [30_000, 640],
    [59_999, 40_954],
  ] as const) {
    t.match(effectOf(intent, {}, releasingMs), { settings: { maxInFlight: limit }, percent: 100 })
  }
  t.equal(effectOf(intent, {}, 60_000), undefined)
  const large = intentOf('bulkhead', { settings: { maxInFlight: 900_000 } })
  t.match(effectOf(large, {}, 20_000), { settings: { maxInFlight: 1_000_000 } }, 'to its most')
})

t.test('ramp: a share of nothing opens too', async (t) => {
  const intent = intentOf('bulkhead', { settings: { maxInFlight: 10 } })
  t.match(effectOf(intent, { maxInFlight: 0 }, 1000), { settings: { maxInFlight: 1 } })
  t.match(effectOf(intent, { maxInFlight: 0 }, 10_000), { settings: { maxInFlight: 4 } })
})

t.test('ramp: what has no limit is about fewer and fewer calls', async (t) => {
  const intent = intentOf('segment', { from: 'job', percent: 50, rampMs: 10_000 })
  for (const [releasingMs, percent] of [
    [0, 50],
    [5000, 25],
    [9000, 5],
  ] as const) {
    t.equal(Math.round(effectOf(intent, {}, releasingMs)!.percent), percent)
  }
  t.equal(effectOf(intent, {}, 10_000), undefined)
})

t.test('ramp: without a ramp it ends at once', async (t) => {
  t.equal(effectOf(intentOf('bulkhead', { rampMs: 0 }), {}, 0), undefined)
})

t.test('ramp: a burst shrinks with the node`s share of the rate', async (t) => {
  const intent = intentOf('backpressure', { settings: { ratePerSecond: 100, burst: 50 } })
  t.match(effectOf(intent, { ratePerSecond: 20 }), { settings: { ratePerSecond: 20, burst: 10 } })
  t.match(effectOf(intent), { settings: { burst: 50 } })
  const plain = intentOf('backpressure', { settings: { ratePerSecond: 100 } })
  t.equal(effectOf(plain, { ratePerSecond: 20 })!.settings['burst'], undefined)
})
