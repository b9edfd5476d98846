/** The ring keeps the newest, oldest first, and says how many it forgot. */
import t from 'tap'
import { CONNECTION_FACT, IDEMPOTENT_FACT, RESULTS, Ring } from '../../proxy/ring.ts'

t.test('what was recorded is recalled as it was', async (t) => {
  const ring = new Ring(4)
  const edge = ring.edge('web', 'db')
  const call = { form: 'request', idempotent: true, patienceMs: Infinity, chance: 0.5 } as const
  for (let i = 0; i < 6; i += 1) {
    ring.record(edge, { ...call, arrivedMs: i }, RESULTS[i % 4]!, i * 10)
  }
  ring.record(edge, { ...call, form: 'connection', idempotent: false, arrivedMs: 6 }, 'success', 1)
  const recalled = ring.recall(9)
  t.match(recalled, { type: 'recalled', id: 9, forgotten: 3 })
  t.same(recalled.edges[edge], { source: 'web', target: 'db' })
  t.same([...recalled.startMs], [3, 4, 5, 6])
  t.same([...recalled.tookMs], [30, 40, 50, 1])
  const [refused, success, failure] = [3, 0, 1].map((code) => code | IDEMPOTENT_FACT)
  t.same([...recalled.facts], [refused, success, failure, CONNECTION_FACT])
  t.same([...recalled.edge], [edge, edge, edge, edge])
  t.equal(recalled.patienceMs[0], Infinity)
})
