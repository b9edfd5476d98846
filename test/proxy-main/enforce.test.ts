/** What is in force: workers and disk agree, or a plan is not taken. */
import t from 'tap'
import { Cells, cellsBytes, MAIN } from '../../policies/cells.ts'
import type { Crew } from '../../proxy/crew.ts'
import { Enforcement } from '../../proxy/enforce.ts'
import type { Complaint } from '../../proxy/follow.ts'
import type { PlanName } from '../../proxy/holdings.ts'
import { type Keep, type Keeping, type Kept, readKept, writeKept } from '../../proxy/keep.ts'
import type { Bound } from '../../proxy/thread.ts'
import { logger } from '../../runtime/log.ts'
import { planOf } from './plans.ts'

/** Everything around it, at the test's command. */
function world(kept?: Kept, startingMs = 0) {
  const given: Bound[] = []
  const written: Kept[] = []
  const back: { name: PlanName; complaint: Complaint }[] = []
  const now = { ms: 1000, stepMs: 0, disk: true, workers: Promise.resolve() }
  const cells = new Cells(new SharedArrayBuffer(cellsBytes()), MAIN, [1, 2])
  const keep = {
    async write(keeping: () => Keeping) {
      if (!now.disk) throw new Error('ENOSPC')
      // What is written must be read again, whatever came before it.
      written.push(readKept(writeKept(keeping(), 0), 0))
    },
  }
  const crew = {
    give(bound: Bound) {
      given.push(bound)
      return now.workers
    },
  }
  const enforcement = new Enforcement({
    kept,
    keep: keep as unknown as Keep,
    cells,
    clock: { nowMs: () => (now.ms += now.stepMs), wallMs: () => 5_000_000 + now.ms },
    log: logger('test', () => {}),
    gaveBack: (name, complaint) => back.push({ name, complaint }),
  })
  now.ms += startingMs
  enforcement.command(crew as unknown as Crew)
  t.teardown(() => enforcement.stop())
  return { enforcement, given, written, back, now }
}

const ids = (bound: Bound | undefined) => bound?.intents.map(({ intent }) => intent.id).join(' ')

t.test('a plan goes to workers and to disk, and is taken when both have it', async (t) => {
  const { enforcement, given, written, now } = world()
  let release = () => {}
  now.workers = new Promise((resolve) => {
    release = resolve
  })
  let taken = false
  const taking = enforcement.take(planOf({ holdings: [{}] })).then((complaint) => {
    taken = true
    return complaint
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.same([taken, enforcement.taking], [false, true])
  release()
  t.equal(await taking, undefined)
  t.same([taken, enforcement.taking], [true, false])
  t.equal(ids(given[0]), 'b1')
  t.equal(given[0]?.epoch, 1)
  t.equal(given[0]?.intents[0]?.untilUnixMs, 5_001_000 + 15 * 60_000)
  t.equal(written[0]?.plan?.revision, 1)
})

t.test('what the disk does not take is taken back, whole', async (t) => {
  const { enforcement, given, now } = world()
  await enforcement.take(planOf({ revision: 1, holdings: [{}] }))
  now.disk = false
  const more = planOf({ revision: 2, holdings: [{}, { intent: { to: 'db' }, version: 2 }] })
  t.match(await enforcement.take(more), { reason: /cannot keep it on disk: ENOSPC/ })
  t.same(given.map(ids), ['b1', 'b1 b2', 'b1'])
  t.equal(enforcement.holdings.name.revision, 1)
  t.equal(enforcement.kept, false)
})

t.test('letting go and moving shares needs no disk', async (t) => {
  const { enforcement, given, now } = world()
  await enforcement.take(planOf({ revision: 1, holdings: [{}, { intent: { to: 'db' } }] }))
  now.disk = false
  const less = planOf({ revision: 2, holdings: [{ shares: { maxInFlight: 3 } }] })
  t.equal(await enforcement.take(less), undefined)
  t.equal(ids(given.at(-1)), 'b1')
  t.same(await enforcement.release(undefined), ['b1'])
  t.equal(ids(given.at(-1)), '')
  now.disk = true
  await enforcement.take(planOf({ revision: 3 }))
  t.equal(enforcement.kept, true)
})

t.test('a release by hand while a plan is being taken back stays a release', async (t) => {
  const { enforcement, given, now } = world()
  await enforcement.take(planOf({ revision: 1, holdings: [{}] }))
  now.disk = false
  const taking = enforcement.take(
    planOf({ revision: 2, holdings: [{}, { intent: { to: 'db' }, version: 2 }] }),
  )
  await enforcement.release('b1')
  await taking
  t.equal(ids(given.at(-1)), '')
})

t.test('workers are told only what is new to them', async (t) => {
  const { enforcement, given } = world()
  await enforcement.take(planOf({ revision: 1, edition: 1, holdings: [{}] }))
  t.equal(await enforcement.take(planOf({ revision: 1, edition: 2, holdings: [{}] })), undefined)
  t.equal(given.length, 1)
  t.equal(enforcement.holdings.name.edition, 2)
})

t.test('a lease that ends wakes it by itself', async (t) => {
  const { enforcement, given, now } = world()
  const holding = { remainingMs: 30, intent: { onExpire: 'now' } }
  await enforcement.take(planOf({ holdings: [holding] }))
  now.ms += 30
  await new Promise((resolve) => setTimeout(resolve, 200))
  t.same(given.map(ids), ['b1', ''])
})

t.test('a lease that ends between two readings of the clock is not forgotten', async (t) => {
  const { enforcement, given, now } = world()
  const holding = { remainingMs: 30, intent: { onExpire: 'now' } }
  await enforcement.take(planOf({ holdings: [holding] }))
  // The timer comes a little early, and each look at the clock takes a little time.
  now.ms += 29.5
  now.stepMs = 0.4
  await new Promise((resolve) => setTimeout(resolve, 200))
  t.same(given.map(ids), ['b1', ''])
})

t.test('a lease that ends while the crew starts is told once it has', async (t) => {
  const plan = planOf({ holdings: [{ remainingMs: 30, intent: { onExpire: 'now' } }] })
  const { given } = world({ plan, released: [], poisoned: [] }, 50)
  t.same(given.map(ids), [''])
})

t.test('what was in force goes on after a restart; what was poison is refused', async (t) => {
  const plan = planOf({ revision: 4, holdings: [{}, { intent: { to: 'db' } }] })
  const released = [{ id: 'b2', version: 1 }]
  const { enforcement } = world({ plan, released, poisoned: [{ id: 'b3', version: 9 }] })
  t.equal(ids(enforcement.bound), 'b1')
  t.equal(enforcement.holdings.name.revision, 4)
  const poison = planOf({ revision: 9, holdings: [{ intent: { id: 'b3' }, version: 9 }] })
  t.match(await enforcement.take(poison), { path: 'holdings[0]' })
  t.equal(enforcement.kindOf('b1'), 'bulkhead')
})

t.test('two deaths give a plan back, to disk and control plane too', async (t) => {
  const { enforcement, given, written, back, now } = world()
  await enforcement.take(planOf({ revision: 1 }))
  await enforcement.take(planOf({ revision: 2, holdings: [{ version: 2 }] }))
  now.ms += 10
  enforcement.died()
  t.equal(back.length, 0)
  enforcement.died()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(ids(given.at(-1)), '')
  t.match(back, [{ name: { revision: 2 }, complaint: { reason: /b1/ } }])
  t.match(written.at(-1), { plan: { revision: 1 }, poisoned: [{ id: 'b1', version: 2 }] })
})

t.test(
  'what is given back leaves a mark that can be read, whatever was there before',
  async (t) => {
    const first = world()
    await first.enforcement.take(planOf({ revision: 2, holdings: [{ version: 2 }] }))
    first.enforcement.died()
    first.enforcement.died()
    await new Promise((resolve) => setImmediate(resolve))
    t.match(first.written.at(-1), { plan: undefined, poisoned: [{ id: 'b1', version: 2 }] })
    const after = world(first.written.at(-1)).enforcement
    t.match(await after.take(planOf({ revision: 3, holdings: [{ version: 2 }] })), { path: /./ })

    // One that had proven itself, one released meanwhile, and one that kills.
    const later = world()
    const old = [{}, { intent: { to: 'db' } }]
    await later.enforcement.take(planOf({ revision: 1, holdings: old }))
    later.now.ms += 60_000
    await later.enforcement.take(planOf({ revision: 2, holdings: [{}, { version: 2 }] }))
    later.enforcement.died()
    later.enforcement.died()
    await new Promise((resolve) => setImmediate(resolve))
    t.same(later.given.map(ids).at(-1), 'b1 b2')
    t.equal(later.written.at(-1)?.plan?.revision, 1)
    later.enforcement.distrust()
    await new Promise((resolve) => setImmediate(resolve))
    t.same(later.written.at(-1)?.plan?.holdings, [])
  },
)

t.test('a plan that kills while it is being taken is not acknowledged', async (t) => {
  const { enforcement, now } = world()
  let release = () => {}
  now.workers = new Promise((resolve) => {
    release = resolve
  })
  const taking = enforcement.take(planOf({ revision: 2, holdings: [{ version: 2 }] }))
  enforcement.died()
  enforcement.died()
  release()
  t.match(await taking, { path: 'holdings[0]', reason: /two|2 workers/ })
})
