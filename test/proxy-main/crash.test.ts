/** Workers die: others go on, what they held is given back, and a plan that kills is returned. */
import t, { type Test } from 'tap'
import { planText } from './plans.ts'
import { fleetServer, ProxyProcess } from './proxy-process.ts'

const env = { AIRSPACE_FAULTS: '1' }
const listening = async (proxy: ProxyProcess) =>
  Number(JSON.parse((await proxy.ask('GET', '/ready')).text).listening)
const inFlight = async (proxy: ProxyProcess) =>
  ((await proxy.json('/plan'))['patterns'] as { inFlight: number }[])[0]?.inFlight

/** Ends a worker and waits until it is gone and back; returns for how long it was gone, in ms. */
async function crash(proxy: ProxyProcess, body: object): Promise<number> {
  const deaths = () =>
    proxy.running.lines().filter(({ msg }) => msg === 'a worker has ended').length
  const before = deaths()
  const { code, text } = await proxy.ask('POST', '/fault', body)
  if (code !== 202) throw new Error(text)
  await proxy.until(async () => deaths() > before, 'it does not die')
  const goneMs = performance.now()
  await proxy.until(async () => (await listening(proxy)) === 2, 'it does not come back')
  return performance.now() - goneMs
}

for (const how of ['throw', 'terminate', 'heap']) {
  t.test(`a worker that ends by ${how} gives back what it held`, async (t) => {
    const control = await fleetServer(t)
    const proxy = await ProxyProcess.start(t, { control, workers: 2, env })
    control.send(planText({ holdings: [{ intent: { settings: { maxInFlight: 4 } } }] }))
    await control.until('ack')
    proxy.target.holding = true
    const calls = Array.from({ length: 4 }, () => proxy.call().catch(() => ({ code: 0 })))
    await proxy.until(async () => proxy.target.held.length === 4, 'not all are in')
    t.equal((await proxy.call()).code, 429, 'full')
    t.equal(await inFlight(proxy), 4)

    const goneMs = await crash(proxy, { worker: 0, how })
    // How soon is for a machine of its own to say: it loads as fast as others let it.
    t.comment(`${how}: back after ${goneMs.toFixed(0)} ms`)

    const first = await Promise.all(calls.map((call) => Promise.race([call, soon()])))
    const lost = first.filter((answer) => answer?.code === 0).length
    t.equal(await inFlight(proxy), 4 - lost, 'those of the other worker are still in')
    const room = Array.from({ length: lost }, () => proxy.call())
    await proxy.until(async () => (await inFlight(proxy)) === 4, 'no room was given back')
    t.equal((await proxy.call()).code, 429, 'and not one more')
    proxy.target.letGo()
    await Promise.all([...calls, ...room])
    await proxy.until(async () => (await inFlight(proxy)) === 0, 'something is left')
    await balances(t, proxy)
  })
}

t.test('three faults in a row by hand are no reason to give a plan back', async (t) => {
  const control = await fleetServer(t)
  const proxy = await ProxyProcess.start(t, { control, workers: 2, env })
  const holding = { shares: { maxInFlight: 0 } }
  control.send(planText({ revision: 3, holdings: [holding] }))
  await control.until('ack')
  for (const how of ['throw', 'terminate', 'throw']) await crash(proxy, { worker: 1, how })
  for (let i = 0; i < 6; i++) t.equal((await proxy.call()).code, 429, 'new workers enforce it too')
  t.equal(control.all('nack').length, 0)
})

t.test(
  'two deaths within a minute of a new plan give it back, and it is refused since',
  async (t) => {
    const control = await fleetServer(t)
    const proxy = await ProxyProcess.start(t, { control, workers: 2, env })
    const poison = { intent: { id: 'poison' }, version: 2, shares: { maxInFlight: 0 } }
    control.send(planText({ revision: 1 }))
    await control.until('ack', ({ revision }) => revision === 1n)
    control.send(planText({ revision: 2, holdings: [poison] }))
    await control.until('ack', ({ revision }) => revision === 2n)
    t.equal((await proxy.call()).code, 429)

    await crash(proxy, { worker: 0, how: 'throw', blame: 'plan' })
    t.equal(control.all('nack').length, 0, 'one proves nothing')
    await crash(proxy, { worker: 1, how: 'throw', blame: 'plan' })
    t.match(await control.until('nack'), { revision: 2n, reason: /poison/ })
    t.equal((await proxy.call()).code, 200)

    control.send(planText({ revision: 3, holdings: [poison] }))
    t.match(await control.until('nack', ({ revision }) => revision === 3n), {
      path: 'holdings[0]',
      reason: /poison of revision 2/,
    })
    await proxy.running.kill()
    await proxy.again()
    await control.until('nack', ({ revision }) => revision === 3n)
    t.equal((await proxy.call()).code, 200, 'also after a restart')
    const other = { ...poison, version: 4 }
    control.send(planText({ revision: 4, holdings: [other] }))
    await control.until('ack', ({ revision }) => revision === 4n)
    t.equal((await proxy.call()).code, 429, 'another version may be tried')
  },
)

t.test('faults are for tests: without the variable there is no such door', async (t) => {
  const proxy = await ProxyProcess.start(t)
  t.equal((await proxy.ask('POST', '/fault', { worker: 0, how: 'throw' })).code, 404)
})

const soon = (): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, 100, undefined))

/** Whatever started has ended somehow: nothing is counted twice, nothing is lost. */
async function balances(t: Test, proxy: ProxyProcess): Promise<void> {
  await proxy.until(
    async () => {
      const { edges } = (await proxy.json('/edges')) as { edges: Record<string, number>[] }
      return edges.every((edge) => {
        const ended = edge['succeeded']! + edge['failed']! + edge['ignored']!
        return edge['inFlight'] === 0 && edge['started'] === ended && edge['connectionsOpen'] === 0
      })
    },
    `books do not balance: ${JSON.stringify(await proxy.json('/edges'))}`,
  )
  t.pass('books balance')
}
