/**
 * A real control plane, real gRPC, nodes of a few lines: what is wanted reaches them, and is
 * proven.
 */
import t from 'tap'
import { bulkhead, Plane } from './running.ts'

t.test('a change reaches every node, and says so', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const [a, b] = [plane.node('n-a').follow(), plane.node('n-b').follow()]
  await Promise.all([a, b].map((node) => node.until('first plan', () => node.plans.length > 0)))
  t.match(a.plan, { revision: 0, holdings: [] })

  const change = await control.ask('apply', { intent: bulkhead('web', 10, { reason: 'slow' }) })
  t.match(change, { revision: 1n, act: 'apply', text: 'bulkhead *..web maxInFlight=10' })
  t.match(change.ids[0], /^bh-[0-9a-z]{3}$/)
  t.ok(Math.abs(change.untilUnixMs - Date.now() - 60_000) < 5_000)
  t.strictSame(change.warnings, ["'web' matches no known service"])
  const told = []
  for await (const each of control.follow('await', { revision: 1n, waitMs: 5_000 }, 5_000)) {
    told.push(each)
  }
  t.match(told.at(-1), { expected: 2, reported: 2, done: true, lagging: [] })
  t.ok(told.at(-1)!.elapsedMs >= 0 && told.at(-1)!.elapsedMs < 5_000)
  const [holding] = a.plan.holdings
  t.match(holding, { version: 1, intent: { from: '*', to: 'web', reason: 'slow' } })
  t.ok(holding!.remainingMs > 50_000 && holding!.remainingMs <= 60_000)
  t.equal((a.shareOf(change.ids[0]!) ?? 0) + (b.shareOf(change.ids[0]!) ?? 0), 10)

  const { patterns } = await control.ask('getPatterns', {})
  t.match(patterns, [{ state: 'in force', expected: 2, enforcing: 2, author: 'operator' }])
  t.equal(patterns[0]!.shares.length, 2)
  const { entries } = await control.ask('getLedger', { limit: 10 })
  t.match(entries, [{ revision: 1n, act: 'apply', author: 'operator', reason: 'slow' }])
})

t.test('a node that refuses a plan is named, with its reason, and is not waited for', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const [a, b] = [plane.node('n-a').follow(), plane.node('n-b').follow()]
  await Promise.all([a, b].map((node) => node.until('first plan', () => node.plans.length > 0)))
  b.onPlan = (plan) => b.nack(plan, 'holdings[0].intent.kind', "'bulkhead' is not known here")
  const { revision } = await control.ask('apply', { intent: bulkhead('web', 10) })
  let last: unknown
  for await (const each of control.follow('await', { revision, waitMs: 9_000 }, 9_000)) last = each
  t.match(last, {
    ...{ expected: 2, reported: 1, done: true },
    lagging: [{ node: 'n-b', state: 'refused', reason: /holdings\[0\].intent.kind: 'bulkhead'/ }],
  })
  const { nodes } = await control.ask('getNodes', {})
  t.match(nodes, [
    { node: 'n-a', desired: 1n, reported: 1n, nack: '' },
    { node: 'n-b', desired: 1n, reported: 0n, nack: /revision 1: holdings\[0\]/ },
  ])
})

t.test('release, extend and undo are told to nodes as they are', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const node = plane.node('n-a').follow()
  const at = (revision: number) =>
    node.until(`revision ${revision}`, () => {
      return node.plans.at(-1)?.revision === revision
    })
  const { ids } = await control.ask('apply', { intent: bulkhead('web', 4) })
  const id = ids[0]!
  t.match(await control.ask('extend', { id, forMs: 120_000 }), { act: 'extend', revision: 2n })
  await at(2)
  t.match(node.plan.holdings, [{ version: 2, intent: { leaseMs: 120_000 } }])
  t.ok(node.plan.holdings[0]!.remainingMs > 60_000)
  t.match(await control.ask('release', { ids }), { act: 'release', text: /opening over 1m/ })
  await at(3)
  t.ok(node.plan.holdings[0]!.releasingMs! >= 0, 'its ramp has begun')
  t.match(await control.ask('undo', {}), { act: 'apply', text: `release of ${id} undone` })
  await at(4)
  t.equal(node.plan.holdings[0]!.releasingMs, undefined)
  t.match(await control.ask('apply', { intent: bulkhead('web', 9), change: id }), { ids: [id] })
  await at(5)
  t.match(node.plan.holdings, [{ version: 5, intent: { id, settings: { maxInFlight: 9 } } }])
  t.equal(node.shareOf(id), 9)
  await control.ask('release', { all: true, now: true })
  await at(6)
  t.strictSame(node.plan.holdings, [])
  t.match(await control.ask('release', { all: true }), { ids: [], text: 'nothing was in force' })
  const { patterns } = await control.ask('getPatterns', { ended: true })
  t.match(patterns, [{ state: 'ended', intent: { id } }])
})

t.test(
  'kill -9: the ledger is whole, plans go on counting, and a lease is not begun anew',
  async (t) => {
    const plane = await new Plane(t.testdir()).start()
    t.teardown(() => plane.end())
    const first = plane.node('n-a').follow()
    const { ids } = await plane.control().ask('apply', { intent: bulkhead('web', 4) })
    await first.until('the plan', () => first.plans.at(-1)?.revision === 1)
    const before = first.plan
    await plane.kill()
    await plane.start()
    const control = plane.control()
    const { revision, edition, ledger } = before
    const again = plane.node('n-a').follow({
      ...{ ledger, revision: BigInt(revision), edition: BigInt(edition) },
      shares: [{ id: ids[0]!, shares: { maxInFlight: 4 } }],
    })
    await again.until('the plan', () => again.plans.length > 0)
    t.match(again.plan, { ledger: before.ledger, revision: 1 })
    t.ok(again.plan.edition > before.edition, 'an older edition would change nothing')
    t.match(again.plan.holdings, [
      { version: 1, intent: { id: ids[0] }, shares: { maxInFlight: 4 } },
    ])
    t.ok(again.plan.holdings[0]!.remainingMs < before.holdings[0]!.remainingMs)
    t.match(await control.ask('getLedger', { limit: 9 }), {
      revision: 1n,
      entries: [{ id: ids[0] }],
    })
    t.match(await control.ask('undo', {}), { act: 'release' }, 'what was done can be undone still')
  },
)

t.test('a node that knows more than the journal shows that its end was lost', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const node = plane.node('n-a').follow()
  await node.until('a plan', () => node.plans.length > 0)
  const { ledger } = node.plan
  const ahead = plane.node('n-b').follow({ ledger, revision: 7n, edition: 3n })
  await ahead.until('a plan', () => ahead.plans.length > 0)
  t.not(ahead.plan.ledger, ledger, 'another ledger, which it takes whatever its revision')
  await node.until('the same', () => node.plan.ledger === ahead.plan.ledger)
})

t.test('what a node says that cannot be so ends its stream, and only that', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const well = plane.node('well').follow()
  const wrong: [string, object, RegExp][] = [
    ['', {}, /hello.node/],
    ['a b', {}, /hello.node: 'a b' is not the name/],
    ['n', { epoch: 0n }, /hello.epoch: is missing/],
    ['n', { epoch: 2n ** 60n }, /hello.epoch/],
    ['n', { shares: [{ id: 'x', shares: { maxInFlight: Number.NaN } }] }, /NaN is not between/],
    ['n', { kinds: new Array(99).fill('x') }, /list of more than 64/],
  ]
  for (const [name, hello, details] of wrong) {
    const node = plane.node(name).follow(hello)
    await node.until('an end', () => node.status !== undefined)
    t.match(node.status?.details, details)
  }
  const early = plane.node('early')
  early.follow()
  early.ack({ revision: 9, edition: 9 })
  early.say({ case: 'hello', value: { node: 'other', epoch: 5n } })
  await early.until('an end', () => early.status !== undefined)
  t.match(early.status?.details, /this stream is that of early/)
  const { nodes } = await plane.control().ask('getNodes', {})
  t.match(
    nodes.map(({ node, reported }) => `${node} ${reported}`),
    ['early 0', 'well 0'],
  )
  t.equal(well.status, undefined)
})
