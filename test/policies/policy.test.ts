/** What a worker makes of a plan: policies on an edge, in order, with cells that stay. */
import t from 'tap'
import { edgeOf } from '../../landscape/edge.ts'
import type { Service } from '../../landscape/service.ts'
import { readPlan } from '../../policies/plan.ts'
import { liveKeys, tend, useOf } from '../../policies/tend.ts'
import { boundOf, callOn, cellsOf, holdingOf, planOf, World } from './world.ts'

const edge = edgeOf('web', 'payments')
const bulkhead = (id: string, maxInFlight: number, more = {}) =>
  boundOf({ kind: 'bulkhead', id, settings: { maxInFlight }, ...more })
const ids = (world: World, on = edge) => world.policies.on(on).map(({ id }) => id)

t.test('policies: are asked in the catalog`s order, then as the plan has them', async (t) => {
  const world = new World()
  world.apply(
    bulkhead('b2', 1),
    bulkhead('b1', 1),
    { kind: 'backpressure', settings: { ratePerSecond: 1 } },
    { kind: 'segment', from: 'web' },
    { kind: 'breaker' },
    { kind: 'quarantine', to: 'payments' },
  )
  t.same(ids(world), ['quarantine-1', 'segment-1', 'breaker-1', 'backpressure-1', 'b2', 'b1'])
})

t.test('policies: are those that cover the edge, compiled once a plan', async (t) => {
  const world = new World()
  t.same(world.policies.on(edge), [])
  world.apply(bulkhead('b1', 1, { to: 'payments' }), bulkhead('b2', 1, { from: 'batch' }))
  t.same(ids(world), ['b1'])
  t.equal(world.policies.on(edge), world.policies.on(edgeOf('web', 'payments')))
  world.apply()
  t.same(ids(world), [])
})

t.test('policies: another directory may mean other policies', async (t) => {
  const named =
    (tier: string) =>
    (name: string): Service => ({ name, labels: { tier }, known: true })
  const world = new World(undefined, named('1'))
  world.apply(bulkhead('b1', 1, { to: 'tier=1' }))
  t.same(ids(world), ['b1'])
  world.policies.rename({ byName: named('2') })
  t.same(ids(world), [])
})

t.test('policies: lowering a limit forgets no call in flight', async (t) => {
  const world = new World()
  world.apply(bulkhead('b1', 3))
  const inside = [1, 2, 3].map(() => world.enter())
  t.same(
    inside.map(({ verdict }) => verdict),
    ['pass', 'pass', 'pass'],
  )
  world.apply(bulkhead('b1', 1))
  t.match(world.enter().passage.refusal, { have: 3, limit: 1 })
  inside[0]!.passage.leave('success', 2)
  inside[1]!.passage.leave('success', 2)
  t.equal(world.enter().verdict, 'refuse')
  inside[2]!.passage.leave('success', 2)
  t.equal(world.enter().verdict, 'pass')
})

t.test('policies: a policy that stays is the same object, with the new settings', async (t) => {
  const world = new World()
  world.apply(bulkhead('b1', 3), bulkhead('b2', 4))
  const [b1, b2] = world.policies.on(edge)
  b1!.meterRow = 17
  world.apply(bulkhead('b1', 9), bulkhead('b2', 4, { mode: 'observe' }))
  const [again, other] = world.policies.on(edge)
  t.equal(again, b1)
  t.match(again, { meterRow: 17, settings: { maxInFlight: 9 } })
  t.not(other, b2, 'observed it is another')
})

t.test('policies: rows are shared by policy, edge, source or target', async (t) => {
  const edges = [edge, edgeOf('web', 'orders'), edgeOf('batch', 'payments')]
  for (const [per, verdicts] of [
    ['policy', ['pass', 'refuse', 'refuse']],
    ['node', ['pass', 'refuse', 'refuse']],
    ['edge', ['pass', 'pass', 'pass']],
    ['source', ['pass', 'refuse', 'pass']],
    ['target', ['pass', 'pass', 'refuse']],
  ] as const) {
    const world = new World()
    world.apply(bulkhead('b1', 1, { per }))
    t.same(
      edges.map((on) => world.enter(callOn(on)).verdict),
      verdicts,
      per,
    )
  }
})

t.test('policies: two workers share rows, two intents never do', async (t) => {
  const one = new World()
  const two = new World(cellsOf(one.cells.memory, 1))
  for (const world of [one, two]) world.apply(bulkhead('b1', 1), bulkhead('b2', 2))
  t.equal(one.enter().verdict, 'pass')
  const { verdict, passage } = two.enter()
  t.equal(verdict, 'refuse')
  t.equal(passage.by?.id, 'b1')
})

t.test('policies: what is gone is taken back, and does not haunt what comes after', async (t) => {
  const world = new World()
  world.apply({ kind: 'breaker', id: 'x', settings: { consecutive: 1 } })
  const late = world.enter()
  world.apply()
  t.equal(world.cells.reclaim(liveKeys(world.policies.intents)), 1)
  const many = Array.from({ length: 50 }, (_, at) => bulkhead(`b${at}`, 1))
  world.apply(...many)
  world.policies.on(edge)
  const before = new Int32Array(world.cells.memory).slice()
  late.passage.leave('failure', 2)
  t.same(new Int32Array(world.cells.memory), before, 'its answer comes when its row is gone')
})

t.test('policies: an intent that comes back after its row was taken has a new one', async (t) => {
  const world = new World()
  world.apply(bulkhead('b1', 1))
  world.policies.on(edge)
  world.cells.reclaim([])
  world.apply(bulkhead('b1', 1))
  t.equal(world.policies.on(edge)[0]!.alive, true)
  t.equal(world.enter().verdict, 'pass')
})

t.test('policies: say how running work ends', async (t) => {
  const world = new World()
  world.apply(
    { kind: 'segment', from: 'web', existing: 'cut', graceMs: 70 },
    { kind: 'breaker', settings: { state: 'open' } },
    bulkhead('b1', 1),
  )
  t.match(world.policies.on(edge), [
    { severs: true, existing: 'cut', graceMs: 70 },
    { severs: true, existing: 'keep' },
    { severs: false, existing: 'keep', graceMs: 5000 },
  ])
})

t.test('tend: main tells a bulkhead when slots are likely to be free', async (t) => {
  const world = new World()
  const given = [bulkhead('b1', 1), bulkhead('b2', 5, { per: 'edge' })]
  world.apply(...given)
  world.enter()
  tend(cellsOf(world.cells.memory, 15), given, ({ id }) => ({ medianMs: id === 'b1' ? 250 : 4 }), 5)
  t.match(world.enter().passage.refusal, { retryAfterMs: 250 })
})

t.test('tend: main recounts sources at work, each scope by itself', async (t) => {
  const world = new World()
  const main = cellsOf(world.cells.memory, 15)
  const settings = { ratePerSecond: 100, burst: 1 }
  const given = [boundOf({ kind: 'backpressure', per: 'target', settings })]
  world.apply(...given)
  const startMs = 1_000_000
  for (const source of ['a', 'b', 'c']) world.enter(callOn(edgeOf(source, 'x')), startMs)
  world.enter(callOn(edgeOf('a', 'y')), startMs)
  const sources = (target: string) => {
    const state = world.policies.on(edgeOf('a', target))[0]!.state
    return (state as { sources: { load(): number } }).sources.load()
  }
  t.equal(sources('x'), 3)
  t.equal(sources('y'), 1)
  tend(main, given, () => ({ medianMs: 0 }), startMs + 500)
  t.equal(sources('x'), 3)
  world.enter(callOn(edgeOf('b', 'x')), startMs + 3000)
  tend(main, given, () => ({ medianMs: 0 }), startMs + 3001)
  t.equal(sources('x'), 1, 'only b is at work still')
  t.equal(sources('y'), 0)
})

t.test('tend: says how much of each limit is in use, and whether it is within it', async (t) => {
  const world = new World()
  const three = bulkhead('b1', 3)
  const paced = boundOf({ kind: 'backpressure', settings: { ratePerSecond: 100 } })
  world.apply(three, paced)
  const inside = [world.enter(), world.enter()]
  const main = cellsOf(world.cells.memory, 15)
  t.same(useOf(main, [three, paced]), [
    { id: 'b1', inFlight: 2, under: true },
    { id: 'backpressure-1', inFlight: 0, under: true },
  ])
  const [holding] = readPlan(planOf(holdingOf('b1', { shares: { maxInFlight: 1 } }))).holdings
  const lowered = { ...three, settings: { ...three.settings, maxInFlight: 1 } }
  t.equal(holding!.shares['maxInFlight'], 1)
  t.same(useOf(main, [lowered]), [{ id: 'b1', inFlight: 2, under: false }])
  inside[0]!.passage.leave('success', 2)
  t.same(useOf(main, [lowered]), [{ id: 'b1', inFlight: 1, under: true }])
})
