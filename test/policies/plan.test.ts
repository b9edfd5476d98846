/** A plan is read whole or refused whole. */
import t from 'tap'
import { bind, digestOf, PLAN_MAX, readBound, readPlan, writeBound } from '../../policies/plan.ts'
import { holdingOf, intentText, planOf, thrownBy } from './world.ts'

t.test('plan: is read whole', async (t) => {
  const text = planOf(
    holdingOf('a', { shares: { maxInFlight: 4 } }),
    holdingOf('b', { releasingMs: 1 }),
  )
  const plan = readPlan(text)
  t.match(plan, { ledger: 'ledger-1', revision: 7, edition: 3, digest: text.digest })
  t.same(
    plan.holdings.map(({ intent }) => intent.id),
    ['a', 'b'],
  )
  t.same(plan.holdings[0]!.shares, { maxInFlight: 4 })
  t.equal(plan.holdings[1]!.releasingMs, 1)
  t.equal(readPlan(planOf()).holdings.length, 0, 'a plan of nothing is a plan')
})

t.test('plan: its digest is of revision, edition, ids and versions, in any order', async (t) => {
  const base = planOf(holdingOf('a'), holdingOf('b'))
  t.equal(base.digest, planOf(holdingOf('b'), holdingOf('a')).digest)
  t.match(base.digest, /^[0-9a-f]{16}$/)
  const others = [
    planOf(holdingOf('a')),
    planOf(holdingOf('a'), holdingOf('c')),
    planOf(holdingOf('a', { version: 6 }), holdingOf('b')),
    { ...base, digest: digestOf({ ...base, revision: 8 }) },
    { ...base, digest: digestOf({ ...base, edition: 4 }) },
  ]
  t.equal(new Set([base, ...others].map(({ digest }) => digest)).size, 6)
})

t.test('plan: one wrong thing in one holding refuses all of it, and says where', async (t) => {
  const wrong = { ...intentText({ kind: 'bulkhead', id: 'd' }), settings: { maxInFlight: 0 } }
  const four = [holdingOf('a'), holdingOf('b'), holdingOf('c'), holdingOf('d', { intent: wrong })]
  t.match(
    thrownBy(() => readPlan(planOf(...four))),
    {
      path: 'holdings[3].intent.settings.maxInFlight',
      message: /0 is not between 1 and 1000000/,
    },
  )
})

t.test('plan: there is a most', async (t) => {
  const many = Array.from({ length: PLAN_MAX + 1 }, (_, at) => holdingOf(`b${at}`))
  t.match(
    thrownBy(() => readPlan(planOf(...many))),
    { path: 'holdings', message: /10001 intents are more/ },
  )
})

t.test('plan: a share of nothing is meant', async (t) => {
  const plan = readPlan(planOf(holdingOf('a', { shares: { maxInFlight: 0 } })))
  t.equal(bind(plan.holdings[0]!)!.settings['maxInFlight'], 0)
})

t.test('plan: what is posted to a worker is bound the same there', async (t) => {
  const [holding] = readPlan(planOf(holdingOf('a', { shares: { maxInFlight: 4 } }))).holdings
  const bound = bind(holding!)!
  const posted = structuredClone(writeBound(bound))
  const read = readBound(posted)
  t.same(read.settings, bound.settings)
  t.equal(read.percent, bound.percent)
  t.equal(read.intent.pattern, bound.intent.pattern)
  t.equal(read.version, 5)
})
