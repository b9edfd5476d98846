/** What is wanted goes out, what nodes say comes back: by hand, with a clock of the test's own. */
import { fromBinary } from '@bufbuild/protobuf'
import t from 'tap'
import { Book } from '../../control-plane/book.ts'
import { Dispatch, type Hello } from '../../control-plane/dispatch.ts'
import { Fleet, NODES_MAX, PROCESSES_MAX } from '../../control-plane/fleet.ts'
import type { Journal } from '../../control-plane/journal-sqlite.ts'
import type { Draft } from '../../control-plane/ledger.ts'
import type { Outlet } from '../../control-plane/plans.ts'
import type { IntentText } from '../../policies/intent.ts'
import { logger } from '../../runtime/log.ts'
import { type Digest, type Plan, ToNodeSchema } from '../../wire/gen/airspace_pb.ts'

class Memory implements Journal {
  damage: string | undefined
  readonly bodies: string[] = []
  readonly metas = new Map<string, string>()
  load = (): string[] => [...this.bodies]
  append = (bodies: readonly string[]): void => void this.bodies.push(...bodies)
  read = (): string[] => []
  meta = (key: string): string | undefined => this.metas.get(key)
  setMeta = (key: string, value: string): void => void this.metas.set(key, value)
  close(): void {}
}

/** A stream that takes what it is given until it is full. */
class Pipe implements Outlet {
  full = false
  readonly plans: Plan[] = []
  readonly digests: Digest[] = []
  readonly sent: Buffer[] = []
  write(bytes: Buffer): boolean {
    this.sent.push(bytes)
    const { message } = fromBinary(ToNodeSchema, bytes)
    if (message.case === 'plan') this.plans.push(message.value)
    if (message.case === 'digest') this.digests.push(message.value)
    return !this.full
  }
}

class Stage {
  mono = 1_000
  readonly journal: Memory
  readonly book: Book
  readonly fleet: Fleet
  readonly dispatch: Dispatch

  constructor(journal = new Memory()) {
    this.journal = journal
    const clock = { nowMs: () => this.mono, wallMs: () => 1_700_000_000_000 + this.mono }
    this.book = new Book(journal, clock, 'boot')
    this.fleet = new Fleet(JSON.parse(this.book.recall('roster') ?? '{}'), this.mono)
    this.dispatch = new Dispatch(
      this.book,
      this.fleet,
      clock,
      logger('test', () => {}),
    )
  }

  hello(node: string, over: Partial<Hello> = {}, pipe = new Pipe()) {
    const process = this.dispatch.hello(
      {
        ...{ node, epoch: 1, version: '0', kinds: [], workers: 1, ledger: '' },
        ...{ revision: 0, edition: 0, held: new Map(), ended: [], ...over },
      },
      pipe,
    )
    return { process, pipe }
  }

  apply(id: string, maxInFlight = 10): number {
    const intent = { id, kind: 'bulkhead', from: '*', to: 'web', settings: { maxInFlight } }
    const draft: Draft = {
      ...{ act: 'apply', id, author: 'anna', text: id, reason: '', rampMs: 0, leaseMs: 60_000 },
      intent: intent as IntentText,
    }
    return this.dispatch.change([draft]).entries[0]!.revision
  }

  seconds(count: number, each: () => void = () => {}): void {
    for (let i = 0; i < count; i += 1) {
      this.mono += 1_000
      each()
      this.dispatch.tick()
    }
  }
}

const ids = (plan: Plan | undefined): string =>
  plan?.holdings.map(({ intent }) => intent?.id).join(' ') ?? 'none'

t.test('where nodes hold the same a plan is encoded once', async (t) => {
  const stage = new Stage()
  const pipes = ['a', 'b', 'c', 'd'].map((node) => stage.hello(node).pipe)
  stage.apply('one', 8)
  const last = pipes.map(({ sent }) => sent.at(-1)!)
  t.ok(
    last.every((bytes) => bytes === last[0]),
    'the same bytes, not equal ones',
  )
  stage.apply('two', 6)
  const plans = pipes.map(({ plans }) => plans.at(-1)!)
  t.strictSame(
    plans.map(({ holdings }) => holdings[1]!.shares['maxInFlight']).sort(),
    [1, 1, 2, 2],
    'where shares differ each has its own',
  )
})

t.test('a slow stream is sent nothing until it drains, and then only the newest', async (t) => {
  const stage = new Stage()
  const { process, pipe } = stage.hello('slow')
  const quick = stage.hello('quick').pipe
  pipe.full = true
  stage.apply('one')
  const before = pipe.plans.length
  stage.apply('two')
  stage.apply('three')
  t.equal(pipe.plans.length, before, 'nothing queues')
  t.equal(ids(quick.plans.at(-1)), 'one two three')
  t.match(process.desired, { revision: 1 }, 'what it was not sent it does not desire')
  pipe.full = false
  stage.dispatch.drained(process)
  t.equal(pipe.plans.length, before + 1)
  t.equal(ids(pipe.plans.at(-1)), 'one two three')
  t.match(process.desired, { revision: 3 })
})

t.test(
  'reported never passes desired, and is what the slowest process of a node said',
  async (t) => {
    const stage = new Stage()
    const { process } = stage.hello('a')
    const revision = stage.apply('one')
    stage.dispatch.ack(process, { revision: 99, edition: 10 ** 12 })
    t.equal(stage.fleet.state('a', stage.mono).reported.revision, 0)
    stage.dispatch.ack(process, process.desired)
    t.match(stage.fleet.progress(revision, stage.mono), { expected: 1, reported: 1, done: true })
    const next = stage.hello('a', { epoch: 2 }).process
    t.match(stage.fleet.progress(revision, stage.mono), { reported: 0, done: false })
    stage.dispatch.ack(next, next.desired)
    t.match(stage.fleet.progress(revision, stage.mono), { reported: 1, done: true })
  },
)

t.test('a node that says nothing for three seconds is silent, and is not waited for', async (t) => {
  const stage = new Stage()
  const { process } = stage.hello('a')
  stage.hello('b')
  const revision = stage.apply('one')
  stage.dispatch.ack(process, process.desired)
  t.match(stage.fleet.progress(revision, stage.mono), { reported: 1, done: false })
  stage.seconds(3, () => stage.dispatch.demand(process, 0, []))
  t.match(stage.fleet.state('b', stage.mono), { silent: false, heardMs: 3_000 })
  stage.seconds(1, () => stage.dispatch.demand(process, 0, []))
  t.match(stage.fleet.state('b', stage.mono), { silent: true })
  t.match(stage.fleet.progress(revision, stage.mono), {
    ...{ expected: 2, reported: 1, done: true },
    lagging: [{ node: 'b' }],
  })
})

t.test('every fifteen seconds each is told what it should have', async (t) => {
  const stage = new Stage()
  const { process, pipe } = stage.hello('a')
  stage.apply('one')
  stage.seconds(14, () => stage.dispatch.demand(process, 0, []))
  t.equal(pipe.digests.length, 0)
  stage.seconds(1)
  t.equal(pipe.digests.length, 1)
  const { ledger, revision, edition, digest } = pipe.plans.at(-1)!
  t.match(pipe.digests[0], { ledger, revision, edition, digest })
})

t.test('leases and ramps end on time, and plans say so', async (t) => {
  const stage = new Stage()
  const { pipe, process } = stage.hello('a')
  stage.apply('one')
  stage.seconds(59, () => stage.dispatch.demand(process, 0, []))
  t.equal(ids(pipe.plans.at(-1)), 'one')
  stage.seconds(1)
  t.equal(ids(pipe.plans.at(-1)), '')
  t.match(pipe.plans.at(-1), { revision: 2n }, 'the end of a lease is an entry')
  stage.apply('two')
  const release: Draft = {
    act: 'release',
    id: 'two',
    author: 'anna',
    text: '',
    reason: '',
    rampMs: 5_000,
  }
  stage.dispatch.change([release], true)
  t.match(pipe.plans.at(-1)?.holdings, [{ releasingMs: 0 }])
  stage.seconds(4)
  t.equal(ids(pipe.plans.at(-1)), 'two')
  stage.seconds(1)
  t.equal(ids(pipe.plans.at(-1)), '', 'the ramp is over')
  t.match(pipe.plans.at(-1), { revision: 4n }, 'and that is no entry')
})

t.test('under and acknowledged count together, in whichever order they come', async (t) => {
  for (const ackFirst of [true, false]) {
    const stage = new Stage()
    const a = stage.hello('a')
    stage.apply('one', 10)
    const mark = a.process.desired
    stage.dispatch.ack(a.process, mark)
    stage.dispatch.demand(a.process, mark.edition, [
      { id: 'one', inFlight: 0, wanted: 0, refused: 0, under: true },
    ])
    const b = stage.hello('b')
    const lower = a.process.desired
    const say = (under: boolean) =>
      stage.dispatch.demand(a.process, lower.edition, [
        { id: 'one', inFlight: 0, wanted: 0, refused: 0, under },
      ])
    const shareOfB = () => b.pipe.plans.at(-1)?.holdings[0]?.shares['maxInFlight']
    t.equal(shareOfB(), 0)
    if (ackFirst) {
      stage.dispatch.ack(a.process, lower)
      t.equal(shareOfB(), 0, 'acknowledged, and not under')
      say(false)
      t.equal(shareOfB(), 0)
      say(true)
    } else {
      say(true)
      t.equal(shareOfB(), 0, 'under, and not acknowledged')
      stage.dispatch.ack(a.process, lower)
    }
    t.equal(shareOfB(), 5)
  }
})

t.test('editions count up over restarts, and what may be held is remembered', async (t) => {
  const stage = new Stage()
  stage.apply('one', 10)
  const a = stage.hello('a')
  const b = stage.hello('b')
  t.ok(a.pipe.plans.length > 0 && b.pipe.plans.length > 0)
  const again = new Stage(stage.journal)
  t.ok(again.dispatch.plans.edition > stage.dispatch.plans.edition)
  const c = again.hello('c')
  t.equal(c.pipe.plans.at(-1)?.holdings[0]?.shares['maxInFlight'], 0, 'a and b may have all of it')
  const ledger = again.book.id
  const back = [
    again.hello('a', { ledger, held: new Map([['one', { maxInFlight: 4 }]]) }),
    again.hello('b', { ledger, held: new Map() }),
  ]
  const shareOfC = () => c.pipe.plans.at(-1)!.holdings[0]!.shares['maxInFlight']!
  again.seconds(1)
  t.equal(shareOfC(), 0, 'they said what they enforce, and not yet that nothing else runs')
  for (const { process } of back) {
    again.dispatch.ack(process, process.desired)
    const idle = { inFlight: 0, wanted: 0, refused: 0, under: true }
    again.dispatch.demand(process, process.desired.edition, [{ id: 'one', ...idle }])
  }
  t.ok(shareOfC() > 0, 'six were free')
})

t.test('a stream that was replaced does not take its process with it', async (t) => {
  const stage = new Stage()
  const first = stage.hello('a')
  const second = stage.hello('a', {}, new Pipe())
  stage.dispatch.closed(first.process, first.pipe)
  t.notOk(stage.fleet.state('a', stage.mono).silent)
  stage.apply('one')
  t.equal(ids(second.pipe.plans.at(-1)), 'one')
  t.not(ids(first.pipe.plans.at(-1)), 'one')
  stage.dispatch.closed(second.process, second.pipe)
  t.ok(stage.fleet.state('a', stage.mono).silent)
})

t.test('what has said goodbye is no holder, whatever it says after', async (t) => {
  const stage = new Stage()
  const a = stage.hello('a')
  stage.apply('one', 10)
  stage.dispatch.goodbye(a.process)
  stage.dispatch.demand(a.process, 0, [])
  stage.apply('two', 10)
  const b = stage.hello('b')
  t.match(
    b.pipe.plans.at(-1)?.holdings.map(({ shares }) => shares['maxInFlight']),
    [10, 10],
    'all of it is for who is there',
  )
})

t.test('rosters are bounded', async (t) => {
  const stage = new Stage()
  for (let epoch = 1; epoch <= PROCESSES_MAX + 3; epoch += 1) stage.hello('a', { epoch })
  t.equal(stage.fleet.roster['a']?.length, PROCESSES_MAX)
  for (let i = 1; i < NODES_MAX; i += 1) {
    const greeting = { node: `n${i}`, epoch: 1, version: '', kinds: [], workers: 1 }
    stage.fleet.join({ ...greeting, revision: 0, edition: 0 }, stage.mono)
  }
  t.throws(() => stage.hello('one too many'), { fault: 'full', message: /2000 nodes already/ })
})
