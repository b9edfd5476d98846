/** The plan on disk: what is read is what was written, or nothing. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { PlanText } from '../../policies/plan.ts'
import { Keep, type Keeping, loadKept, PLAN_FILE, readKept, writeKept } from '../../proxy/keep.ts'
import { logger } from '../../runtime/log.ts'
import { MINUTE, planText, type Sketch } from './plans.ts'

const keeping = (sketch: Sketch): Keeping & { plan: PlanText } => ({
  plan: planText(sketch),
  released: [{ id: 'b1', version: 1 }],
  poisoned: [{ id: 'b2', version: 7 }],
})

t.test('what is written is read', async (t) => {
  const kept = readKept(writeKept(keeping({ revision: 3, holdings: [{}] }), 1000), 1000)
  t.equal(kept.plan?.revision, 3)
  t.equal(kept.plan?.holdings[0]?.intent.settings['maxInFlight'], 10)
  t.same(kept.released, [{ id: 'b1', version: 1 }])
  t.same(kept.poisoned, [{ id: 'b2', version: 7 }])
})

t.test('leases are shortened by the time away, never prolonged', async (t) => {
  const table: [string, object, number, object][] = [
    ['away for a minute', { remainingMs: 5 * MINUTE }, MINUTE, { remainingMs: 4 * MINUTE }],
    ['a clock set back', { remainingMs: 5 * MINUTE }, -MINUTE, { remainingMs: 5 * MINUTE }],
    [
      'ended meanwhile: its ramp began then',
      { remainingMs: MINUTE },
      MINUTE + 300,
      { remainingMs: 0, releasingMs: 300 },
    ],
    [
      'ended meanwhile, without a ramp',
      { remainingMs: MINUTE, intent: { onExpire: 'now' } },
      2 * MINUTE,
      { remainingMs: 0, releasingMs: undefined },
    ],
    [
      'releasing when written',
      { remainingMs: MINUTE, releasingMs: 100 },
      50,
      { remainingMs: MINUTE - 50, releasingMs: 150 },
    ],
  ]
  for (const [name, holding, awayMs, wanted] of table) {
    const text = writeKept(keeping({ holdings: [holding] }), 1_000_000)
    t.match(readKept(text, 1_000_000 + awayMs).plan?.holdings[0], wanted, name)
  }
})

t.test('damage anywhere is noticed, and the plan is ignored with an alarm', async (t) => {
  const text = writeKept(keeping({ holdings: [{}] }), 1000)
  const bytes = Buffer.from(text)
  let read = 0
  const tried = (changed: Buffer) => {
    try {
      readKept(changed.toString('utf8'), 1000)
      read += 1
    } catch {}
  }
  for (let at = 0; at < bytes.length; at++) {
    for (const flip of [0x01, 0x20, 0x80]) {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at]! ^ flip
      tried(changed)
    }
    tried(bytes.subarray(0, at))
  }
  t.equal(read, 0)

  const lines: string[] = []
  const log = logger('test', (line) => lines.push(line))
  const folder = t.testdir({ [PLAN_FILE]: text.slice(0, -1) })
  t.equal(loadKept(folder, 1000, log), undefined)
  t.match(lines.join(''), /"level":"error".*ignored.*checksum/)
  t.equal(loadKept(t.testdir({}), 1000, log), undefined)
  t.equal(lines.length, 1, 'a first start is no alarm')
})

t.test('a plan that would not be taken from the wire is not taken from disk', async (t) => {
  const given = keeping({ holdings: [{}] })
  const wrong = { ...given, plan: { ...given.plan, digest: 'x' } }
  t.throws(() => readKept(writeKept(wrong, 0), 0), /digest/)
})

t.test(
  'writing replaces as a whole, and only the newest of those waiting is written',
  async (t) => {
    const folder = t.testdir()
    const keep = new Keep(folder, () => 1000)
    const asked: number[] = []
    const written = [1, 2, 3, 4].map((revision) =>
      keep.write(() => {
        asked.push(revision)
        return keeping({ revision, holdings: [{}] })
      }),
    )
    await Promise.all(written)
    t.same(asked, [1, 4])
    t.equal(
      loadKept(
        folder,
        1000,
        logger('test', () => {}),
      )?.plan?.revision,
      4,
    )
    t.same(readdirSync(folder), [PLAN_FILE], 'nothing is left beside it')
  },
)

t.test('a disk that does not take it is told, and the next try may succeed', async (t) => {
  const folder = t.testdir({ plan: 'file' })
  const keep = new Keep(join(folder, 'plan'), () => 1000)
  await t.rejects(keep.write(() => keeping({})))
  await t.rejects(keep.write(() => keeping({})))
  const good = new Keep(folder, () => 1000)
  writeFileSync(join(folder, PLAN_FILE), 'old')
  await t.rejects(
    good.write(() => {
      throw new RangeError('not now')
    }),
  )
  t.equal(readFileSync(join(folder, PLAN_FILE), 'utf8'), 'old')
  await good.write(() => keeping({}))
  t.not(readFileSync(join(folder, PLAN_FILE), 'utf8'), 'old')
})
