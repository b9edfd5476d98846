/** What-if: asked of every node that follows, answered within two seconds by whoever can. */
import t from 'tap'
import { bulkhead, Plane } from './running.ts'

t.test('every node that follows is asked, and nobody is waited for too long', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control('viewer')
  const [a, b, c] = ['n-a', 'n-b', 'n-c'].map((name) => plane.node(name).follow())
  for (const node of [a!, b!, c!]) await node.until('a plan', () => node.plans.length > 0)
  const startMs = performance.now()
  const asked = control.ask('dryRun', { intent: bulkhead('web', 10) })
  for (const node of [a!, b!, c!]) {
    await node.until('a what-if', () => node.rehearsals.length === 1)
    const { id, intent, shares } = node.rehearsals[0]!
    t.match(intent, { kind: 'bulkhead', percent: 100, leaseMs: 60_000, onExpire: 'ramp' })
    t.strictSame({ ...shares }, { maxInFlight: 3 })
    if (node === a) node.say({ case: 'rehearsal', value: { id, calls: 900n, refused: 40n } })
    if (node === b) {
      node.say({ case: 'rehearsal', value: { id: 'wi-unasked', calls: 1n } })
      node.say({ case: 'rehearsal', value: { id, error: 'cannot read it' } })
      node.say({ case: 'rehearsal', value: { id, calls: 5n } })
    }
  }
  const told = await asked
  const tookMs = performance.now() - startMs
  t.ok(tookMs > 1_500 && tookMs < 5_000, `after ${Math.round(tookMs)} ms`)
  t.equal(told.answered, 2)
  t.match(told.intent, { rampMs: 60_000, mode: 'enforce', existing: 'keep' })
  const said = told.nodes.map(({ node, rehearsal }) => `${node} ${rehearsal?.calls}`).sort()
  t.strictSame(said, ['n-a 900', 'n-b 0'])
  t.match(await control.ask('getLedger', { limit: 5 }), { revision: 0n, entries: [] })
})

t.test('all that answer are not waited for longer, nor is one that goes away', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  t.match(await control.ask('dryRun', { intent: bulkhead('web', 1) }), { answered: 0 })
  const [a, b] = [plane.node('n-a').follow(), plane.node('n-b').follow()]
  for (const node of [a, b]) await node.until('a plan', () => node.plans.length > 0)
  const startMs = performance.now()
  const asked = control.ask('dryRun', { intent: bulkhead('web', 1) })
  await a.until('a what-if', () => a.rehearsals.length === 1)
  a.say({ case: 'rehearsal', value: { id: a.rehearsals[0]!.id } })
  b.cut()
  const told = await asked
  t.equal(told.answered, 1)
  t.ok(performance.now() - startMs < 1_500)
  t.match(told.warnings, [/web/, /maxInFlight: fewer than one a node/])
})
