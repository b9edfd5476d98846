/**
 * The runner's last line is true: what failed, hung, fell silent or was skipped is never a pass.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Exit, type FileResult, Tally } from './support/tally.ts'

const tallied = (tap: string, exit: Exit = { code: 0, signal: null }): FileResult => {
  const tally = new Tally('x.test.ts')
  // In small pieces, as a pipe may give it.
  for (let at = 0; at < tap.length; at += 7) tally.stdout(tap.slice(at, at + 7))
  return tally.end(exit)
}
const countsOf = ({ passed, failed, skipped }: FileResult): number[] => [
  ...[passed, failed.length, skipped.length],
]

const named = (name: string, ok: boolean, inner = 'ok 1 - fine'): string =>
  `# Subtest: ${name}\n    ${inner}\n    1..1\n${ok ? 'ok' : 'not ok'} 1 - ${name}\n`

const table: [what: string, tap: string, exit: Exit, counts: number[], failure: string][] = [
  ['a passed test', `${named('a', true)}1..1\n`, { code: 0, signal: null }, [1, 0, 0], ''],
  [
    'a failed test',
    `${named('a', false, 'not ok 1 - one is two')}1..1\n`,
    { code: 1, signal: null },
    [0, 1, 0],
    'x.test.ts > a',
  ],
  ['a skipped test', 'ok 1 - a # SKIP no psql\n1..1\n', { code: 0, signal: null }, [0, 0, 1], ''],
  ['a to-do', 'not ok 1 - a # TODO later\n1..1\n', { code: 0, signal: null }, [0, 0, 1], ''],
  ['a file of asserts', 'ok 1\nok 2\n1..2\n', { code: 0, signal: null }, [1, 0, 0], ''],
  ['a failed assert', 'ok 1\nnot ok 2 - b\n1..2\n', { code: 1, signal: null }, [0, 1, 0], '> b'],
  ['a skipped file', '1..0 # no vectors\n', { code: 0, signal: null }, [0, 0, 1], ''],
  ['an empty file', '', { code: 0, signal: null }, [0, 1, 0], 'x.test.ts'],
  ['a file without tests', '1..0 # no tests found\n', { code: 0, signal: null }, [0, 1, 0], ''],
  ['a file that stops midway', named('a', true), { code: 0, signal: null }, [1, 1, 0], ''],
  ['a test too few', `${named('a', true)}1..2\n`, { code: 0, signal: null }, [1, 1, 0], ''],
  [
    'an exit code',
    `${named('a', true)}1..1\n`,
    { code: 7, signal: null },
    [1, 1, 0],
    'exited with 7',
  ],
  [
    'a crash',
    `${named('a', true)}1..1\n`,
    { code: null, signal: 'SIGSEGV' },
    [1, 1, 0],
    'ended by SIGSEGV',
  ],
  [
    'a bail-out',
    'Bail out! no disk\n',
    { code: 1, signal: null },
    [0, 1, 0],
    'bailed out: no disk',
  ],
  [
    'a hang',
    named('a', true),
    { code: null, signal: 'SIGKILL', timedOutS: 9 },
    [1, 1, 0],
    'timed out after 9 s',
  ],
]
for (const [what, tap, exit, counts, failure] of table) {
  t.test(`${what} is counted as one`, async (t) => {
    const result = tallied(tap, exit)
    t.strictSame(countsOf(result), counts, JSON.stringify(result))
    const [first] = result.failed
    if (failure !== '') t.match(`${first?.name}: ${first?.why.join(' ')}`, failure)
  })
}

t.test('a skip within a passed test is told with its place and reason', async (t) => {
  const result = tallied(`${named('a', true, 'ok 1 - deep # SKIP no psql')}1..1\n`)
  t.strictSame(result.skipped, [{ name: 'x.test.ts > a > deep', why: ['no psql'] }])
})

const root = join(import.meta.dirname, '..')
/** Runs the runner on files of its own; gives its last line and all it printed. */
const run = (
  t: Test,
  files: Record<string, string>,
  ...args: string[]
): Promise<[string, string]> => {
  const folder = t.testdir(files)
  const command = ['test/support/run.ts', '--timeout=2', ...args, folder]
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: root }, (error, stdout) => {
      const lines = stdout.trimEnd().split('\n')
      resolve([`${lines.at(-1)} (${error?.code ?? 0})`, stdout])
    })
  })
}
/** A process that nobody has waited for yet is a zombie, Z: gone, but for its number. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return existsSync('/proc') && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

const passing = "import t from 'tap'\nt.test('fine', async (t) => t.pass())\n"
const skipping = "import t from 'tap'\nt.test('db', { skip: 'no psql' }, () => {})\n"

t.test('passes, failures and skips end in one line and an exit code', async (t) => {
  const failing = "import t from 'tap'\nt.test('bad', async (t) => t.equal(1, 2, 'one is two'))\n"
  const [good] = await run(t, { 'a.test.ts': passing, 'b.test.ts': passing })
  t.equal(good, '2 passed, 0 failed (0)')
  const [bad, told] = await run(t, { 'a.test.ts': passing, 'b.test.ts': failing })
  t.equal(bad, '1 passed, 1 failed (1)')
  t.match(told, /b\.test\.ts > bad\n +one is two\n +at .*b\.test\.ts:2/)
})

t.test('a skip is told with its reason, and fails where none is allowed', async (t) => {
  const files = { 'a.test.ts': passing, 'b.test.ts': skipping }
  const [allowed, told] = await run(t, files)
  t.equal(allowed, '1 passed, 0 failed, 1 skipped (0)')
  t.match(told, /skipped:\n.*b\.test\.ts > db: no psql/)
  t.equal((await run(t, files, '--no-skip'))[0], '1 passed, 1 failed (1)')
})

t.test('a file that cannot start, or does nothing, has failed', async (t) => {
  const [line, told] = await run(t, { 'a.test.ts': 'enum X { A }', 'b.test.ts': '' })
  t.equal(line, '0 passed, 2 failed (1)')
  t.match(told, /enum is not supported/, 'what it wrote to standard error is shown')
})

t.test('a hung file is ended and named; what it started goes with it', async (t) => {
  const hung = `import { spawn } from 'node:child_process'
    import t from 'tap'
    t.test('waits', async () => {
      spawn('sleep', ['60'], { stdio: 'inherit' })
      for (;;) {}
    })`
  const [line, told] = await run(t, { 'a.test.ts': hung, 'b.test.ts': passing })
  t.equal(line, '1 passed, 1 failed (1)')
  t.match(told, /a\.test\.ts\n +timed out after 4 s/)
})

t.test('what a file leaves behind holds nothing up, and is ended', async (t) => {
  const leaving = `import { spawn } from 'node:child_process'
    import { writeFileSync } from 'node:fs'
    import t from 'tap'
    t.test('leaves', async (t) => {
      for (const detached of [false, true]) {
        const child = spawn('sleep', ['300'], { stdio: 'inherit', detached })
        writeFileSync(new URL('./detached-' + detached, import.meta.url), String(child.pid))
        child.unref()
      }
      t.pass()
    })`
  t.equal((await run(t, { 'a.test.ts': leaving }))[0], '1 passed, 0 failed (0)')
  const pidOf = (detached: boolean) =>
    readFileSync(join(t.testdirName, `detached-${detached}`), 'utf8')
  t.ok(isGone(Number(pidOf(false))), 'one of its group is gone')
  t.ok(process.kill(Number(pidOf(true)), 'SIGKILL'), 'one that left the group is not ours to end')
})

t.test('a run without any test has failed', async (t) => {
  t.match((await run(t, {}))[0], '(2)')
})
