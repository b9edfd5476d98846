/** A limit is the fleet's: whatever happens, no more is in use than it says. */
import fc from 'fast-check'
import t from 'tap'
import { Allotment } from '../../control-plane/allot.ts'
import { type Asker, dealParts, dealWhole } from '../../control-plane/share-out.ts'
import { type Process, SimulatedFleet } from './allot-fleet.ts'

const asker = (key: string, over: Partial<Asker> = {}): Asker => ({
  ...{ key, share: 0, need: 0, starving: false, demanding: false, credit: 0, ...over },
})
const busy = (key: string, share: number, need: number): Asker =>
  asker(key, { share, need, starving: need > share, demanding: true })
const dealt = (shares: Map<string, number>): string =>
  [...shares].map(([key, share]) => `${key} ${share}`).join(', ')

t.test(
  'whole limits are dealt by need, and everybody has one while there is one each',
  async (t) => {
    const cases: [string, number, Asker[], string][] = [
      ['nobody asks: alike', 10, [asker('a'), asker('b'), asker('c')], 'a 4, b 3, c 3'],
      [
        'one asks for more than there is',
        10,
        [busy('a', 5, 99), asker('b', { share: 5 })],
        'a 9, b 1',
      ],
      ['both ask for more', 10, [busy('a', 9, 99), busy('b', 1, 99)], 'a 5, b 5'],
      ['the small need is met whole', 10, [busy('a', 5, 99), busy('b', 5, 3)], 'a 7, b 3'],
      [
        'nobody wants for anything: nothing moves',
        10,
        [busy('a', 8, 1), busy('b', 2, 1)],
        'a 8, b 2',
      ],
      ['a limit that was lowered', 4, [busy('a', 8, 1), busy('b', 2, 1)], 'a 2, b 2'],
      [
        'fewer than nodes, and only one asks',
        1,
        [busy('a', 0, 1), asker('b', { share: 1 })],
        'a 1, b 0',
      ],
      ['none left', 0, [busy('a', 1, 5), busy('b', 0, 1)], 'a 0, b 0'],
    ]
    for (const [name, pool, askers, expected] of cases) {
      const shares = new Map([...dealWhole(pool, askers)].sort())
      t.equal(dealt(shares), expected, name)
    }
  },
)

t.test('rates are dealt in parts', async (t) => {
  t.equal(dealt(dealParts(100, [asker('a'), asker('b')])), 'a 50, b 50')
  t.equal(dealt(dealParts(100, [busy('a', 50, 200), busy('b', 50, 10)])), 'b 10, a 90')
  t.equal(dealt(dealParts(1, [asker('a'), asker('b')])), 'a 0.5, b 0.5')
  const small = dealParts(100, [busy('a', 52, 200), busy('b', 48, 200)])
  t.equal(dealt(small), 'a 52, b 48', 'a small shift is not worth a new plan')
})

t.test('a share is given only when the one before it is confirmed', async (t) => {
  const allotment = new Allotment(10, 'count')
  allotment.join('a', undefined, 1)
  allotment.deal(1, 0)
  t.equal(allotment.share('a'), 10, 'alone it has all')
  allotment.join('b', undefined, 2)
  t.ok(allotment.deal(2, 1))
  t.equal(allotment.share('a'), 5)
  t.equal(allotment.share('b'), 0, 'nothing is free yet')
  allotment.confirm('a', 1)
  t.notOk(allotment.deal(3, 2), 'what was confirmed is the plan before')
  allotment.confirm('a', 2)
  t.ok(allotment.deal(3, 3))
  t.equal(allotment.share('b'), 5)
})

t.test(
  'a silent holder strands its share; a new process of its node is another holder',
  async (t) => {
    const allotment = new Allotment(10, 'count')
    for (const key of ['a/1', 'b/1']) allotment.join(key, undefined, 1)
    allotment.deal(1, 0)
    allotment.setLive('a/1', false)
    allotment.join('a/2', undefined, 2)
    allotment.deal(2, 1)
    t.match(allotment.shares(), [
      { key: 'a/1', share: 5, live: false, bound: 5 },
      { key: 'b/1', share: 3 },
      { key: 'a/2', share: 0 },
    ])
    allotment.leave('a/1')
    allotment.deal(3, 2)
    t.equal(allotment.share('a/2'), 5, 'what was stranded is free')
  },
)

t.test('one that comes back may use what it had until it confirms what it is sent', async (t) => {
  const allotment = new Allotment(10, 'count')
  allotment.join('a', undefined, 1)
  allotment.deal(1, 0)
  allotment.confirm('a', 1)
  allotment.join('b', undefined, 2)
  allotment.deal(3, 1) // a is to go down to 5, and the link breaks
  allotment.setLive('a', false)
  allotment.deal(4, 2)
  t.equal(allotment.share('b'), 0)
  allotment.join('a', 5, 5)
  allotment.deal(6, 3)
  t.match(allotment.shares()[0], { share: 5, bound: 10 }, 'a plan may still be on its way in there')
  allotment.confirm('a', 2)
  t.match(allotment.shares()[0], { bound: 10 }, 'what it confirms is from before')
  allotment.confirm('a', 5)
  t.match(allotment.shares()[0], { bound: 5 })
  allotment.deal(7, 4)
  t.equal(allotment.share('b'), 5)
})

t.test('one that says it has more running than its share is believed', async (t) => {
  const allotment = new Allotment(1, 'count', ['a', 'b'])
  allotment.join('a', 1, 1) // its share is 0 by now, and the call of its last turn runs
  allotment.join('b', 0, 2)
  allotment.wish('b', { inFlight: 0, wanted: 9, refused: 9 }, 0)
  allotment.deal(3, 0)
  t.equal(allotment.share('b'), 0)
  allotment.confirm('a', 3)
  allotment.deal(4, 1)
  t.equal(allotment.share('b'), 1)
})

t.test('what is reserved for one that comes twice is not given away the second time', async (t) => {
  const allotment = new Allotment(2, 'count', ['a', 'b'])
  allotment.join('a', 1, 1)
  allotment.setLive('a', false)
  allotment.join('a', 1, 2)
  allotment.deal(3, 0)
  t.equal(allotment.share('a'), 1, 'the other one may be with b')
  t.equal(allotment.reserved, 1)
  allotment.confirm('a', 1)
  allotment.join('b', 0, 4)
  allotment.confirm('b', 3)
  t.equal(allotment.reserved, 1, 'both spoke of plans from before')
  allotment.confirm('a', 3)
  allotment.confirm('b', 4)
  t.equal(allotment.reserved, 0)
})

t.test('of many plans without an answer the largest share counts', async (t) => {
  const allotment = new Allotment(100, 'count')
  allotment.join('a', undefined, 1)
  for (let limit = 100; limit > 60; limit -= 1) {
    allotment.setLimit(limit)
    allotment.deal(102 - limit, 0)
  }
  t.match(allotment.shares(), [{ share: 61, bound: 100 }])
  allotment.confirm('a', 41)
  t.match(allotment.shares(), [{ bound: 61 }])
})

t.test("after a restart what is not known to be free is nobody else's", async (t) => {
  const allotment = new Allotment(10, 'count', ['a/1', 'b/1'])
  allotment.join('a/1', 4, 100)
  allotment.join('c/1', undefined, 101)
  allotment.deal(102, 0)
  t.match(
    allotment.shares().map(({ key, share }) => `${key} ${share}`),
    ['a/1 2', 'c/1 0'],
    'six are with b, who has not been heard: the other four move',
  )
  allotment.confirm('a/1', 102)
  allotment.deal(103, 1)
  t.equal(allotment.share('c/1'), 2)
  allotment.join('b/1', 6, 104)
  allotment.deal(105, 2)
  const sum = allotment.shares().reduce((all, { bound }) => all + bound, 0)
  t.equal(sum, 10)
})

t.test('fewer than nodes: each that asks has its turn, and a turn lasts', async (t) => {
  const fleet = new SimulatedFleet(1)
  for (let i = 0; i < 3; i += 1) fleet.link(fleet.add())
  const turns: string[] = []
  for (let second = 0; second < 60; second += 1) {
    fleet.calmSecond(({ key }) => (key === 'n2' ? 0 : 5))
    const holder = fleet.processes.find(({ share }) => share > 0)
    if (holder && turns.at(-1) !== holder.key) turns.push(holder.key)
  }
  t.ok(turns.length >= 8 && turns.length <= 18, `turns: ${turns.join(' ')}`)
  t.notOk(turns.slice(1).includes('n2'), 'who does not ask has no turn')
  fleet.calmSecond(({ key }) => (key === 'n2' ? 5 : 0))
  fleet.calmSecond(({ key }) => (key === 'n2' ? 5 : 0))
  t.equal(fleet.processes[2]!.share, 1, 'an idle holder hands over at once')
})

type Act = (fleet: SimulatedFleet, process: Process) => void
type Step = readonly [act: number, whom: number]

/** How often each is drawn, of what may happen; without the weights little ever does. */
const WEIGHTED: readonly (readonly [weight: number, act: Act])[] = [
  [8, (_, process) => process.alive && process.start()],
  [2, (_, process) => process.end()],
  [8, (_, process) => process.alive && process.take()],
  [5, (_, process) => process.alive && process.say()],
  [8, (fleet, process) => fleet.hear(process)],
  [5, (fleet) => fleet.pass(700)],
  [1, (fleet, process) => fleet.cut(process)],
  [3, (fleet, process) => fleet.link(process)],
  [1, (fleet, process) => fleet.die(process)],
  [1, (fleet, process) => fleet.forget(process)],
  [1, (fleet) => fleet.processes.length < 6 && fleet.link(fleet.add())],
  [1, (fleet) => fleet.restart()],
]
const ACTS: readonly Act[] = WEIGHTED.flatMap(([weight, act]) => Array(weight).fill(act))

const steps = fc.array(fc.tuple(fc.nat(ACTS.length - 1), fc.nat(5)), {
  ...{ minLength: 20, maxLength: 300, size: 'max' as const },
})

function act(fleet: SimulatedFleet, [which, whom]: Step): void {
  ACTS[which]!(fleet, fleet.processes[whom % fleet.processes.length]!)
}

function broken(fleet: SimulatedFleet): string | undefined {
  if (fleet.inFlight > fleet.limit) return `${fleet.inFlight} in flight`
  if (fleet.enforced > fleet.limit) return `shares of ${fleet.enforced} are enforced`
  const bounds = new Map(fleet.allotment.shares().map(({ key, bound }) => [key, bound]))
  const sum = [...bounds.values()].reduce((all, bound) => all + bound, 0)
  const { reserved } = fleet.allotment
  if (sum + reserved > fleet.limit) return `${sum} + ${reserved} may be in use by the book`
  for (const { key, alive, linked, share } of fleet.processes) {
    if (alive && linked && share > (bounds.get(key) ?? 0) + reserved)
      return `${key} has more than the book says`
  }
  return undefined
}

t.test('no interleaving of acks, deaths and rejoins lets more in than the limit', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 3 }),
      steps,
      (...given) => {
        const [limit, nodes, script] = given
        const fleet = new SimulatedFleet(limit)
        for (let i = 0; i < nodes; i += 1) fleet.link(fleet.add())
        for (const step of script) {
          act(fleet, step)
          const fault = broken(fleet)
          if (fault) throw new Error(`limit ${limit}: ${fault}`)
        }
      },
    ),
    { numRuns: 8_000 },
  )
  t.pass('8,000 scripts')
})

t.test('when all is calm again the whole limit is in use and everybody has a part', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 3 }),
      steps,
      (...given) => {
        const [limit, nodes, script] = given
        const fleet = new SimulatedFleet(limit)
        for (let i = 0; i < nodes; i += 1) fleet.link(fleet.add())
        for (const step of script) act(fleet, step)
        for (const process of fleet.processes) {
          if (process.alive) fleet.link(process)
          else fleet.forget(process)
        }
        const alive = fleet.processes.filter(({ alive }) => alive)
        const served = new Set<string>()
        for (let second = 0; second < 12 + 6 * alive.length; second += 1) {
          fleet.calmSecond(() => 20)
          for (const { key, share } of alive) if (share > 0) served.add(key)
        }
        if (alive.length === 0) return
        if (fleet.enforced !== limit) throw new Error(`${fleet.enforced} of ${limit} dealt`)
        if (served.size !== alive.length)
          throw new Error(`${served.size} of ${alive.length} served`)
        const least = Math.min(...alive.map(({ share }) => share))
        if (limit >= alive.length && least < 1) throw new Error(`somebody has ${least} of ${limit}`)
      },
    ),
    { numRuns: 300 },
  )
  t.pass('300 scripts')
})
