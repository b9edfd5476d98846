/** The process: what it takes, what it says, and how it ends. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { readConfig } from '../../control-plane/config.ts'
import { ROOT } from '../support/processes.ts'
import { bulkhead, Plane } from './running.ts'

const MAIN = join(ROOT, 'control-plane/main.ts')

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    timeout: 20_000,
    encoding: 'utf8',
  })

t.test('what cannot be is said, with what would do', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--grpc', '0.0.0.0:7400'], /--grpc: 0.0.0.0:7400 can be reached from other machines/],
    [['--grpc', '[::]:7400'], /--grpc: \[::\]:7400 can be reached/],
    [['--http', '10.1.2.3:7401'], /--http: 10.1.2.3:7401 can be reached/],
    [['--grpc', 'nonsense'], /--grpc: 'nonsense' is not HOST:PORT/],
    [['--grpc', '127.0.0.1:99999'], /--grpc: .* is not HOST:PORT/],
    [['--state', ' '], /--state: blank/],
    [['--stat', 'x'], /--stat/],
    [['more'], /more/],
  ]
  for (const [args, said] of cases) t.throws(() => readConfig(args), said, args.join(' '))
  t.equal(readConfig(['--help']), undefined)
})

t.test('the process says so on standard error, and ends with 2', async (t) => {
  const state = t.testdir({ 'bad.yaml': 'services: { web: { addresses: [10.0.0.0/99] } }' })
  const base = ['--state', join(state, 'state'), '--grpc', '127.0.0.1:0', '--http', '127.0.0.1:0']
  const cases: [string[], RegExp][] = [
    [['--grpc', '0.0.0.0:7400'], /--grpc: 0.0.0.0:7400 can be reached/],
    [['--directory', join(state, 'none.yaml')], /--directory: cannot read .*none.yaml/],
    [['--directory', join(state, 'bad.yaml')], /--directory: .*bad.yaml: .*10.0.0.0\/99/],
  ]
  for (const [args, said] of cases) {
    const { status, stderr } = run([...base, ...args])
    t.equal(status, 2, args.join(' '))
    t.match(stderr, said)
  }
})

t.test('flags beat the environment, which beats defaults', async (t) => {
  const before = { ...process.env }
  t.teardown(() => {
    process.env = before
  })
  process.env['AIRSPACE_GRPC'] = '127.0.0.2:1'
  process.env['AIRSPACE_STATE'] = 'from-environment'
  t.match(readConfig(['--grpc', '127.0.0.3:2']), {
    ...{ grpc: { host: '127.0.0.3', port: 2 }, http: { host: '127.0.0.1', port: 7401 } },
    ...{ state: 'from-environment', directory: undefined },
  })
  t.match(readConfig([]), { grpc: { host: '127.0.0.2', port: 1 } })
})

t.test('it ends cleanly on SIGTERM, with nodes and operators there', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const node = plane.node('n-a').follow()
  await node.until('a plan', () => node.plans.length > 0)
  const { revision } = await plane.control().ask('apply', { intent: bulkhead('web', 1) })
  t.equal(revision, 1n)
  for (const file of ['ledger.sqlite', 'ledger.head', 'operator.token', 'windows.sqlite']) {
    t.equal(statSync(join(plane.state, file)).mode & 0o077, 0, `${file} is its owner's alone`)
  }
  t.match(await plane.running?.stop(), { code: 0, signal: null })
  t.notOk(existsSync(join(plane.state, 'ledger.sqlite-wal')), 'all is in the ledger itself')
})

t.test('two of them cannot have one ledger', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const other = run(['--state', plane.state, '--grpc', '127.0.0.1:0', '--http', '127.0.0.1:0'])
  t.equal(other.status, 1)
  t.match(other.stdout, /another process has .*ledger.sqlite/)
})

t.test('a damaged journal: it starts, says so, changes nothing and sends no plan', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  await plane.control().ask('apply', { intent: bulkhead('web', 1) })
  await plane.control().ask('apply', { intent: bulkhead('web', 2) })
  await plane.running?.stop()
  const path = join(plane.state, 'ledger.sqlite')
  const db = new DatabaseSync(path)
  db.exec(`UPDATE entries SET body = replace(body, '"web"', '"all"') WHERE revision = 2`)
  db.close()
  const found = readFileSync(path)
  await plane.start()
  const control = plane.control()
  const node = plane.node('n-a').follow()
  const { alarms } = await control.ask('getStatus', {})
  t.match(alarms, [/the journal is damaged: entry 2 is not what was written/])
  for (const change of [
    control.ask('apply', { intent: bulkhead('web', 1) }),
    control.ask('release', { all: true }),
  ]) {
    await t.rejects(change, /the journal is damaged: entry 2 .* put a good copy/)
  }
  t.equal((await fetch(`http://${plane.http}/readyz`)).status, 503)
  t.equal((await fetch(`http://${plane.http}/healthz`)).status, 200)
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.strictSame(node.plans, [], 'nodes keep what they have')
  await plane.running?.stop()
  t.ok(found.equals(readFileSync(path)), 'and the file is as it was found')
})

t.test('a disk that takes no more: changes are refused, a release works and says so', async (t) => {
  // 512-byte blocks: room for the ledger as it begins, and for a few entries.
  const plane = await new Plane(t.testdir()).start([], 'ulimit -f 260')
  t.teardown(() => plane.end())
  const control = plane.control()
  const node = plane.node('n-a').follow()
  const ids: string[] = []
  let refused: unknown
  for (let i = 0; i < 500 && !refused; i += 1) {
    const intent = bulkhead(`service-${i}`, 5, { reason: 'x'.repeat(480) })
    const change = await control.ask('apply', { intent }).catch((error: Error) => error)
    if (change instanceof Error) refused = change
    else ids.push(change.ids[0]!)
  }
  t.match(refused, { message: /the journal cannot be written \(.*\): nothing was changed/ })
  // An entry of any size needs room for a page in the end.
  for (let i = 0; i < 500; i += 1) {
    const added = await control.ask('addEvent', { text: 'x' }).catch((error: Error) => error)
    if (added instanceof Error) break
    ids.push('')
  }
  const before = (await control.ask('getStatus', {})).revision
  t.equal(before, BigInt(ids.length), 'what was refused is no entry')
  const change = await control.ask('release', { ids: [ids[0]!], now: true })
  t.match(change, { revision: before + 1n, warnings: [/not on disk yet: a restart now would/] })
  await node.until('the release', () => node.plans.at(-1)?.revision === Number(before) + 1)
  t.notOk(node.plan.holdings.some(({ intent }) => intent.id === ids[0]))
  t.match((await control.ask('getStatus', {})).alarms, [/1 entry is not on disk/])
  await plane.kill()
  await plane.start()
  t.equal((await plane.control().ask('getStatus', {})).revision, before, 'whole, to the last entry')
})

t.test('the directory is sent to nodes, and again when it changes', async (t) => {
  const state = t.testdir({ 'directory.yaml': 'services: { web: { addresses: [10.0.0.1] } }\n' })
  const file = join(state, 'directory.yaml')
  const plane = await new Plane(join(state, 'state')).start(['--directory', file])
  t.teardown(() => plane.end())
  const node = plane.node('n-a').follow()
  await node.until('the directory', () => node.directories.length === 1)
  const control = plane.control()
  t.match(await control.ask('getServices', { set: '*' }), {
    services: [{ name: 'web', known: true, addresses: ['10.0.0.1'] }],
  })
  t.strictSame((await control.ask('apply', { intent: bulkhead('web', 1) })).warnings, [])
  writeFileSync(file, 'services: { web: { addresses: [10.0.0.1/99] } }\n')
  await plane.running?.line(({ msg }) => String(msg).startsWith('the directory cannot be read'))
  writeFileSync(file, 'services: { web: { addresses: [10.0.0.2] } }\n')
  appendFileSync(file, '# changed\n')
  await node.until('it again', () => node.directories.length >= 2)
  t.match(node.directories.at(-1), /10\.0\.0\.2/)
})
