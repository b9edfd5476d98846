/** Interrupted, lost, forged: what was already applied is told, whatever happens while waiting. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../../cli/main.ts'
import { FakeControl, never } from '../support/fake-control.ts'
import { ROOT } from '../support/processes.ts'
import { CANNED } from './canned.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { OPERATOR, runWith, wordsOf, writeToken } from './run.ts'

const bulkhead = wordsOf('airspace bulkhead web..payments --max-in-flight 3')

async function started(t: Test, script: FakeControl['script']): Promise<FakeControl> {
  const control = await new FakeControl({ ...CANNED['everywhere'], ...script }).start()
  t.teardown(() => control.stop())
  return control
}

t.test('an interrupt while waiting tells what was applied, and ends with 130', async (t) => {
  const terminal = new FakeTerminal()
  const control = await started(t, {
    await: () => {
      terminal.interrupt()
      return never()
    },
  })
  Object.assign(terminal.env, { AIRSPACE_CONTROL: control.address })
  const beganMs = performance.now()
  t.equal(await run(bulkhead.slice(1), terminal), 130)
  t.ok(performance.now() - beganMs < 5_000, 'at once, and not when the wait is over')
  t.match(terminal.stdout, /^bh-91c {2}bulkhead .*\nrevision 17 is accepted; interrupted\n$/)
})

t.test('an interrupt before anything was done says nothing was', async (t) => {
  const terminal = new FakeTerminal()
  const control = await started(t, {
    apply: () => {
      terminal.interrupt()
      return never()
    },
  })
  Object.assign(terminal.env, { AIRSPACE_CONTROL: control.address })
  t.equal(await run(bulkhead.slice(1), terminal), 130)
  t.equal(terminal.stdout, '')
})

t.test('Ctrl-C on the real thing', async (t) => {
  const child: ChildProcess[] = []
  const control = await started(t, {
    getStatus: () => {
      child[0]?.kill('SIGINT')
      return never()
    },
  })
  const main = join(ROOT, 'cli', 'main.ts')
  const env = { ...process.env, AIRSPACE_CONTROL: control.address }
  child.push(spawn(process.execPath, [main, 'status'], { env, stdio: 'ignore' }))
  t.equal(await new Promise((resolve) => child[0]?.on('exit', resolve)), 130)
})

t.test('the id is out before the wait begins', async (t) => {
  const terminal = new FakeTerminal()
  let early = ''
  const control = await started(t, {
    await: ({ revision }) => {
      early = terminal.stdout
      return [{ revision, expected: 1, reported: 1, done: true }]
    },
  })
  Object.assign(terminal.env, { AIRSPACE_CONTROL: control.address })
  await run(bulkhead.slice(1), terminal)
  t.match(early, /^bh-91c/)
})

t.test('what is asked is what was typed: nothing more is set, and blanks stay blank', async (t) => {
  const control = await started(t, {})
  await runWith(control, wordsOf("airspace bulkhead '*..web' --max-in-flight 1"))
  const [request] = control.requests('apply')
  t.equal(request?.intent?.from, '*')
  t.equal(request?.intent?.to, 'web')
  t.strictSame(Object.keys(request?.intent?.settings ?? {}), ['maxInFlight'])
  t.equal(request?.intent?.leaseMs, undefined)
  t.equal(request?.intent?.percent, undefined)
  t.equal(request?.change, '')
})

t.test('the wait asked of the control plane is the one that was typed', async (t) => {
  const control = await started(t, {})
  await runWith(control, [...bulkhead, '--wait', '30s', '--timeout', '1s'])
  t.equal(control.requests('await')[0]?.waitMs, 30_000)
  t.equal(control.requests('await')[0]?.revision, 17n)
})

t.test('a dry run applies nothing', async (t) => {
  const control = await started(t, {})
  await runWith(control, [...bulkhead, '--dry-run'])
  t.strictSame(
    control.asked.map(({ name }) => name),
    ['dryRun'],
  )
})

t.test('the token goes along: found by itself, by environment, by flag', async (t) => {
  const control = await started(t, {})
  const other = writeToken('elsewhere', 'a.token', 'aa'.repeat(32))
  const third = writeToken('elsewhere', 'b.token', 'bb'.repeat(32))
  const env = { AIRSPACE_TOKEN_FILE: other }
  await runWith(control, ['airspace', 'status'])
  await runWith(control, ['airspace', 'status'], { env })
  await runWith(control, ['airspace', 'status', '--token-file', third], { env })
  t.strictSame(
    control.asked.map(({ authorization }) => authorization),
    [OPERATOR, 'aa'.repeat(32), 'bb'.repeat(32)].map((token) => `Bearer ${token}`),
  )
})

t.test('a token that others can read is said', async (t) => {
  const control = await started(t, {})
  const open = writeToken('elsewhere', 'open.token', 'cc'.repeat(32))
  chmodSync(open, 0o644)
  const ran = await runWith(control, ['airspace', 'check', '--only', 'cli', '--token-file', open])
  t.match(ran.stdout, /‼ token .*open\.token can be read by others\n +fix: chmod 600 /)
})

t.test('a file that holds no token is refused, not sent', async (t) => {
  const control = await started(t, {})
  const odd = writeToken('elsewhere', 'odd.token', 'two words')
  const ran = await runWith(control, ['airspace', 'status', '--token-file', odd])
  t.equal(ran.exit, 7)
  t.equal(control.asked.length, 0)
})

t.test('a flag beats the environment', async (t) => {
  const control = await started(t, {})
  const ran = await runWith(undefined, ['airspace', 'status', '--control', control.address], {
    env: { AIRSPACE_CONTROL: '127.0.0.1:1' },
  })
  t.equal(ran.exit, 0)
})

t.test('a form that cannot be printed is refused before anything is changed', async (t) => {
  const control = await started(t, {})
  for (const form of ['short', 'jsn']) {
    t.equal((await runWith(control, [...bulkhead, '-o', form])).exit, 2)
  }
  t.equal(control.asked.length, 0)
})
