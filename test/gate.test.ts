/** The gate: who is asked in which order, what is given back, and that leaving is once. */
import t from 'tap'
import { edgeOf } from '../landscape/edge.ts'
import { boundOf, callOn, World } from './policies/world.ts'

const bulkhead = (id: string, maxInFlight: number, more = {}) =>
  boundOf({ kind: 'bulkhead', id, settings: { maxInFlight }, ...more })
const paced = (id: string, ratePerSecond: number, more = {}) =>
  boundOf({ kind: 'backpressure', id, settings: { ratePerSecond, burst: 1 }, ...more })
const call = callOn(undefined, { chance: 0 })
const START_MS = 1_000_000

t.test('gate: a refusal gives back what was taken on the way', async (t) => {
  const world = new World()
  world.apply(bulkhead('wide', 9), bulkhead('narrow', 1))
  const first = world.enter()
  t.equal(first.verdict, 'pass')
  for (let i = 0; i < 20; i += 1) {
    const { verdict, passage } = world.enter()
    t.equal(verdict, 'refuse')
    t.equal(passage.by?.id, 'narrow')
    t.equal(passage.inside, false)
    t.match(passage.refusal, { have: 1, limit: 1 })
  }
  t.match(world.counter.counts, { 'wide matched': 21, 'narrow refused': 20 })
  t.notOk(world.counter.counts['wide refused'])
})

t.test('gate: a passage is left once, whoever comes second', async (t) => {
  const world = new World()
  world.apply(bulkhead('b1', 1))
  const { passage } = world.enter()
  passage.leave('success', 2)
  passage.leave('failure', 3)
  const other = world.enter()
  passage.leave('ignored', 4)
  t.equal(other.verdict, 'pass')
  t.equal(world.enter().verdict, 'refuse', 'the other one is still inside')
  t.equal(other.passage.inside, true)
})

t.test('gate: a passage is used again, and never entered twice', async (t) => {
  const world = new World()
  world.apply(bulkhead('b1', 1))
  const { passage } = world.enter()
  const policies = world.policies.on(call.edge)
  t.throws(() => passage.enter(policies, call, 2), /entered twice/)
  passage.leave('success', 3)
  t.equal(passage.enter(policies, call, 4), 'pass')
})

t.test('gate: a call that waits holds no slot', async (t) => {
  const world = new World()
  world.apply(bulkhead('b1', 1), paced('d1', 100))
  const first = world.enter(call, START_MS)
  t.equal(first.verdict, 'pass')
  first.passage.leave('success', START_MS)
  const second = world.enter(call, START_MS)
  t.equal(second.verdict, 'wait')
  t.equal(second.passage.delayMs, 10)
  t.equal(second.passage.holds, false)
  const third = world.enter(callOn(edgeOf('other', 'payments'), { chance: 0 }), START_MS + 30)
  t.equal(third.verdict, 'pass', 'the slot is free while the second waits')
  t.equal(second.passage.resume(call, START_MS + 40), 'refuse', 'and is asked for only then')
  t.equal(second.passage.by?.id, 'b1')
  third.passage.leave('success', START_MS + 41)
})

t.test('gate: the rest is asked when the delay is over', async (t) => {
  const world = new World()
  world.apply(paced('d1', 100), paced('d2', 20), bulkhead('b1', 1))
  world.enter(call, START_MS).passage.leave('success', START_MS)
  const { passage, verdict } = world.enter(call, START_MS)
  t.equal(verdict, 'wait')
  t.equal(passage.delayMs, 10)
  t.equal(passage.resume(call, START_MS + 10), 'wait')
  t.equal(passage.delayMs, 40, 'of the 50 the first delay is over')
  t.equal(passage.resume(call, START_MS + 50), 'pass')
  t.equal(passage.holds, true)
  t.equal(passage.admittedMs, START_MS + 50)
  t.match(world.counter.counts, { 'd1 delayed': 1, 'd2 delayed': 1, 'b1 matched': 2 })
})

t.test('gate: what a policy made a call wait is not the target`s time', async (t) => {
  const world = new World()
  const slow = { slowMs: 50, minRequests: 1, slowRatio: 0.01 }
  world.apply({ kind: 'breaker', settings: slow }, paced('d1', 10))
  world.enter(call, START_MS).passage.leave('success', START_MS + 1)
  const { passage } = world.enter(call, START_MS)
  t.equal(passage.delayMs, 100)
  passage.resume(call, START_MS + 100)
  passage.leave('success', START_MS + 120)
  t.equal(world.enter(call, START_MS + 500).verdict, 'pass', 'the circuit is closed: 20 ms')
})

t.test('gate: a new plan while it waits asks all of it again', async (t) => {
  const world = new World()
  world.apply(bulkhead('b1', 1), paced('d1', 100))
  world.enter(call, START_MS).passage.leave('success', START_MS)
  const { passage } = world.enter(call, START_MS)
  world.apply({ kind: 'segment', from: 'web' })
  t.equal(passage.restart(world.policies.on(call.edge), call, START_MS + 1), 'refuse')
  t.equal(passage.by?.id, 'segment-1')
  world.apply()
  t.equal(passage.restart(world.policies.on(call.edge), call, START_MS + 2), 'pass')
})

t.test('gate: a call that gives up while it waits leaves nothing behind', async (t) => {
  const world = new World()
  world.apply({ kind: 'breaker', settings: { consecutive: 1 } }, paced('d1', 100))
  world.enter(call, START_MS).passage.leave('success', START_MS)
  const { passage } = world.enter(call, START_MS)
  passage.leave('ignored', START_MS + 3)
  t.equal(passage.inside, false)
  t.equal(world.enter(call, START_MS + 900).verdict, 'pass')
})

t.test('gate: what only observes is counted, never obeyed, and has its own cells', async (t) => {
  const world = new World()
  world.apply(
    { kind: 'segment', id: 's', from: 'web', mode: 'observe' },
    paced('d', 100, { mode: 'observe' }),
    bulkhead('b1', 1, { mode: 'observe' }),
    bulkhead('b2', 2),
  )
  const inside = [1, 2].map(() => world.enter(call, START_MS))
  t.same(
    inside.map(({ verdict }) => verdict),
    ['pass', 'pass'],
  )
  t.equal(world.enter(call, START_MS).passage.by?.id, 'b2')
  t.match(world.counter.counts, {
    's would refuse': 3,
    'd would delay': 2,
    'b1 would refuse': 2,
    'b2 refused': 1,
  })
  t.equal(inside[0]!.passage.holds, true)
  for (const { passage } of inside) passage.leave('success', START_MS)
  // The second was refused by the observed bulkhead, so it did not enter it.
  t.equal(world.enter(call, START_MS).verdict, 'pass')
  t.equal(world.counter.counts['b1 would refuse'], 2)
})

t.test('gate: an observed slot is not worth holding a target for', async (t) => {
  const world = new World()
  world.apply(bulkhead('b1', 1, { mode: 'observe' }))
  t.equal(world.enter().passage.holds, false)
  world.apply(boundOf({ kind: 'bulkhead', settings: { maxConnections: 1 } }))
  t.equal(world.enter().passage.holds, false, 'a request took no slot there')
})

t.test('gate: a percentage is of calls, the same ones while it grows', async (t) => {
  const world = new World()
  const refusedAt = (percent: number) => {
    world.apply({ kind: 'segment', from: 'web', percent })
    const calls = Array.from({ length: 100 }, (_, at) => callOn(undefined, { chance: at / 100 }))
    return new Set(calls.filter((one) => world.enter(one).verdict === 'refuse'))
  }
  const sizes = [0.5, 10, 37, 100].map((percent) => refusedAt(percent).size)
  t.same(sizes, [1, 10, 37, 100])
  const chances = [...refusedAt(10)].map(({ chance }) => chance)
  t.ok(chances.every((chance) => chance < 0.1))
})

t.test('gate: a probe that a bulkhead refuses leaves the circuit to be tried again', async (t) => {
  // Sentinel#1638
  const world = new World()
  const circuit = { consecutive: 1, openForMs: 1000, probes: 1, jitterRatio: 0 }
  world.apply({ kind: 'breaker', settings: circuit }, bulkhead('b1', 1))
  world.enter(call, START_MS).passage.leave('failure', START_MS)
  t.equal(world.enter(call, START_MS + 1).passage.by?.id, 'breaker-1')
  world.apply({ kind: 'breaker', settings: circuit }, bulkhead('b1', 1))
  const other = callOn(edgeOf('batch', 'payments'))
  const holder = world.enter(other, START_MS + 1)
  for (let i = 0; i < 3; i += 1) {
    t.equal(world.enter(call, START_MS + 1000 + i).passage.by?.id, 'b1', 'the probe is refused')
  }
  holder.passage.leave('success', START_MS + 1010)
  const probe = world.enter(call, START_MS + 1020)
  t.equal(probe.verdict, 'pass')
  probe.passage.leave('success', START_MS + 1021)
  const after = [world.enter(call, START_MS + 1022), world.enter(call, START_MS + 1022)]
  t.same(
    after.map(({ passage }) => passage.by?.id),
    [undefined, 'b1'],
    'it is closed',
  )
})

t.test('gate: bytes are paced by the slowest that obeys, from the plan of now', async (t) => {
  const world = new World()
  const wide = (id: string, rate: number, more = {}) =>
    boundOf({ kind: 'backpressure', id, settings: { bytesPerSecond: rate }, ...more })
  const connection = callOn(undefined, { form: 'connection' })
  const { passage } = world.enter(connection, START_MS)
  t.equal(passage.pace(1e6, START_MS), 0, 'nothing in force')
  world.apply(wide('a', 1e6), wide('b', 1e5), wide('c', 2000, { mode: 'observe' }))
  passage.follow(world.policies.on(connection.edge), connection, START_MS)
  t.equal(passage.pace(25_000, START_MS), 200)
  t.equal(passage.pace(0, START_MS + 100), 100)
  t.equal(passage.pace(0, START_MS, 'out'), 0)
  passage.leave('success', START_MS + 1)
  t.equal(passage.pace(1e6, START_MS + 1), 0, 'left')
})

t.test('gate: an intent that goes and comes back counts a running call once', async (t) => {
  const world = new World()
  const { passage } = world.enter()
  const follow = () => passage.follow(world.policies.on(call.edge), call, 1)
  for (let times = 0; times < 3; times += 1) {
    world.apply(bulkhead('b1', 2))
    follow()
    world.apply()
    follow()
    world.apply({ kind: 'breaker' })
    follow()
  }
  world.apply(bulkhead('b1', 2))
  follow()
  t.equal(world.enter().verdict, 'pass', 'one of two')
  t.match(world.enter().passage.refusal, { have: 2, limit: 2 })
  passage.leave('success', 2)
  t.equal(world.enter().verdict, 'pass')
})

t.test('gate: a limit of connections alone does not count running requests', async (t) => {
  const world = new World()
  const { passage } = world.enter()
  world.apply(boundOf({ kind: 'bulkhead', settings: { maxConnections: 1 } }))
  passage.follow(world.policies.on(call.edge), call, 1)
  t.equal(passage.holds, false)
})
