/** The ledger's fold, told as short histories. */
import t from 'tap'
import { intentId } from '../../control-plane/intent-id.ts'
import {
  AIRSPACE,
  type Draft,
  ENDED_MAX,
  type Entry,
  Ledger,
  UNDO_MAX,
} from '../../control-plane/ledger.ts'
import type { IntentText } from '../../policies/intent.ts'

const intentOf = (id: string, maxInFlight = 1): IntentText =>
  ({ id, kind: 'bulkhead', from: '*', to: 'web', settings: { maxInFlight } }) as IntentText

/** Writes drafts as the book does: one batch, at a time that the test says. */
function write(ledger: Ledger, atMs: number, ...drafts: Draft[]): number {
  const batch = ledger.revision + 1
  for (const draft of drafts) {
    const entry: Entry = { ...draft, revision: ledger.revision + 1, batch, atMs, wallMs: atMs }
    ledger.add(entry)
  }
  return ledger.revision
}

const apply = (id: string, over: Partial<Draft> = {}, maxInFlight = 1): Draft => ({
  ...{ act: 'apply', id, author: 'anna', text: `bulkhead ${id}`, reason: 'slow' },
  ...{ intent: intentOf(id, maxInFlight), leaseMs: 60_000, rampMs: 10_000, ...over },
})
const release = (id: string, over: Partial<Draft> = {}): Draft => ({
  ...{ act: 'release', id, author: 'anna', text: `release ${id}`, reason: '' },
  ...{ rampMs: 10_000, ...over },
})
const extend = (id: string, leaseMs: number, author = 'anna'): Draft => ({
  ...{ act: 'extend', id, author, text: '', reason: '', leaseMs },
})

const states = (ledger: Ledger): string =>
  ledger
    .all()
    .map((s) => `${s.id} ${s.state}`)
    .join(', ')

t.test('an intent is in force, then releasing, then ended', async (t) => {
  const ledger = new Ledger()
  t.equal(write(ledger, 0, apply('a')), 1)
  t.match(ledger.get('a'), { state: 'in force', version: 1, untilMs: 60_000, author: 'anna' })
  t.strictSame(ledger.due(59_999), [])
  write(ledger, 60_000, ...ledger.due(60_000))
  t.match(ledger.get('a'), { state: 'releasing', version: 2, changedBy: AIRSPACE, author: 'anna' })
  t.strictSame(ledger.due(60_001), [], 'an expiry is written once')
  t.strictSame(ledger.settle(69_999), [])
  t.equal(ledger.live().length, 1)
  t.strictSame(ledger.settle(70_000), ['a'])
  t.equal(ledger.live().length, 0)
  t.equal(ledger.revision, 2, 'a ramp that is over is no entry')
})

t.test('a release at once ends at once; an extension counts from its own time', async (t) => {
  const ledger = new Ledger()
  write(ledger, 0, apply('a'), apply('b'))
  write(ledger, 1_000, release('a', { rampMs: 0 }))
  t.equal(states(ledger), 'a ended, b in force')
  write(ledger, 50_000, extend('b', 30_000))
  t.match(ledger.get('b'), { untilMs: 80_000, version: 4, intent: { leaseMs: 30_000 } })
  t.throws(() => ledger.mustBeLive('a'), { fault: 'missing', message: 'a has ended already' })
  t.throws(() => ledger.mustBeLive('zz'), { fault: 'missing', message: "no intent 'zz'" })
})

t.test('entries are only taken in turn, and never about nothing', async (t) => {
  const ledger = new Ledger()
  const entry: Entry = { ...apply('a'), revision: 2, batch: 2, atMs: 0, wallMs: 0 }
  t.throws(() => ledger.add(entry), /does not follow/)
  t.throws(() => write(ledger, 0, release('nobody')), /never was/)
  t.equal(ledger.revision, 0, 'what could not be taken changed nothing')
})

t.test('undo takes back the last change of its author', async (t) => {
  const undone: [string, Draft[][], number, string][] = [
    ['a new intent is released by its ramp', [[apply('a')]], 5_000, 'a releasing'],
    [
      'a changed one is as it was, for what its lease had left',
      [[apply('a')], [apply('a', {}, 9)]],
      5_000,
      'a in force',
    ],
    ['a release is taken back', [[apply('a')], [release('a')]], 5_000, 'a in force'],
    [
      'a release of many is one change',
      [[apply('a')], [apply('b')], [release('a'), release('b')]],
      5_000,
      'a in force, b in force',
    ],
    ['an extension is taken back', [[apply('a')], [extend('a', 500_000)]], 5_000, 'a in force'],
    [
      'a lease that would be over by now ends',
      [[apply('a')], [extend('a', 500_000)]],
      70_000,
      'a releasing',
    ],
  ]
  for (const [name, batches, atMs, expected] of undone) {
    const ledger = new Ledger()
    for (const batch of batches) write(ledger, 0, ...batch)
    write(ledger, atMs, ...ledger.undo('anna', '', atMs))
    t.equal(states(ledger), expected, name)
    const standing = ledger.get('a')!
    if (standing.state === 'in force') {
      t.equal(standing.untilMs, 60_000, `${name}: the lease ends when it would have`)
      t.match(standing.intent.settings, { maxInFlight: 1 })
    }
  }
})

t.test('undo goes back one change at a time and skips what ended by itself', async (t) => {
  const ledger = new Ledger()
  write(ledger, 0, apply('a', { leaseMs: 200_000 }))
  write(ledger, 0, apply('b'))
  write(ledger, 0, apply('c', { leaseMs: 100_000 }))
  write(ledger, 60_000, ...ledger.due(60_000))
  write(ledger, 60_001, ...ledger.undo('anna', '', 60_001))
  t.equal(states(ledger), 'a in force, b releasing, c releasing')
  write(ledger, 60_002, ...ledger.undo('anna', '', 60_002))
  t.equal(states(ledger), 'a releasing, b releasing, c releasing')
  t.throws(() => ledger.undo('anna', '', 60_003), { fault: 'missing', message: /no change by/ })
  t.throws(() => ledger.undo('ben', '', 60_003), { fault: 'missing', message: /no change by/ })
})

t.test('undo refuses what somebody else has changed since', async (t) => {
  const ledger = new Ledger()
  write(ledger, 0, apply('a'))
  write(ledger, 1, extend('a', 90_000, 'ben'))
  t.throws(() => ledger.undo('anna', '', 2), {
    fault: 'conflict',
    message: 'a was changed since by ben (revision 2); it is not undone',
  })
})

t.test('what is kept is bounded', async (t) => {
  const ledger = new Ledger()
  for (let i = 0; i < ENDED_MAX + 5; i += 1) {
    write(ledger, 0, apply(`i${i}`))
    write(ledger, 0, release(`i${i}`, { rampMs: 0, author: 'ben' }))
  }
  t.equal(ledger.all().length, ENDED_MAX)
  t.notOk(ledger.get('i4'))
  t.ok(ledger.get('i5'))
  for (let i = 0; i < UNDO_MAX + 1; i += 1) write(ledger, 0, extend('i9', 1_000 + i, 'carl'))
  for (let i = 0; i < UNDO_MAX; i += 1) write(ledger, 0, ...ledger.undo('carl', '', 0))
  t.throws(() => ledger.undo('carl', '', 0), { fault: 'missing', message: /no change by/ })
})

t.test('ids are short and never given twice', async (t) => {
  const seen = new Set<string>()
  for (let revision = 1; revision < 70_000; revision += 1) {
    seen.add(intentId('bulkhead', revision, 12_345))
  }
  t.equal(seen.size, 69_999)
  t.match(intentId('bulkhead', 7, 1), /^bh-[0-9a-z]{3}$/)
  t.not(intentId('bulkhead', 7, 1), intentId('bulkhead', 7, 2))
  t.match(intentId('steer', 7, 1), /^st-/)
})
