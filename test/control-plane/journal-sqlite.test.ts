/** What is on disk is what was written, or it is known not to be. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { SqliteJournal } from '../../control-plane/journal-sqlite.ts'

const MODULE = JSON.stringify(
  new URL('../../control-plane/journal-sqlite.ts', import.meta.url).href,
)

const BODIES = ['{"one":1}', '{"two":2}', '{"three":3}', '{"four":4}']

function written(folder: string): SqliteJournal {
  const journal = new SqliteJournal(folder)
  journal.setMeta('roster', '["n-1"]')
  for (const body of BODIES) journal.append([body])
  return journal
}

/** What a start on these files would go on with. */
function opened(folder: string): { damage: string | undefined; said: string } {
  const journal = new SqliteJournal(folder)
  const said = JSON.stringify([[...journal.load()], journal.meta('roster')])
  const { damage } = journal
  journal.close()
  return { damage, said }
}

const WHOLE = JSON.stringify([BODIES, '["n-1"]'])

t.test('entries and what is remembered come back, in order', async (t) => {
  const folder = t.testdir()
  const journal = written(folder)
  journal.append(['{"five":5}', '{"six":6}'])
  t.strictSame(journal.read(0, 100, 2), ['{"five":5}', '{"six":6}'])
  t.strictSame(journal.read(1, 4, 9), ['{"two":2}', '{"three":3}'])
  journal.close()
  const again = new SqliteJournal(folder)
  t.equal(again.damage, undefined)
  t.strictSame([...again.load()], [...BODIES, '{"five":5}', '{"six":6}'])
  t.equal(again.meta('roster'), '["n-1"]')
  t.equal(again.meta('nothing'), undefined)
  again.append(['{"seven":7}'])
  again.close()
})

t.test('a batch that fails leaves nothing behind', async (t) => {
  const folder = t.testdir()
  const journal = written(folder)
  const intruder = { toString: () => '{}' } as unknown as string // SQLite takes no objects
  t.throws(() => journal.append(['{"five":5}', intruder]))
  journal.append(['{"real":5}'])
  journal.close()
  t.equal(opened(folder).damage, undefined)
  t.equal(new SqliteJournal(folder).read(4, 9, 9)[0], '{"real":5}')
})

t.test('an entry altered, dropped, added or cut off is found', async (t) => {
  const tampered: [string, string, RegExp][] = [
    ['altered', `UPDATE entries SET body = '{"two":22}' WHERE revision = 2`, /entry 2 is not/],
    ['dropped', 'DELETE FROM entries WHERE revision = 2', /entry 2 is missing/],
    ['cut off', 'DELETE FROM entries WHERE revision > 2', /ends at revision 2 and not with .* 4/],
    ['added', `INSERT INTO entries VALUES (5, '{}', 'abc')`, /entry 5 is not/],
    ['swapped', 'UPDATE entries SET revision = 5 - revision + 10', /entry 1 is missing/],
    ['remembered', `UPDATE meta SET value = '[]' WHERE key = 'roster'`, /'roster' is not/],
  ]
  for (const [name, sql, damage] of tampered) {
    const folder = t.testdir()
    written(folder).close()
    const db = new DatabaseSync(join(folder, 'ledger.sqlite'))
    db.exec(sql)
    db.close()
    const before = readFileSync(join(folder, 'ledger.sqlite'))
    const journal = new SqliteJournal(folder)
    t.match(journal.damage, damage, name)
    t.throws(() => journal.append(['{}']), damage, 'nothing more is written')
    t.throws(() => journal.setMeta('roster', '[]'))
    journal.close()
    t.ok(before.equals(readFileSync(join(folder, 'ledger.sqlite'))), 'the file is as it was found')
  }
})

/** Left as kill -9 leaves it: the newest entries are in the write-ahead log alone. */
function leftByACrash(folder: string): string[] {
  const script = `
    import { SqliteJournal } from ${MODULE}
    const journal = new SqliteJournal(${JSON.stringify(folder)})
    journal.setMeta('roster', '["n-1"]')
    for (const body of ${JSON.stringify(BODIES)}) journal.append([body])
    process.kill(process.pid, 'SIGKILL')`
  const run = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script])
  if (run.signal !== 'SIGKILL') throw new Error(run.stderr.toString())
  return readdirSync(folder).sort()
}

t.test('what was acknowledged before kill -9 is there', async (t) => {
  const folder = t.testdir()
  t.strictSame(leftByACrash(folder), ['ledger.head', 'ledger.sqlite', 'ledger.sqlite-wal'])
  t.strictSame(opened(folder), { damage: undefined, said: WHOLE })
})

/** Every how many bytes a file is broken: whole files take minutes, and seams are everywhere. */
const STRIDE = 97

t.test('a byte flipped or an end cut off anywhere is found, or was never read', async (t) => {
  const source = t.testdir({ crash: {}, clean: {} })
  leftByACrash(join(source, 'crash'))
  written(join(source, 'clean')).close()
  let found = 0
  let tried = 0
  const broken = (from: string, file: string, bytes: Buffer): void => {
    const folder = join(source, `${tried++}`)
    mkdirSync(folder)
    for (const name of readdirSync(from)) copyFileSync(join(from, name), join(folder, name))
    writeFileSync(join(folder, file), bytes)
    const { damage, said } = opened(folder)
    if (damage !== undefined) found += 1
    else if (said !== WHOLE) t.fail(`${from} ${file} ${tried}: goes on with ${said}`)
  }
  for (const from of [join(source, 'crash'), join(source, 'clean')]) {
    for (const file of readdirSync(from)) {
      const bytes = readFileSync(join(from, file))
      for (let at = 0; at < bytes.length; at += STRIDE) {
        const flipped = Buffer.from(bytes)
        flipped[at]! ^= 1 << (at % 8)
        broken(from, file, flipped)
        if (at % (STRIDE * 4) === 0) broken(from, file, bytes.subarray(0, at))
      }
    }
  }
  t.comment(`${found} of ${tried} faults found, the others touched nothing that is read`)
  t.ok(found > tried / 10)
})

t.test('two control planes cannot have one ledger', async (t) => {
  const folder = t.testdir()
  const journal = written(folder)
  const script = `
    import { SqliteJournal } from ${MODULE}
    try { new SqliteJournal(${JSON.stringify(folder)}) }
    catch (error) { console.log(error.message) }`
  const run = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script])
  t.match(run.stdout.toString(), /another process has .*ledger.sqlite/, run.stderr.toString())
  journal.close()
})
