/** Disk first; a full disk keeps nobody from letting go; no wall clock ends a lease. */
import t from 'tap'
import { Book, QUEUED_MAX } from '../../control-plane/book.ts'
import { type Journal, SqliteJournal } from '../../control-plane/journal-sqlite.ts'
import type { Draft } from '../../control-plane/ledger.ts'
import type { IntentText } from '../../policies/intent.ts'

class HandClock {
  mono = 1_000_000
  wall = 1_700_000_000_000
  nowMs = (): number => this.mono
  wallMs = (): number => this.wall
  pass(ms: number): void {
    this.mono += ms
    this.wall += ms
  }
}

/** A disk that can be full. */
class Disk implements Journal {
  damage: string | undefined
  full = false
  readonly bodies: string[] = []
  readonly metas = new Map<string, string>()
  load = (): string[] => [...this.bodies]
  append(bodies: readonly string[]): void {
    if (this.full) throw new Error('database or disk is full')
    this.bodies.push(...bodies)
  }
  read = (after: number, before: number, limit: number): string[] =>
    this.bodies.slice(after, before - 1).slice(-limit)
  meta = (key: string): string | undefined => this.metas.get(key)
  setMeta(key: string, value: string): void {
    if (this.full) throw new Error('database or disk is full')
    this.metas.set(key, value)
  }
  close(): void {}
}

const apply = (id: string, leaseMs = 60_000): Draft => ({
  ...{ act: 'apply', id, author: 'anna', text: 'bulkhead', reason: '', leaseMs, rampMs: 0 },
  intent: { id, kind: 'bulkhead', from: '*', to: 'web', settings: {} } as IntentText,
})
const release = (id: string): Draft => ({
  ...{ act: 'release', id, author: 'anna', text: '', reason: '', rampMs: 0 },
})

const states = (book: Book): string =>
  book.ledger
    .all()
    .map(({ id, state }) => `${id} ${state}`)
    .join(', ')

t.test('a restart goes on where it was, by the same name', async (t) => {
  const folder = t.testdir()
  const clock = new HandClock()
  const journal = new SqliteJournal(folder)
  const book = new Book(journal, clock, 'boot-1')
  t.match(book.write([apply('a')]), { onDisk: true, entries: [{ revision: 1, batch: 1 }] })
  book.write([apply('b'), release('a')])
  t.equal(book.diskMs(3), clock.mono)
  journal.close()
  clock.pass(10_000)
  const again = new Book(new SqliteJournal(folder), clock, 'boot-1')
  t.equal(again.id, book.id)
  t.equal(again.seed, book.seed)
  t.equal(states(again), 'a ended, b in force')
  t.equal(again.ledger.get('b')?.untilMs, 1_060_000)
  t.match(again.entries(0, 99, 2), [
    { revision: 2, batch: 2, id: 'b' },
    { revision: 3, batch: 2, id: 'a', act: 'release' },
  ])
})

t.test('leases end by the monotonic clock, whatever the wall clock does', async (t) => {
  const jumps: [string, number, string][] = [
    ['an hour forward', 3_600_000, 'boot-1'],
    ['an hour back', -3_600_000, 'boot-1'],
    ['an hour back across a restart of the machine', -3_600_000, 'boot-2'],
  ]
  for (const [name, jumpMs, boot] of jumps) {
    const clock = new HandClock()
    const disk = new Disk()
    const book = new Book(disk, clock, 'boot-1')
    book.write([apply('a')])
    clock.wall += jumpMs
    book.tend()
    t.equal(states(book), 'a in force', `${name}: running`)
    if (boot === 'boot-2') clock.mono = 5_000
    clock.pass(1_000)
    const again = new Book(disk, clock, boot)
    again.tend()
    t.equal(states(again), 'a in force', `${name}: after a restart`)
    clock.pass(60_001)
    again.tend()
    t.equal(states(again), 'a ended', `${name}: over when it is over`)
    t.match(again.entries(0, 99, 9).at(-1), { act: 'expire', author: 'airspace', revision: 2 })
  }
})

t.test('what ended while we were away is written when we are back', async (t) => {
  const clock = new HandClock()
  const disk = new Disk()
  new Book(disk, clock, 'boot-1').write([apply('a')])
  clock.pass(100_000)
  clock.mono = 10 // another start of the machine
  const book = new Book(disk, clock, 'boot-2')
  t.match(book.tend().entries, [{ act: 'expire', id: 'a' }])
  t.strictSame(book.tend().entries, [])
})

t.test('a full disk: changes are refused, releases and expiries are not', async (t) => {
  const clock = new HandClock()
  const disk = new Disk()
  const book = new Book(disk, clock, 'boot-1')
  book.write([apply('a'), apply('b')])
  disk.full = true
  t.throws(() => book.write([apply('c')]), {
    fault: 'failed',
    message: /disk is full.*nothing was changed/,
  })
  t.equal(book.ledger.revision, 2, 'nothing was changed')
  t.match(book.write([release('a')], true), { onDisk: false })
  t.equal(states(book), 'a ended, b in force')
  t.strictSame(book.alarms(), [
    'the journal cannot be written (database or disk is full): 1 entry is not on disk',
  ])
  clock.pass(60_001)
  t.match(book.tend().entries, [{ act: 'expire', id: 'b' }])
  t.match(book.entries(2, 99, 9), [{ act: 'release' }, { act: 'expire' }], 'both can be seen')
  t.throws(() => book.write([apply('c')]), { fault: 'failed', message: /cannot be written/ })
  t.equal(disk.bodies.length, 2)
  disk.full = false
  book.write([apply('c')])
  t.strictSame(book.alarms(), [])
  const acts = new Book(disk, clock, 'boot-1').entries(0, 99, 9).map(({ act }) => act)
  t.strictSame(acts, ['apply', 'apply', 'release', 'expire', 'apply'], 'in the order they happened')
})

t.test('what waits for the disk is bounded', async (t) => {
  const disk = new Disk()
  const book = new Book(disk, new HandClock(), 'boot-1')
  book.write([apply('a')])
  disk.full = true
  const many = Array.from({ length: QUEUED_MAX }, () => release('a'))
  book.write(many, true)
  t.throws(() => book.write([release('a')], true), {
    fault: 'failed',
    message: /cannot be written/,
  })
})

t.test('a damaged journal takes nothing, and says what would do', async (t) => {
  const clock = new HandClock()
  const disk = new Disk()
  new Book(disk, clock, 'boot-1').write([apply('a', 1)])
  disk.damage = 'entry 2 is missing'
  const book = new Book(disk, clock, 'boot-1')
  t.throws(() => book.write([release('a')], true), {
    fault: 'damaged',
    message: /entry 2 is missing; put a good copy/,
  })
  clock.pass(1_000)
  t.strictSame(book.tend(), { entries: [], ended: [] })
  t.strictSame(book.alarms(), ['the journal is damaged: entry 2 is missing'])
})

t.test('histories that part get another name, which is remembered', async (t) => {
  const disk = new Disk()
  const book = new Book(disk, new HandClock(), 'boot-1')
  const [name, term] = book.id.split('.')
  t.equal(term, '1')
  t.equal(book.part(), `${name}.2`)
  t.equal(new Book(disk, new HandClock(), 'boot-1').id, `${name}.2`)
})
