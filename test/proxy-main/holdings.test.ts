/** Leases end on the node's own clock: whatever is sent again, and whoever is away. */
import t from 'tap'
import { Holdings } from '../../proxy/holdings.ts'
import { MINUTE, planOf, type Sketch } from './plans.ts'

const WALL = 1_700_000_000_000

/** What is in force: the limit and percent of each id. */
function seen(holdings: Holdings, nowMs: number): string {
  return holdings
    .bound(nowMs, WALL)
    .map(({ intent, settings, percent }) => {
      const limit = settings['maxInFlight'] ?? settings['maxConnections'] ?? '-'
      return `${intent.id}:${limit}${percent === 100 ? '' : `@${percent}`}`
    })
    .join(' ')
}

const take = (sketch: Sketch, nowMs = 0, holdings = Holdings.none()) =>
  holdings.taking(planOf(sketch), nowMs)

t.test('a lease runs out on the clock that was passed in', async (t) => {
  const intent = { onExpire: 'now' }
  const holdings = take({ holdings: [{ intent, remainingMs: 1000 }] }, 500)
  t.equal(holdings.nextMs(500), 1500)
  t.equal(seen(holdings, 1499), 'b1:10')
  t.equal(seen(holdings, 1500), '')
  t.equal(holdings.nextMs(1500), Infinity)
  t.equal(holdings.bound(600, WALL)[0]?.untilUnixMs, WALL + 900)
})

t.test('at its end a limit opens by a ramp, step by step', async (t) => {
  const intent = { rampMs: 12_000 }
  const holdings = take({ holdings: [{ intent, remainingMs: 1000 }] })
  const steps: string[] = []
  for (let at = holdings.nextMs(0); at < Infinity; at = holdings.nextMs(at)) {
    steps.push(`${at} ${seen(holdings, at)}`.trim())
    if (steps.length > 20) break
  }
  t.same(steps, [
    '1000 b1:10',
    '2000 b1:11',
    '3000 b1:13',
    '4000 b1:15',
    '5000 b1:17',
    '6000 b1:20',
    '7000 b1:22',
    '8000 b1:26',
    '9000 b1:30',
    '10000 b1:34',
    '11000 b1:40',
    '12000 b1:45',
    '13000',
  ])
})

t.test('the same version sent again prolongs nothing', async (t) => {
  const first = take({ holdings: [{ remainingMs: 1000, intent: { onExpire: 'now' } }] })
  const again = take(
    { edition: 2, holdings: [{ remainingMs: 5000, intent: { onExpire: 'now' } }] },
    900,
    first,
  )
  t.equal(seen(again, 999), 'b1:10')
  t.equal(seen(again, 1000), '')

  const after = take(
    { edition: 3, holdings: [{ remainingMs: 5000, intent: { onExpire: 'now' } }] },
    2000,
    again,
  )
  t.equal(seen(after, 2000), '', 'what has ended here stays ended')

  const extended = take({ edition: 4, holdings: [{ remainingMs: 5000, version: 2 }] }, 2000, after)
  t.equal(seen(extended, 6999), 'b1:10', 'a new version is a new lease')
})

t.test(
  'shares are used as they are, also nothing, and move without touching the lease',
  async (t) => {
    const holding = { remainingMs: 1000, intent: { onExpire: 'now' } }
    const first = take({ holdings: [{ ...holding, shares: { maxInFlight: 4 } }] })
    t.equal(seen(first, 0), 'b1:4')
    const less = take(
      { edition: 2, holdings: [{ ...holding, shares: { maxInFlight: 0 } }] },
      800,
      first,
    )
    t.equal(seen(less, 800), 'b1:0')
    t.equal(seen(less, 1000), '')
  },
)

t.test('a release that was begun elsewhere is joined where it stands', async (t) => {
  const holdings = take({ holdings: [{ releasingMs: 5000, intent: { rampMs: 10_000 } }] }, 20_000)
  t.equal(seen(holdings, 20_000), 'b1:20')
  const again = take(
    { edition: 2, holdings: [{ releasingMs: 0, intent: { rampMs: 10_000 } }] },
    21_000,
    holdings,
  )
  t.equal(seen(again, 24_999), 'b1:39', 'a ramp never begins again')
  t.equal(seen(again, 25_000), '')
})

t.test('what a plan no longer names is gone at once', async (t) => {
  const two = take({ holdings: [{}, { intent: { to: 'db' } }] })
  t.equal(seen(two, 0), 'b1:10 b2:10')
  t.equal(seen(take({ revision: 2, holdings: [{}] }, 10, two), 10), 'b1:10')
  t.equal(seen(two, 10), 'b1:10 b2:10', 'and the plan before can still be gone back to')
})

t.test('a release by hand holds until the next version', async (t) => {
  const plan = { holdings: [{}, { intent: { to: 'db' } }] }
  const { holdings, ids } = take(plan).releasing('b1')
  t.same(ids, ['b1'])
  t.equal(seen(holdings, 1), 'b2:10')
  t.equal(seen(take({ ...plan, edition: 2 }, 2, holdings), 2), 'b2:10')
  const anew = take({ revision: 3, holdings: [{ version: 3 }, plan.holdings[1]!] }, 3, holdings)
  t.equal(seen(anew, 3), 'b1:10 b2:10')
  t.same(take(plan).releasing(undefined).ids, ['b1', 'b2'])
  t.same(take(plan).releasing('b9').ids, [])
})

t.test(
  'after a restart a lease goes on from what is left, and is only ever shortened',
  async (t) => {
    const plan = planOf({ holdings: [{ remainingMs: 1000, intent: { onExpire: 'now' } }] })
    const restored = Holdings.restored(plan, [], 0)
    const longer = { edition: 2, holdings: [{ remainingMs: 9000, intent: { onExpire: 'now' } }] }
    t.equal(seen(take(longer, 0, restored), 1000), '')
    const shorter = { edition: 2, holdings: [{ remainingMs: 300, intent: { onExpire: 'now' } }] }
    const corrected = take(shorter, 0, restored)
    t.equal(seen(corrected, 299), 'b1:10')
    t.equal(seen(corrected, 300), '', 'the control plane knows better than a wall clock')
    const late = take({ ...shorter, edition: 3 }, 0, take(longer, 0, restored))
    t.equal(seen(late, 999), 'b1:10', 'once')

    const byHand = Holdings.restored(plan, [{ id: 'b1', version: 1 }], 0)
    t.equal(seen(byHand, 0), '')
    t.same(byHand.released(), [{ id: 'b1', version: 1 }])
  },
)

t.test('what is written down says how far leases and ramps have come', async (t) => {
  const holdings = take({
    holdings: [
      { remainingMs: 10 * MINUTE },
      { remainingMs: MINUTE, intent: { to: 'db' } },
      { releasingMs: 1000, intent: { to: 'x' } },
    ],
  })
  const [one, two, three] = holdings.holdingTexts(MINUTE + 500)
  t.equal(one?.remainingMs, 9 * MINUTE - 500)
  t.equal(one?.releasingMs, undefined)
  t.equal(two?.remainingMs, 0)
  t.equal(two?.releasingMs, 500)
  t.equal(three?.releasingMs, MINUTE + 1500)
})
