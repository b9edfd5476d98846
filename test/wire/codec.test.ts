/** What crosses the wire comes out as it went in, and what cannot be understood is refused. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import t from 'tap'
import type { IntentText } from '../../policies/intent.ts'
import type { PlanText } from '../../policies/plan.ts'
import {
  intentFromWire,
  intentToWire,
  numberOf,
  planFromWire,
  planToWire,
  refuseUnknown,
  WireError,
} from '../../wire/codec.ts'
import {
  ApplyRequestSchema,
  FromNodeSchema,
  IntentSchema,
  PlanSchema,
  SettingSchema,
} from '../../wire/gen/airspace_pb.ts'

const intent: IntentText = {
  id: 'bh-7f3',
  kind: 'bulkhead',
  from: '*',
  to: 'web',
  settings: { maxInFlight: 1, soft: true, level: 'air-gap' },
  percent: 50,
  leaseMs: 60_000,
  per: 'policy',
  reason: 'slow',
}

const plan: PlanText = {
  ledger: 'l-1',
  revision: 17,
  edition: 3,
  holdings: [
    { intent, version: 16, remainingMs: 59_000.5, shares: { maxInFlight: 0 } },
    { intent, version: 17, remainingMs: 1, shares: {}, releasingMs: 0 },
  ],
  digest: 'abc',
}

t.test('an intent and a plan come out as they went in', async (t) => {
  const bytes = toBinary(IntentSchema, intentToWire(intent))
  t.strictSame(intentFromWire(fromBinary(IntentSchema, bytes)), intent)
  const planBytes = toBinary(PlanSchema, planToWire(plan))
  t.strictSame(planFromWire(fromBinary(PlanSchema, planBytes)), plan)
})

t.test('what was not said is absent, and a zero that was said stays', async (t) => {
  const bare = create(IntentSchema, { kind: 'bulkhead', from: '*', to: 'web' })
  t.strictSame(intentFromWire(bare), { kind: 'bulkhead', from: '*', to: 'web', settings: {} })
  const zeroes = create(IntentSchema, { percent: 0, mode: '', leaseMs: 0 })
  t.match(intentFromWire(zeroes), { percent: 0, mode: '', leaseMs: 0, from: '', to: '' })
})

/** Field number 99, which no build has yet, as a newer peer would send it: varint 1. */
const FROM_THE_FUTURE = Uint8Array.of(0x98, 0x06, 0x01)

const UNKNOWN = /not known to this build/

t.test('a field this build does not know is refused at any depth, with its path', async (t) => {
  const future = fromBinary(IntentSchema, FROM_THE_FUTURE)
  t.throws(() => intentFromWire(future, 'intent'), { path: 'intent', message: /99 is not known/ })
  const whole = planToWire(plan)
  whole.holdings[1]!.intent = future
  t.throws(() => planFromWire(whole), { path: 'holdings[1].intent', message: UNKNOWN })
  const setting = planToWire(plan)
  setting.holdings[0]!.intent!.settings['maxInFlight'] = fromBinary(SettingSchema, FROM_THE_FUTURE)
  t.throws(() => planFromWire(setting), {
    path: 'holdings[0].intent.settings.maxInFlight',
    message: UNKNOWN,
  })
  t.throws(
    () => refuseUnknown(ApplyRequestSchema, create(ApplyRequestSchema, { intent: future })),
    WireError,
  )
  const hello = fromBinary(FromNodeSchema, Uint8Array.of(0x0a, 3, ...FROM_THE_FUTURE))
  t.throws(() => refuseUnknown(FromNodeSchema, hello), { path: 'hello', message: UNKNOWN })
  const demand = fromBinary(FromNodeSchema, Uint8Array.of(0x22, 5, 0x1a, 3, ...FROM_THE_FUTURE))
  t.throws(() => refuseUnknown(FromNodeSchema, demand), {
    path: 'demand.intents[0]',
    message: UNKNOWN,
  })
})

t.test('a setting without a value and a holding without an intent are refused', async (t) => {
  const empty = create(IntentSchema, { settings: { maxInFlight: {} } })
  t.throws(() => intentFromWire(empty), { message: 'settings.maxInFlight: has no value' })
  t.throws(() => planFromWire(create(PlanSchema, { holdings: [{}] })), {
    message: 'holdings[0]: has no intent',
  })
})

t.test('a count beyond 2^53 is refused, not rounded', async (t) => {
  t.equal(numberOf(2n ** 53n - 1n, 'x'), Number.MAX_SAFE_INTEGER)
  t.throws(() => numberOf(2n ** 53n, 'revision'), { path: 'revision', message: /2\^53/ })
  t.throws(() => planFromWire(create(PlanSchema, { edition: 2n ** 60n })), {
    path: 'edition',
    message: /2\^53/,
  })
})
