/** A hundred nodes at once: all have the plan, and how long it took is printed, not judged. */
import t from 'tap'
import { quantile } from '../support/callers.ts'
import { bulkhead, Plane } from './running.ts'

const NODES = 100
const APPLIES = 20

t.test('a hundred nodes take each plan', { timeout: 60_000 }, async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const nodes = Array.from({ length: NODES }, (_, i) => plane.node(`n-${i}`).follow())
  await Promise.all(nodes.map((node) => node.until('a plan', () => node.plans.length > 0, 30_000)))
  const tookMs: number[] = []
  for (let i = 0; i < APPLIES; i += 1) {
    const intent = bulkhead(`service-${i}`, 1_000)
    const { revision } = await control.ask('apply', { intent })
    for await (const told of control.follow('await', { revision, waitMs: 20_000 }, 20_000)) {
      if (!told.done) continue
      t.match(told, { expected: NODES, reported: NODES, lagging: [] })
      tookMs.push(told.elapsedMs)
    }
  }
  const [p50, p99] = [quantile(tookMs, 0.5), quantile(tookMs, 0.99)]
  t.comment(`${NODES} nodes: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms to acknowledged`)
  t.equal(tookMs.length, APPLIES)
  for (const node of nodes) t.equal(node.plan.holdings.length, APPLIES)
  const sum = nodes.reduce((all, node) => {
    const { shares } = node.plan.holdings[0]!
    return all + (shares['maxInFlight'] ?? 0)
  }, 0)
  t.equal(sum, 1_000, 'and the limit is shared out to the last one')
})
