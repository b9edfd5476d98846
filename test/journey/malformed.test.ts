/**
 * Intents with one thing wrong in each go to a real control plane, plans with one thing wrong to a
 * real proxy, as bytes over gRPC. Each is refused with its path and a reason, and what was in force
 * before is in force after: nothing blank, zero or unknown is ever taken to mean something.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import t from 'tap'
import type { IntentText } from '../../policies/intent.ts'
import { digestOf, type PlanText } from '../../policies/plan.ts'
import { intentFromWire, intentToWire, planFromWire, planToWire } from '../../wire/codec.ts'
import { IntentSchema, PlanSchema } from '../../wire/gen/airspace_pb.ts'
import { FleetServer, TOKEN } from '../proxy-main/fleet-server.ts'
import { askHttp, Fleet } from '../support/fleet.ts'
import {
  type Malformed,
  malformedIntents,
  malformedPlans,
  planAround,
  soundIntents,
} from '../support/malformed.ts'
import { operatorOf } from '../support/operator.ts'
import { startTarget } from '../support/target.ts'

const INTENTS_LEAST = 200
const PLANS_LEAST = 200

t.setTimeout(100_000) // a landscape takes its time to start where others work too

interface Sent<Message> {
  readonly what: string
  readonly path: string
  readonly message: Message
}

/** Those that a sender can put on the wire: for most wrong types protobuf has no place. */
function onWire<Text extends object, Message>(
  all: readonly Malformed<Text>[],
  there: (given: Text) => Message,
  back: (message: Message) => object,
): Sent<Message>[] {
  return all.flatMap(({ what, wrong, path, given }) => {
    try {
      const message = there(given)
      const same = isDeepStrictEqual(plain(back(message)), plain(given))
      // '5' for 5 has been put right on its way; what is absent has become blank.
      return same || wrong === 'absent' ? [{ what, path, message }] : []
    } catch {
      return []
    }
  })
}

/** The control plane gives ids. */
const plain = (text: object) => JSON.parse(JSON.stringify({ ...text, id: undefined }))

/** A field of a newer build: number 99, a varint of 1. */
const NEWER = Buffer.from([0x98, 0x06, 0x01])

const intentBytes = (text: IntentText) => toBinary(IntentSchema, intentToWire({ ...text, id: '' }))
const planBytes = (text: PlanText) => toBinary(PlanSchema, planToWire(text))

const intents = onWire(
  malformedIntents.filter(({ path }) => path !== 'id'),
  (text) => fromBinary(IntentSchema, intentBytes(text)),
  (message) => intentFromWire(message),
)
const plans = onWire(
  // On the wire a number is always there: a lease with nothing left is over, and is no mistake.
  malformedPlans.filter(({ path, wrong }) => wrong !== 'absent' || !path.endsWith('remainingMs')),
  (text) => fromBinary(PlanSchema, planBytes(text)),
  planFromWire,
)

t.test('a control plane refuses what is wrong, and changes nothing', async (t) => {
  const fleet = new Fleet()
  t.teardown(() => fleet.end())
  await fleet.startControlPlane()
  const control = operatorOf(fleet)
  t.teardown(() => control.close())
  const { id: _, ...sound } = soundIntents['bulkhead']!
  const intent = intentToWire({ ...sound, id: '' })
  const { ids, revision } = await control.ask('apply', { intent })

  t.ok(intents.length >= INTENTS_LEAST, `${intents.length} intents`)
  for (const { what, path, message } of intents) {
    const answer = await control.ask('apply', { intent: message }).then(
      () => 'taken',
      (error: Error) => error.message,
    )
    t.ok(answer.startsWith(`${path}: `) && answer.length > path.length + 8, `${what}: ${answer}`)
  }
  const newer = Buffer.concat([intentBytes(soundIntents['bulkhead']!), NEWER])
  const unknown = control.ask('apply', { intent: fromBinary(IntentSchema, newer) })
  await t.rejects(unknown, /field number 99 is not known/, 'so is what only a newer build knows')
  const { patterns } = await control.ask('getPatterns', {})
  t.strictSame(
    patterns.map(({ intent, state }) => [intent?.id, state]),
    [[ids[0], 'in force']],
    'what was in force is in force, and nothing else',
  )
  const entries = await control.ask('getLedger', { limit: 10 })
  t.equal(entries.revision, revision, 'nothing was written')
})

t.test('a proxy refuses a plan whole, and enforces the one before', async (t) => {
  const fleet = new Fleet()
  t.teardown(() => fleet.end())
  const server = await new FleetServer().start()
  t.teardown(() => server.stop())
  fleet.grpc = server.address
  mkdirSync(join(fleet.folder, 'control-plane'))
  writeFileSync(join(fleet.folder, 'control-plane', 'node.token'), `${TOKEN}\n`, { mode: 0o600 })
  const target = await startTarget(fleet.processes)
  const direct = [{ target: target.address, service: 'payments' }]
  const proxy = await fleet.startProxy({ node: 'a', direct })
  server.send(refusing())
  await server.until('ack', ({ revision }) => revision === 1n)
  const call = () => askHttp(proxy.listens[0]!, 'GET', '/call/1')
  t.equal((await call()).code, 403, 'the plan is in force')

  t.ok(plans.length >= PLANS_LEAST, `${plans.length} plans`)
  for (const { what, path, message } of plans) {
    const before = server.all('nack').length
    server.say({ case: 'plan', value: message })
    await server.look(() => server.all('nack').length > before, `${what}: no nack`)
    const nack = server.all('nack').at(-1)!
    t.equal(nack.path, path, `${what}: ${nack.reason}`)
    t.ok(nack.reason.length > 8, 'and says why')
  }
  const newer = Buffer.concat([planBytes({ ...refusing(), revision: 9 }), NEWER])
  server.say({ case: 'plan', value: fromBinary(PlanSchema, newer) })
  const unknown = await server.until('nack', ({ revision }) => revision === 9n)
  t.match(unknown.reason, /field number 99 is not known/, 'so is what only a newer build knows')
  t.equal((await call()).code, 403, 'and it still is')
  t.equal(server.all('ack').length, 1, 'no other was taken')
})

/** A sound plan whose effect shows in one call. */
function refusing(): PlanText {
  const intent = { ...soundIntents['segment']!, from: '*', to: 'payments' }
  const holding = { intent, version: 1, remainingMs: 600_000, shares: {} }
  const first = { ...planAround(holding), revision: 1, edition: 1 }
  return { ...first, digest: digestOf(first) }
}
