/** Who calls is told by address, never by what is said; who is called, by where it was going. */
import t from 'tap'
import { between, soon } from '../support/between.ts'
import { intentOf } from '../support/data-path.ts'
import { answering, get, OK, Talk } from '../support/raw.ts'

const directory = {
  services: {
    orders: { addresses: ['127.0.1.7'] },
    shop: { addresses: ['127.0.2.0/24'] },
    db: { addresses: ['127.0.0.1'] },
  },
}

t.test('edges are named by addresses, and a new directory names anew', async (t) => {
  const { path, source } = await between(t, answering(OK), { directory, service: '' })
  const edges = (): string[] =>
    path.said
      .filter((message) => message.type === 'row' && message.table === 'edge')
      .map((row) => (row.type === 'row' ? `${row.source}..${row.target}` : ''))
  const from = async (address: string): Promise<Talk> => {
    const talk = await Talk.from(address, path.port)
    t.teardown(() => talk.socket.destroy())
    talk.say(get())
    await talk.hears('ok')
    return talk
  }
  await from('127.0.1.7')
  await from('127.0.2.9')
  await from('127.0.3.1')
  t.same(edges(), ['orders..db', 'shop..db', 'unknown/127.0.3.1..db'])
  path.worker.heard({
    type: 'directory',
    directory: { services: { cart: directory.services.shop } },
  })
  await from('127.0.2.9')
  t.match(edges().at(-1), /^cart\.\.unknown\/127\.0\.0\.1:\d+$/)
  const plain = await source()
  plain.say('GET / HTTP/1.1\r\nx-forwarded-for: 127.0.1.7\r\nforwarded: for=127.0.1.7\r\n\r\n')
  await plain.hears('ok')
  t.match(edges().at(-1), /^unknown\/127\.0\.0\.1\.\./)
})

t.test(
  'labels of a new directory change who a policy is about, on open connections too',
  async (t) => {
    const fenced = intentOf({ kind: 'segment', from: '*', to: 'tier=3' })
    const { path, source } = await between(t, answering(OK), {
      directory: { services: { db: { addresses: ['127.0.0.1'], labels: { tier: '1' } } } },
      service: 'db',
      intents: [fenced],
    })
    const one = await source()
    one.say(get())
    await one.hears('ok')
    path.worker.heard({
      type: 'directory',
      directory: { services: { db: { addresses: ['127.0.0.1'], labels: { tier: '3' } } } },
    })
    one.say(get())
    await one.hears('HTTP/1.1 403')
  },
)

t.test('more connections than are bounded are reset, and counted', async (t) => {
  const { path, source } = await between(t, answering(OK), { limits: { connectionsMax: 2 } })
  const [one, two] = [await source(), await source()]
  for (const talk of [one, two]) {
    talk.say(get())
    await talk.hears('ok')
  }
  const three = await source()
  await three.closes()
  t.equal(path.counter('overloaded'), 1)
  one.socket.destroy()
  await soon(() => path.edge().connectionsClosed === 1, 'one is gone')
  const four = await source()
  four.say(get())
  await four.hears('ok')
})
