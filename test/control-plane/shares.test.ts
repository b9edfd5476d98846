/** A limit is the fleet's: shares move over real streams, and only when they are free. */
import t from 'tap'
import type { FakeNode } from './fake-node.ts'
import { bulkhead, Plane } from './running.ts'

/** Says each second, and at once after a plan, what a busy node would say. */
function busy(node: FakeNode, id: () => string, asks: () => boolean): () => void {
  const say = (): void => {
    if (node.plans.length === 0 || node.shareOf(id()) === undefined) return
    const inFlight = asks() ? (node.shareOf(id()) ?? 0) : 0
    const wanted = asks() ? 50 : 0
    const refused = asks() ? 40 : 0
    node.demand({ id: id(), inFlight, wanted, refused, under: true })
  }
  node.onPlan = (plan) => {
    node.ack(plan)
    say()
  }
  const timer = setInterval(say, 200)
  return () => clearInterval(timer)
}

t.test('at one in flight two busy nodes take turns, and never have one each', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const nodes = [plane.node('n-a').follow(), plane.node('n-b').follow()]
  let id = ''
  const ends = nodes.map((node) =>
    busy(
      node,
      () => id,
      () => true,
    ),
  )
  t.teardown(() => ends.forEach((end) => void end()))
  await Promise.all(nodes.map((node) => node.until('a plan', () => node.plans.length > 0)))
  id = (await control.ask('apply', { intent: bulkhead('web', 1) })).ids[0]!
  const [a, b] = nodes as [FakeNode, FakeNode]
  let most = 0
  const look = setInterval(() => {
    most = Math.max(most, (a.shareOf(id) ?? 0) + (b.shareOf(id) ?? 0))
  }, 5)
  t.teardown(() => clearInterval(look))
  await Promise.all(nodes.map((node) => node.until('a turn', () => node.shareOf(id) === 1, 15_000)))
  t.equal(most, 1)
  const { patterns } = await control.ask('getPatterns', {})
  t.match(patterns, [{ shares: [{ field: 'maxInFlight', stranded: false }, {}] }])
})

t.test('a lower share is given on only when its holder is under it', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const a = plane.node('n-a').follow()
  await a.until('a plan', () => a.plans.length > 0)
  const { ids } = await control.ask('apply', { intent: bulkhead('web', 10) })
  const id = ids[0]!
  await a.until('all of it', () => a.shareOf(id) === 10)
  const b = plane.node('n-b').follow()
  await a.until('a lower share', () => a.shareOf(id) === 5)
  a.demand({ id, inFlight: 9, wanted: 9, under: false })
  await b.until('a plan', () => b.plans.length > 0)
  t.equal(b.shareOf(id), 0, 'nothing is free')
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  t.equal(b.shareOf(id), 0, 'nor after a second, while it is not under')
  a.demand({ id, inFlight: 5, wanted: 0, under: true })
  await b.until('its share', () => (b.shareOf(id) ?? 0) >= 1)
  t.ok((a.shareOf(id) ?? 0) + (b.shareOf(id) ?? 0) <= 10)
})

t.test('a silent node strands its share, and says so; forgotten, it is free', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const [a, b] = [plane.node('n-a').follow(), plane.node('n-b').follow()]
  await Promise.all([a, b].map((node) => node.until('a plan', () => node.plans.length > 0)))
  const { ids } = await control.ask('apply', { intent: bulkhead('web', 10) })
  const id = ids[0]!
  const end = busy(
    a,
    () => id,
    () => true,
  )
  t.teardown(end)
  await b.until('its share', () => b.shareOf(id) === 5)
  await t.rejects(control.ask('forgetNode', { node: 'n-b' }), /n-b is following/)
  b.cut()
  const again = plane.node('n-b', 2n).follow()
  await again.until('a plan', () => again.plans.length > 0)
  const { patterns } = await control.ask('getPatterns', {})
  const stranded = patterns[0]!.shares.filter((share) => share.stranded)
  t.match(stranded, [{ node: 'n-b', epoch: 1n, share: 5 }])
  again.cut()
  await a.until('silence', () => true)
  await t.resolves(forgotten(control, 'n-b'))
  await a.until('all of it', () => a.shareOf(id) === 10)
  t.match(await control.ask('getNodes', {}), { nodes: [{ node: 'n-a' }] })
  t.match(await control.ask('getLedger', { limit: 1 }), {
    entries: [{ act: 'event', text: 'node n-b forgotten', author: 'operator' }],
  })
})

/** The end of a stream takes a moment to arrive. */
async function forgotten(control: ReturnType<Plane['control']>, node: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await control.ask('forgetNode', { node })
      return
    } catch (error) {
      if (tries > 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

t.test('what is known to be gone strands nothing', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const a = plane.node('n-a').follow()
  await a.until('a plan', () => a.plans.length > 0)
  const { ids } = await control.ask('apply', { intent: bulkhead('web', 1) })
  const id = ids[0]!
  await a.until('all of it', () => a.shareOf(id) === 1)
  a.cut()
  const next = plane.node('n-a', 2n).follow({ ended: [1n] })
  await next.until('all of it', () => next.shareOf(id) === 1)
  next.say({ case: 'goodbye', value: {} })
  const last = plane.node('n-c').follow()
  await last.until('all of it', () => last.shareOf(id) === 1)
  t.match(await control.ask('getNodes', {}), { nodes: [{ node: 'n-a' }, { node: 'n-c' }] })
})
