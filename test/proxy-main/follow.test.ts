/** The node's side of the control stream, told of plans in every order. */
import { EventEmitter } from 'node:events'
import { create } from '@bufbuild/protobuf'
import t from 'tap'
import type { Plan } from '../../policies/plan.ts'
import { type Complaint, Follower, isOlder } from '../../proxy/follow.ts'
import { NO_PLAN, nameOf, type PlanName } from '../../proxy/holdings.ts'
import type { FollowStream } from '../../proxy/link.ts'
import { logger } from '../../runtime/log.ts'
import { planToWire } from '../../wire/codec.ts'
import {
  DemandSchema,
  type FromNode,
  RehearsalSchema,
  type ToNode,
  ToNodeSchema,
} from '../../wire/gen/airspace_pb.ts'
import { planText, type Sketch } from './plans.ts'

class Stream extends EventEmitter {
  readonly said: FromNode['message'][] = []
  writableNeedDrain = false

  write({ message }: FromNode): boolean {
    this.said.push(message)
    return true
  }

  hear(message: ToNode['message']): void {
    this.emit('data', create(ToNodeSchema, { message } as never))
  }

  plan(sketch: Sketch, change: object = {}): void {
    this.hear({ case: 'plan', value: { ...planToWire(planText(sketch)), ...change } })
  }

  digest(sketch: Sketch): void {
    const { ledger, revision, edition, digest } = planToWire(planText(sketch))
    this.hear({ case: 'digest', value: { ledger, revision, edition, digest } as never })
  }

  /** What was said since, in short. */
  words(): string[] {
    return this.said.splice(0).map((message) => {
      const value = message.value as { revision?: bigint; edition?: bigint; path?: string }
      const number = value.revision === undefined ? '' : ` ${value.revision}.${value.edition}`
      return `${message.case}${number}${value.path ? ` ${value.path}` : ''}`
    })
  }
}

/** A node whose takings are ended by the test, in its own time. */
function follower({ at = NO_PLAN as PlanName, byHand = false } = {}) {
  let held = at
  const taking: { plan: Plan; end: (complaint?: Complaint) => void }[] = []
  const seen: string[] = []
  const desk = {
    hello: () => ({ revision: BigInt(held.revision), edition: BigInt(held.edition) }),
    held: () => held,
    take: (plan: Plan) =>
      new Promise<Complaint | undefined>((resolve) => {
        const end = (complaint?: Complaint) => {
          if (!complaint) held = nameOf(plan)
          resolve(complaint)
        }
        if (byHand) taking.push({ plan, end })
        else end()
      }),
    directory: (version: string) => void seen.push(version),
    rehearse: async ({ id }: { id: string }) => {
      if (id === 'bad') throw new RangeError('from: is blank')
      return create(RehearsalSchema, { id, calls: 3n })
    },
  }
  const made = new Follower(
    desk,
    () => 0,
    logger('test', () => {}),
  )
  const stream = new Stream()
  made.attach(stream as unknown as FollowStream)
  return { made, stream, taking, seen }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

t.test('which plan is older', async (t) => {
  const at = (ledger: string, revision: number, edition: number): PlanName => {
    return { ledger, revision, edition, digest: '' }
  }
  const held = at('l', 5, 9)
  const table: [PlanName, boolean][] = [
    [at('l', 4, 10), true],
    [at('l', 5, 8), true],
    [at('l', 5, 9), false],
    [at('l', 5, 10), false],
    [at('l', 6, 0), false],
    [at('other', 1, 1), false],
  ]
  for (const [plan, older] of table) t.equal(isOlder(plan, held), older, JSON.stringify(plan))
})

t.test('hello first, then an acknowledgement for each plan taken', async (t) => {
  const { stream } = follower()
  stream.plan({ revision: 1 })
  await settled()
  stream.plan({ revision: 2, holdings: [{}] })
  await settled()
  t.same(stream.words(), ['hello 0.0', 'ack 1.1', 'ack 2.2'])
})

t.test('an older plan changes nothing; the same again is acknowledged again', async (t) => {
  const { stream } = follower()
  stream.plan({ revision: 5, edition: 7 })
  await settled()
  stream.words()
  for (const sketch of [
    { revision: 4, edition: 9 },
    { revision: 5, edition: 6 },
  ]) {
    stream.plan(sketch)
    await settled()
  }
  t.same(stream.words(), [])
  stream.plan({ revision: 5, edition: 7 })
  await settled()
  t.same(stream.words(), ['ack 5.7'])
  stream.plan({ ledger: 'another', revision: 1 })
  await settled()
  t.same(stream.words(), ['ack 1.1'], 'another ledger is the truth now')
})

t.test('what is held already is not taken again', async (t) => {
  const { stream, taking } = follower({ at: nameOf(planText({ revision: 5 })), byHand: true })
  stream.plan({ revision: 5 })
  await settled()
  t.same(stream.words(), ['hello 5.5', 'ack 5.5'])
  t.equal(taking.length, 0)
})

t.test('of plans that come while one is being taken only the newest is', async (t) => {
  const { stream, taking } = follower({ byHand: true })
  for (const revision of [1, 2, 3, 4]) stream.plan({ revision })
  t.same(
    taking.map(({ plan }) => plan.revision),
    [1],
  )
  taking[0]!.end()
  await settled()
  t.same(
    taking.map(({ plan }) => plan.revision),
    [1, 4],
  )
  taking[1]!.end()
  await settled()
  t.same(stream.words(), ['hello 0.0', 'ack 1.1', 'ack 4.4'])
})

t.test('refused whole: from the wire, from the catalog, from what the node knows', async (t) => {
  const { stream, taking } = follower({ byHand: true })
  stream.words()
  const table: [Sketch, object, string][] = [
    [{ holdings: [{ intent: { kind: 'bulkhed' } }] }, {}, 'holdings[0].intent.kind'],
    [{ holdings: [{}, { intent: { from: '' } }] }, {}, 'holdings[1].intent.from'],
    [{ holdings: [{ shares: { maxInFlight: 11 } }] }, {}, 'holdings[0].shares.maxInFlight'],
    [{}, { digest: 'x' }, 'digest'],
    [{}, { ledger: '' }, 'ledger'],
    [{}, { revision: 2n ** 60n }, 'revision'],
    [{}, { $unknown: [{ no: 99, wireType: 0, data: new Uint8Array([1]) }] }, ''],
  ]
  for (const [sketch, change, path] of table) {
    stream.plan(sketch, change)
    await settled()
    const [nack] = stream.said.splice(0)
    t.equal(nack?.case, 'nack', path)
    const value = nack?.value as { path: string; reason: string }
    t.equal(value.path, path)
    t.ok(value.reason.length > 5 && !value.reason.startsWith(path || '-'), value.reason)
  }
  t.equal(taking.length, 0, 'nothing of them came near the workers')
  stream.plan({ revision: 8 })
  taking[0]!.end({ path: 'holdings[2]', reason: 'killed two workers' })
  await settled()
  t.same(stream.words(), ['nack 8.8 holdings[2]'])
})

t.test('a digest that differs brings another hello, but not over what was refused', async (t) => {
  const { stream, made } = follower()
  stream.plan({ revision: 3 })
  await settled()
  stream.words()
  stream.digest({ revision: 3 })
  t.same(stream.words(), [])
  stream.digest({ revision: 4 })
  t.same(stream.words(), ['hello 3.3'])
  stream.plan({ revision: 5, holdings: [{ intent: { to: '' } }] })
  await settled()
  t.equal(stream.words().length, 1)
  stream.digest({ revision: 5, holdings: [{ intent: { to: '' } }] })
  t.same(stream.words(), [], 'it has been said why')
  const again = new Stream()
  made.attach(again as unknown as FollowStream)
  again.digest({ revision: 5, holdings: [{ intent: { to: '' } }] })
  t.same(again.words(), ['hello 3.3', 'hello 3.3'], 'a new stream may know better')
})

t.test('a stream that has gone is not written to', async (t) => {
  const { stream, made, taking } = follower({ byHand: true })
  stream.plan({ revision: 1 })
  stream.words()
  made.detach()
  const next = new Stream()
  made.attach(next as unknown as FollowStream)
  stream.plan({ revision: 2 })
  taking[0]!.end()
  await settled()
  t.same(stream.words(), [])
  t.same(next.words(), ['hello 0.0', 'ack 1.1'])
  t.equal(taking.length, 1, 'nor listened to')
})

t.test('demand is of the moment: it never queues behind a slow stream', async (t) => {
  const { stream, made } = follower()
  stream.words()
  const demand = create(DemandSchema, { revision: 1n, edition: 1n })
  made.demand(demand)
  stream.writableNeedDrain = true
  made.demand(demand)
  t.same(stream.words(), ['demand 1.1'])
})

t.test('what-ifs are answered one by one, with a number or with what is wrong', async (t) => {
  const { stream, seen } = follower()
  stream.words()
  for (const id of ['one', 'bad']) stream.hear({ case: 'rehearse', value: { id } as never })
  for (let i = 0; i < 20; i++) stream.hear({ case: 'rehearse', value: { id: `${i}` } as never })
  for (let i = 0; i < 20; i++) await settled()
  const answers = stream.said.map(({ value }) => value as { id: string; error: string })
  t.equal(answers.length, 22)
  t.match(
    answers.find(({ id }) => id === 'one'),
    { calls: 3n, error: '' },
  )
  t.match(
    answers.find(({ id }) => id === 'bad'),
    { error: 'from: is blank' },
  )
  t.equal(answers.filter(({ error }) => /ask again/.test(error)).length, 14, 'eight may wait')
  stream.hear({ case: 'directory', value: { version: 'v1', yaml: '' } as never })
  t.same(seen, ['v1'])
})
