/** Two deaths within a minute of something new: the new is given back, and nothing else. */
import t from 'tap'
import { Holdings, PROOF_MS } from '../../proxy/holdings.ts'
import { Trust } from '../../proxy/trust.ts'
import { planOf, type Sketch } from './plans.ts'

const ids = (holdings: Holdings | undefined, nowMs: number) =>
  holdings?.bound(nowMs, 0).map(({ intent, version }) => `${intent.id}@${version}`)

const take = (sketch: Sketch, nowMs: number, holdings = Holdings.none()) =>
  holdings.taking(planOf(sketch), nowMs)

const old = { intent: { id: 'old' } }
const fresh = { intent: { id: 'new' }, version: 2 }

t.test('two deaths give the new version back and keep what had proven itself', async (t) => {
  const first = take({ revision: 1, holdings: [old] }, 0)
  const now = PROOF_MS + 1000
  const second = take({ revision: 2, holdings: [old, fresh] }, now, first)
  const trust = new Trust()
  t.equal(trust.died(second, now + 10), undefined, 'one death proves nothing')
  const back = trust.died(second, now + 20)
  t.same(ids(back, now + 20), ['old@1'])
  t.equal(back?.name.revision, 1)
  t.same(trust.poisoned, [{ id: 'new', version: 2 }])

  t.match(trust.complaint(planOf({ revision: 3, holdings: [old, fresh] })), {
    path: 'holdings[1]',
    reason: /new of revision 2/,
  })
  t.equal(trust.complaint(planOf({ revision: 4, holdings: [old] })), undefined)
  const changed = planOf({ revision: 4, holdings: [old, { ...fresh, version: 4 }] })
  t.equal(trust.complaint(changed), undefined, 'another version may be tried')
  t.ok(new Trust(trust.poisoned).complaint(planOf({ revision: 3, holdings: [fresh] })))
})

t.test('a version that replaced a proven one makes room for it again', async (t) => {
  const first = take({ revision: 1, holdings: [{ ...old, remainingMs: 90_000 }] }, 0)
  const changed = { ...old, version: 2, remainingMs: 900_000 }
  const second = take({ revision: 2, holdings: [changed] }, PROOF_MS, first)
  const trust = new Trust()
  trust.died(second, PROOF_MS + 1)
  const back = trust.died(second, PROOF_MS + 2)
  t.same(ids(back, PROOF_MS + 2), ['old@1'])
  t.equal(back?.nextMs(PROOF_MS + 2), 90_000, 'its lease has run on meanwhile')
})

t.test('of several versions in a minute none but the proven one is gone back to', async (t) => {
  let holdings = take({ revision: 1, holdings: [old] }, 0)
  for (const version of [2, 3]) {
    holdings = take({ revision: version, holdings: [{ ...old, version }] }, PROOF_MS, holdings)
  }
  const trust = new Trust()
  trust.died(holdings, PROOF_MS + 1)
  const back = trust.died(holdings, PROOF_MS + 2)
  t.same(ids(back, PROOF_MS + 2), ['old@1'])
  t.equal(back?.name.revision, 1)
})

t.test('deaths that have nothing to do with a new plan take nothing back', async (t) => {
  const table: [string, number[]][] = [
    ['before it came', [-20, -10]],
    ['one before, one after', [-10, 10]],
    ['a minute after', [PROOF_MS, PROOF_MS + 1]],
    ['one in time, one late', [PROOF_MS - 1, PROOF_MS + 1]],
  ]
  for (const [name, deaths] of table) {
    const holdings = take({ holdings: [old] }, 0)
    const trust = new Trust()
    t.same(
      deaths.map((atMs) => trust.died(holdings, atMs)),
      [undefined, undefined],
      name,
    )
  }
  const restored = Holdings.restored(planOf({ holdings: [old] }), [], 0)
  const trust = new Trust()
  trust.died(restored, 1)
  t.equal(trust.died(restored, 2), undefined, 'what was in force before a restart is proven')
})

t.test('moved shares are no news; a version keeps its age', async (t) => {
  const first = take({ edition: 1, holdings: [old] }, 0)
  const moved = { ...old, shares: { maxInFlight: 5 } }
  const second = take({ edition: 2, holdings: [moved] }, PROOF_MS, first)
  const trust = new Trust()
  trust.died(second, PROOF_MS + 1)
  t.equal(trust.died(second, PROOF_MS + 2), undefined)
})
