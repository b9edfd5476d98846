/** What shares meet: said each second, and the moment a lowered share is reached. */
import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { Directory } from '../../landscape/directory.ts'
import { edgeOf } from '../../landscape/edge.ts'
import { Cells, cellsBytes, MAIN } from '../../policies/cells.ts'
import { Policies } from '../../policies/policy.ts'
import { DemandMeter } from '../../proxy/demand.ts'
import type { Enforcement } from '../../proxy/enforce.ts'
import { Passage } from '../../proxy/gate.ts'
import { Holdings } from '../../proxy/holdings.ts'
import { POLICY } from '../../proxy/meter.ts'
import type { PolicyTotal } from '../../proxy/window.ts'
import { type Demand, DemandSchema } from '../../wire/gen/airspace_pb.ts'
import { planOf, type Sketch } from './plans.ts'

const SILENT = { matched() {}, refused() {}, delayed() {}, wouldRefuse() {}, wouldDelay() {} }
const call = {
  edge: edgeOf('shop', 'web'),
  form: 'request',
  idempotent: true,
  patienceMs: Infinity,
  chance: 0,
} as const

/** A node with one worker whose calls the test enters and leaves. */
function world() {
  const memory = new SharedArrayBuffer(cellsBytes())
  const main = new Cells(memory, MAIN, [1, 2])
  const policies = new Policies(new Cells(memory, 0), Directory.empty())
  const state = { holdings: Holdings.none(), bindings: [] as unknown[], taking: false }
  const said: Demand[] = []
  const demand = new DemandMeter(state as unknown as Enforcement, main, (one) => said.push(one))
  t.teardown(() => demand.stop())
  const take = (sketch: Sketch) => {
    state.holdings = state.holdings.taking(planOf(sketch), 0)
    const bound = state.holdings.inForce(0).map((one) => one.bound)
    state.bindings = bound
    policies.apply(sketch.edition ?? 1, bound)
  }
  const enter = (): Passage => {
    const passage = new Passage(SILENT)
    passage.enter(policies.on(call.edge), call, 0)
    return passage
  }
  return { demand, said, take, enter, state }
}

function latest(id: string, counts: Partial<Record<keyof typeof POLICY, number>>): PolicyTotal {
  const all = new Float64Array(8)
  for (const [name, n] of Object.entries(counts)) all[POLICY[name as keyof typeof POLICY]] = n
  return { id, source: 'shop', target: 'web', counts: all, latest: all }
}

const shared = (edition: number, maxInFlight: number): Sketch => ({
  edition,
  holdings: [{ shares: { maxInFlight } }, { intent: { to: 'db' } }],
})
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

t.test('each second: in flight, wanted, refused, and only of what is shared', async (t) => {
  const { demand, said, take, enter } = world()
  take(shared(4, 3))
  enter()
  enter()
  demand.tick([
    latest('b1', { matched: 9, refused: 4 }),
    latest('b1', { matched: 1 }),
    latest('b2', { matched: 5 }),
  ])
  t.same(said, [
    create(DemandSchema, {
      revision: 1n,
      edition: 4n,
      intents: [{ id: 'b1', inFlight: 2, wanted: 10, refused: 4, under: true }],
    }),
  ])
  demand.tick([])
  t.match(said[1]?.intents[0], { wanted: 0, refused: 0, inFlight: 2 }, 'each call is said once')
})

t.test('what is observed is wanted too', async (t) => {
  const { demand, said, take } = world()
  take(shared(4, 3))
  demand.tick([latest('b1', { matched: 9, wouldRefuse: 4 })])
  t.match(said[0]?.intents[0], { wanted: 9, refused: 4 })
})

t.test('a lowered share is said to be reached the moment it is, and not before', async (t) => {
  const { demand, said, take, enter } = world()
  take(shared(1, 3))
  const inside = [enter(), enter(), enter()]
  demand.taken()
  t.match(said.at(-1), { edition: 1n, intents: [{ under: true }] })

  take(shared(2, 1))
  demand.taken()
  await pause(50)
  t.equal(said.length, 1, 'three are inside')
  inside[0]!.leave('success', 1)
  demand.tick([])
  t.match(said.at(-1), { edition: 2n, intents: [{ inFlight: 2, under: false }] })
  const before = said.length
  inside[1]!.leave('success', 1)
  for (let i = 0; i < 200 && said.length === before; i++) await pause(5)
  t.match(said.at(-1), { edition: 2n, intents: [{ inFlight: 1, under: true }] })
  const after = said.length
  await pause(50)
  t.equal(said.length, after, 'once')
})

t.test('while a plan is on its way nothing is said of it', async (t) => {
  const { demand, said, take, state } = world()
  take(shared(2, 1))
  state.taking = true
  demand.tick([latest('b1', { matched: 2 })])
  demand.taken()
  t.same(said, [])
  state.taking = false
  demand.tick([latest('b1', { matched: 3 })])
  t.match(said, [{ intents: [{ wanted: 5 }] }])
})

t.test('what has ended here holds nothing of its share', async (t) => {
  const { demand, said, take, enter, state } = world()
  take(shared(2, 3))
  enter()
  state.holdings = state.holdings.releasing('b1').holdings
  state.bindings = state.holdings.inForce(0).map((one) => one.bound)
  demand.tick([])
  t.match(said, [{ intents: [{ id: 'b1', inFlight: 0, under: true }] }])
})
