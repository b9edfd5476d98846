/** The laws that all patterns obey, whatever the traffic and however the plan changes. */
import fc from 'fast-check'
import t from 'tap'
import { edgeOf } from '../../landscape/edge.ts'
import { catalog } from '../../policies/catalog.ts'
import type { Cells } from '../../policies/cells.ts'
import { delay, type Pattern, pass, refuse } from '../../policies/pattern.ts'
import { Policy } from '../../policies/policy.ts'
import { HEADER, LINE_CELLS, ROW_CELLS } from '../../policies/row.ts'
import { liveKeys } from '../../policies/tend.ts'
import { Passage } from '../../proxy/gate.ts'
import { Story } from './story.ts'
import { boundOf, Counter, callOn, cellsOf, World } from './world.ts'

const SEEDS = 200
const STEPS = 250

/** Every gauge there is, in rows in use, taken back or of a kind: totals and workers' parts. */
function gaugesOf({ memory }: Cells): number[] {
  const cells = new Int32Array(memory)
  const found: number[] = []
  for (let at = LINE_CELLS; at < cells.length; at += ROW_CELLS) {
    for (let line = 1; line < ROW_CELLS / LINE_CELLS; line += 1) {
      if (!(cells[at + HEADER.gauges]! & (1 << line))) continue
      found.push(...cells.subarray(at + line * LINE_CELLS, at + (line + 1) * LINE_CELLS))
    }
  }
  return found
}

t.test('every pattern: when all have left every count is 0', async (t) => {
  let verdicts = ''
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const story = new Story(seed, seed % 2 === 0)
    story.tell(STEPS)
    const { cells } = story.worlds[0]!
    const [before] = [gaugesOf(cells).filter((count) => count !== 0)]
    if (before!.some((count) => count < 0)) t.fail(`seed ${seed}: a count below 0`)
    story.end()
    const left = gaugesOf(cells).filter((count) => count !== 0)
    if (left.length > 0) t.fail(`seed ${seed}: ${left} left`)
    t.equal(cells.overflowed, 0)
    verdicts += story.lines.map((line) => line.split(' ')[1]![0]).join('')
  }
  // A story in which little happens proves little.
  for (const letter of 'pwr') {
    const times = verdicts.split(letter).length - 1
    t.ok(times > 2000, `${letter}: ${times} times`)
  }
})

t.test(
  'every pattern: the same state, settings, call and time give the same decision',
  async (t) => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const [one, two] = [new Story(seed, true), new Story(seed, true)]
      one.tell(STEPS)
      two.tell(STEPS)
      t.same(one.lines, two.lines, `seed ${seed}`)
    }
  },
)

t.test('every pattern: what only observes changes no enforced result', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const [with_, without] = [new Story(seed, true), new Story(seed, false)]
    with_.tell(STEPS)
    without.tell(STEPS)
    t.same(with_.lines, without.lines, `seed ${seed}`)
  }
})

const settingsOf = (kind: string) =>
  kind === 'bulkhead' ? { maxInFlight: 3 } : kind === 'backpressure' ? { ratePerSecond: 50 } : {}

t.test('every pattern: releasing one intent leaves the cells of all others alone', async (t) => {
  for (const { kind } of catalog) {
    const world = new World()
    const others = catalog.map((pattern) =>
      boundOf({
        kind: pattern.kind,
        id: `other-${pattern.kind}`,
        to: 'payments',
        from: 'web',
        percent: pattern.kind === 'segment' || pattern.kind === 'quarantine' ? 1 : 100,
        settings: settingsOf(pattern.kind),
      }),
    )
    const one = boundOf({
      kind,
      id: 'one',
      to: 'payments',
      settings: settingsOf(kind),
      percent: 50,
    })
    world.apply(...others, one)
    for (let ms = 1; ms < 40; ms += 1) {
      const { passage, verdict } = world.enter(callOn(), 1_000_000 + ms)
      if (ms % 3 > 0 && verdict === 'pass') passage.leave('failure', 1_000_001 + ms)
    }
    const before = new Int32Array(world.cells.memory).slice()
    world.apply(...others)
    const taken = world.cells.reclaim(liveKeys(world.policies.intents))
    const after = new Int32Array(world.cells.memory)
    const changed = new Set<number>()
    for (const [at, cell] of after.entries()) {
      if (cell !== before[at] && at >= LINE_CELLS) {
        changed.add(Math.floor((at - LINE_CELLS) / ROW_CELLS))
      }
    }
    t.ok(changed.size <= taken, `${kind}: ${changed.size} rows changed, ${taken} taken back`)
  }
})

/** A pattern that does as it is told, and keeps account. */
function spy(id: number, answers: readonly string[]) {
  const account = { asked: 0, passed: new Map<number, number>(), settled: 0, wrong: 0 }
  const pattern: Pattern = {
    kind: 'bulkhead',
    help: 'does as it is told',
    fields: {},
    per: 'policy',
    existing: 'keep',
    cells: () => account,
    admit() {
      const answer = answers[account.asked % answers.length]!
      account.asked += 1
      if (answer === 'refuse') return refuse('bulkhead', `by ${id}`, 0)
      const mark = account.asked
      account.passed.set(mark, (account.passed.get(mark) ?? 0) + 1)
      return answer === 'delay' ? delay(5, mark) : pass(mark)
    },
    settle(_state, _settings, { mark }) {
      account.settled += 1
      if (!account.passed.delete(mark)) account.wrong += 1
    },
  }
  return { pattern, account }
}

t.test('every pattern: each admit that passed is settled once, with its own mark', async (t) => {
  const answer = fc.constantFrom('pass', 'pass', 'refuse', 'delay')
  const kind = fc.record({
    answers: fc.array(answer, { minLength: 1, maxLength: 6 }),
    observed: fc.boolean(),
    percent: fc.constantFrom(100, 50),
  })
  const act = fc.constantFrom('enter', 'enter', 'resume', 'leave', 'leave', 'twice', 'restart')
  const property = fc.property(
    fc.array(kind, { maxLength: 5 }),
    fc.array(fc.tuple(act, fc.integer({ min: 0, max: 7 }), fc.double({ min: 0, max: 0.99 })), {
      maxLength: 80,
    }),
    (kinds, acts) => {
      const edge = edgeOf('web', 'payments')
      const cells = cellsOf()
      const spies = kinds.map(({ answers }, id) => spy(id, answers))
      const policies = kinds.map(({ observed, percent }, id) => {
        const bound = boundOf({ kind: 'bulkhead', mode: observed ? 'observe' : 'enforce', percent })
        const { pattern } = spies[id]!
        const row = cells.row(`spy ${id}`, '', '', 0)
        return new Policy({ ...bound, intent: { ...bound.intent, pattern } }, edge, 'on', row, row)
      })
      const passages = Array.from({ length: 8 }, () => ({ it: new Passage(new Counter()), in: '' }))
      for (const [what, at, chance] of acts) {
        const one = passages[at]!
        const call = callOn(edge, { chance })
        if (what === 'enter' && one.in === '') one.in = one.it.enter(policies, call, at)
        else if (what === 'resume' && one.in === 'wait') one.in = one.it.resume(call, at)
        else if (what === 'restart' && one.in === 'wait')
          one.in = one.it.restart(policies, call, at)
        else if (what === 'leave' || what === 'twice') {
          one.it.leave('success', at)
          one.in = ''
        }
        if (what === 'twice') one.it.leave('ignored', at)
        if (one.in === 'refuse') one.in = ''
      }
      for (const { it } of passages) it.leave('ignored', 9)
      return spies.every(({ account }) => account.passed.size === 0 && account.wrong === 0)
    },
  )
  fc.assert(property, { numRuns: 500 })
  t.pass('500 random scripts')
})
