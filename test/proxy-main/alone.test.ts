/** A node whose control plane is gone: plans, leases, releases and windows go on without it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { MINUTE, planText } from './plans.ts'
import { fleetServer, ProxyProcess } from './proxy-process.ts'

const nothingPasses = { settings: { maxInFlight: 1 }, onExpire: 'now' }
const share = { shares: { maxInFlight: 0 } }

t.test('killed and started without a control plane it goes on with the plan on disk', async (t) => {
  const control = await fleetServer(t)
  const proxy = await ProxyProcess.start(t, { control })
  const holding = { intent: nothingPasses, ...share, remainingMs: 10 * MINUTE }
  control.send(planText({ revision: 5, holdings: [holding] }))
  await control.until('ack')
  control.stop()
  t.equal((await proxy.call()).code, 429, 'the control plane is gone, nothing changes')
  await proxy.running.kill()
  await proxy.again()
  t.equal((await proxy.call()).code, 429)
  t.match(await proxy.json('/plan'), { control: 'away', revision: 5 })
  const [pattern] = (await proxy.json('/plan'))['patterns'] as { remainingMs: number }[]
  t.ok(pattern!.remainingMs < 10 * MINUTE && pattern!.remainingMs > 9 * MINUTE)

  await control.start()
  const hello = await control.until('hello', ({ ended }) => ended.length > 0)
  t.same(
    hello.shares.map(({ id, shares }) => [id, shares]),
    [['b1', { maxInFlight: 0 }]],
  )
  t.equal(hello.revision, 5n)
  await proxy.running.stop()

  const path = join(proxy.state, 'plan.json')
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace('maxInFlight', 'maxInFlighs'))
  control.stop()
  await proxy.again()
  t.equal((await proxy.call()).code, 200, 'a damaged plan is ignored')
  t.match(proxy.running.out, /"level":"error".*the plan on disk is ignored/)
})

t.test('a lease ends on time with the control plane dead', async (t) => {
  const control = await fleetServer(t)
  const proxy = await ProxyProcess.start(t, { control, workers: 2 })
  control.send(planText({ holdings: [{ intent: nothingPasses, ...share, remainingMs: 1500 }] }))
  const fromMs = performance.now()
  await control.until('ack')
  control.stop()
  t.equal((await proxy.call()).code, 429)
  await proxy.until(async () => (await proxy.call()).code === 200, 'it never ends')
  const tookMs = performance.now() - fromMs
  t.ok(tookMs > 1400 && tookMs < 4000, `ended after ${tookMs} ms`)
})

t.test(
  'break-glass: a release by hand needs no control plane and outlives a restart',
  async (t) => {
    const control = await fleetServer(t)
    const proxy = await ProxyProcess.start(t, { control })
    control.send(planText({ holdings: [{ intent: nothingPasses, ...share }] }))
    await control.until('ack')
    control.stop()
    t.equal((await proxy.call()).code, 429)
    t.equal((await proxy.ask('POST', '/release', { id: 'nope' })).code, 400)
    const startMs = performance.now()
    t.match(await proxy.ask('POST', '/release', { all: true }), { code: 200, text: /"b1"/ })
    t.equal((await proxy.call()).code, 200)
    t.ok(performance.now() - startMs < 1000)
    t.match(await proxy.json('/plan'), { patterns: [], releasedHere: [{ id: 'b1' }] })
    await proxy.running.stop()
    await proxy.again()
    t.equal((await proxy.call()).code, 200)
  },
)

t.test('windows wait for a control plane that is away, over a restart', async (t) => {
  const control = await fleetServer(t)
  control.plan = planText()
  const proxy = await ProxyProcess.start(t, { control })
  await control.until('ack')
  control.stop()
  for (let i = 0; i < 3; i++) await proxy.call()
  await proxy.until(
    async () => JSON.stringify(await proxy.json('/edges')).includes('"web"'),
    'no edge',
  )
  await proxy.running.kill()
  await proxy.again()
  await proxy.call()
  await control.start()
  const succeeded = () =>
    control.windows
      .flatMap(({ edges }) => edges)
      .reduce((sum, { succeeded }) => sum + Number(succeeded), 0)
  await control.look(() => succeeded() === 4, 'not all calls')
  const epochs = new Set(control.windows.map(({ epoch }) => epoch))
  t.equal(epochs.size, 2)
  for (const epoch of epochs) {
    const sequences = control.windows
      .filter((w) => w.epoch === epoch)
      .map((w) => Number(w.sequence))
    t.same(
      sequences,
      [...sequences].sort((a, b) => a - b),
      'in order',
    )
  }
})
