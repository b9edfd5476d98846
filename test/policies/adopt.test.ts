/** A limit that comes while calls are under way: they count, and are counted once. */
import t from 'tap'
import { edgeOf } from '../../landscape/edge.ts'
import { serviceNamed } from '../../landscape/service.ts'
import { Policies } from '../../policies/policy.ts'
import { Passage, type Tally } from '../../proxy/gate.ts'
import { boundOf, callOn, cellsOf } from './world.ts'

const silent: Tally = {
  matched() {},
  refused() {},
  delayed() {},
  wouldRefuse() {},
  wouldDelay() {},
}
const edge = edgeOf('web', 'payments')
const call = callOn(edge)

t.test(
  'adopt: a new bulkhead counts what was under way, and lets nobody in beyond it',
  async (t) => {
    const policies = new Policies(cellsOf(), { byName: serviceNamed })
    const running = [new Passage(silent), new Passage(silent), new Passage(silent)]
    for (const passage of running) t.equal(passage.enter(policies.on(edge), call, 0), 'pass')

    policies.apply(1, [boundOf({ kind: 'bulkhead', settings: { maxInFlight: 2 } })])
    for (const passage of running) passage.follow(policies.on(edge), call, 0)
    const late = new Passage(silent)
    t.equal(late.enter(policies.on(edge), call, 1), 'refuse', 'three of two are in flight')
    t.equal(late.refusal?.have, 3)

    running[0]!.leave('success', 2)
    t.equal(late.enter(policies.on(edge), call, 2), 'refuse', 'two of two')
    running[1]!.leave('success', 3)
    t.equal(late.enter(policies.on(edge), call, 3), 'pass', 'one of two')
    late.leave('success', 4)
    running[2]!.leave('success', 4)
    const [policy] = policies.on(edge)
    t.equal(policy!.pattern.inFlight!(policy!.state), 0, 'and all of it is given back')
  },
)

t.test('adopt: a plan that changes something else adopts nobody twice', async (t) => {
  const policies = new Policies(cellsOf(), { byName: serviceNamed })
  const two = boundOf({ kind: 'bulkhead', settings: { maxInFlight: 2 } })
  policies.apply(1, [two])
  const passage = new Passage(silent)
  t.equal(passage.enter(policies.on(edge), call, 0), 'pass')
  for (let epoch = 2; epoch < 5; epoch += 1) {
    policies.apply(epoch, [two])
    passage.follow(policies.on(edge), call, 0)
  }
  const [policy] = policies.on(edge)
  t.equal(policy!.pattern.inFlight!(policy!.state), 1)
})

t.test('adopt: what an observed limit would have refused stays outside', async (t) => {
  const policies = new Policies(cellsOf(), { byName: serviceNamed })
  const observed = boundOf({ kind: 'bulkhead', mode: 'observe', settings: { maxInFlight: 1 } })
  policies.apply(1, [observed])
  const [inside, beside] = [new Passage(silent), new Passage(silent)]
  inside.enter(policies.on(edge), call, 0)
  t.equal(beside.enter(policies.on(edge), call, 0), 'pass', 'counted, not obeyed')
  policies.apply(2, [observed])
  for (const passage of [inside, beside]) passage.follow(policies.on(edge), call, 0)
  const [policy] = policies.on(edge)
  t.equal(policy!.pattern.inFlight!(policy!.state), 1)
})
