/** The proxy as a process: flags, the ready line, plans, restarts, the end. Real sockets. */
import { existsSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { planText } from './plans.ts'
import { fleetServer, ProxyProcess } from './proxy-process.ts'

const nothingPasses = { settings: { maxInFlight: 1 }, onExpire: 'now' }
const share = { shares: { maxInFlight: 0 } }

t.test('it says where it listens, forwards, and is ready', async (t) => {
  const proxy = await ProxyProcess.start(t, { workers: 2 })
  t.same(await proxy.call('/hello'), { code: 200, text: '/hello\n' })
  t.equal((await proxy.ask('GET', '/ready')).code, 200)
  t.equal(statSync(join(proxy.state, 'admin.token')).mode & 0o777, 0o600)
  await proxy.until(
    async () => /"web".*"succeeded":1,/.test(JSON.stringify(await proxy.json('/edges'))),
    'no edge',
  )
  const metrics = (await proxy.ask('GET', '/metrics')).text
  t.match(metrics, /airspace_edge_requests_total\{.*target="web",outcome="success"\} 1/)
  t.match(metrics, /airspace_edge_latency_seconds_count\{.*target="web"\} 1/)
})

t.test('bad input is named, with what would do, and ends with 2', async (t) => {
  const proxy = await ProxyProcess.start(t)
  const table: [string[], RegExp][] = [
    [['--workers', '0'], /--workers: '0' is not between 1 and \d+/],
    [['--direct', '127.0.0.1:9000'], /--direct: '127.0.0.1:9000' is not LISTEN=TARGET/],
    [['--admin', '0.0.0.0:0'], /--admin: '0.0.0.0:0' is not on loopback/],
    [['--direkt', 'x'], /'--direkt'.*--direct\?/],
    [['--directory', '/nowhere.yaml'], /--directory: \/nowhere.yaml: ENOENT/],
  ]
  for (const [more, complaint] of table) {
    const running = proxy.spawn([...proxy.args(), ...more])
    const { code } = await running.exited
    t.equal(code, 2, more.join(' '))
    t.match(running.err, complaint)
    t.equal(running.out, '', 'nothing on standard output')
  }
  const taken = proxy.spawn([...proxy.args(), '--direct', `${proxy.listen}=127.0.0.1:9`])
  t.equal((await taken.exited).code, 1, 'the machine refuses, nothing was given wrongly')
  t.match(taken.err, /--direct: cannot listen on 127.0.0.1:\d+ \(address in use\)/)
})

t.test('a plan is in force before it is acknowledged', async (t) => {
  const control = await fleetServer(t)
  const proxy = await ProxyProcess.start(t, { control, workers: 2 })
  control.send(planText({ revision: 5, holdings: [{ intent: nothingPasses, ...share }] }))
  const ack = await control.until('ack', ({ revision }) => revision === 5n)
  t.ok(ack.tookMs > 0 && ack.tookMs < 5000)
  for (let i = 0; i < 4; i++) t.equal((await proxy.call()).code, 429)
  t.match(await proxy.json('/plan'), {
    revision: 5,
    patterns: [{ id: 'b1', kind: 'bulkhead', settings: { maxInFlight: 0 }, state: 'in force' }],
  })

  control.send(planText({ revision: 6 }))
  await control.until('ack', ({ revision }) => revision === 6n)
  t.equal((await proxy.call()).code, 200)
})

t.test('a plan that is wrong anywhere is refused whole, with path and reason', async (t) => {
  const control = await fleetServer(t)
  const proxy = await ProxyProcess.start(t, { control })
  control.send(planText({ revision: 5, holdings: [{ intent: nothingPasses, ...share }] }))
  await control.until('ack')
  const wrong = planText({
    revision: 6,
    holdings: [{}, { intent: { settings: { maxInFlight: -1 } } }],
  })
  control.send(wrong)
  const nack = await control.until('nack')
  t.match(nack, { revision: 6n, path: 'holdings[1].intent.settings.maxInFlight' })
  t.match(nack.reason, /^-1 is not between/)
  t.equal((await proxy.call()).code, 429, 'the plan before is still in force')

  control.send(planText({ revision: 4 }))
  control.send(planText({ revision: 7, holdings: [{ intent: nothingPasses, ...share }] }))
  await control.until('ack', ({ revision }) => revision === 7n)
  t.notOk(
    control.all('ack').some(({ revision }) => revision === 4n),
    'an older plan changes nothing',
  )
})

t.test(
  'SIGTERM: nothing new, what runs may end, the last window and a goodbye, exit 0',
  async (t) => {
    const control = await fleetServer(t)
    control.plan = planText()
    const proxy = await ProxyProcess.start(t, { control, workers: 2 })
    await control.until('ack')
    proxy.target.holding = true
    const running = proxy.call()
    await proxy.until(async () => proxy.target.held.length === 1, 'not at the target')
    proxy.running.child.kill('SIGTERM')
    await proxy.running.line(({ msg }) => msg === 'draining')
    await proxy.until(async () => isClosed(proxy.listen), 'it still accepts')
    t.equal((await proxy.ask('GET', '/ready')).code, 503)
    proxy.target.letGo()
    t.equal((await running).text, 'held\n')
    t.same(await proxy.running.exited, { code: 0, signal: null })
    await control.until('goodbye')
    // Looking whether it still accepts may itself have been a connection, that said nothing.
    const all = control.windows.flatMap(({ edges }) => edges)
    const edges = all.filter(({ protocol }) => protocol === 'http1')
    t.equal(
      edges.reduce((sum, { succeeded }) => sum + Number(succeeded), 0),
      1,
    )
    t.notOk(existsSync(join(proxy.state, 'plan.json.new')))
  },
)

t.test('what does not end in its grace is severed', async (t) => {
  const proxy = await ProxyProcess.start(t, { more: ['--drain', '300ms'] })
  proxy.target.holding = true
  const running = proxy.call().catch((error) => ({ code: 0, text: error.code }))
  await proxy.until(async () => proxy.target.held.length === 1, 'not at the target')
  const startMs = performance.now()
  t.same(await proxy.running.stop(), { code: 0, signal: null })
  t.ok(performance.now() - startMs < 3000)
  t.equal((await running).code, 0)
})

function isClosed(address: string): Promise<boolean> {
  const [host, port] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect(Number(port), host ?? '')
    socket.once('error', () => resolve(true))
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })
}
