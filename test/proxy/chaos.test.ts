/**
 * Sources that leave when they like, targets that answer as they like, plans that change all the
 * while. When all is over every count is 0, and each call that was let in has ended once.
 */
import t from 'tap'
import type { IntentText } from '../../policies/intent.ts'
import { between, soon } from '../support/between.ts'
import { chanceOf } from '../support/chance.ts'
import { type EdgeCounters, intentOf } from '../support/data-path.ts'
import { get, OK, Talk } from '../support/raw.ts'

const SEEDS = Number(process.env['SEEDS'] ?? 3)
const SOURCES = 150

const bulkhead = (more = {}) =>
  intentOf({ kind: 'bulkhead', settings: { maxInFlight: 3, maxConnections: 3 }, ...more })
const plans: readonly (readonly IntentText[])[] = [
  [],
  [bulkhead()],
  [intentOf({ kind: 'backpressure', settings: { ratePerSecond: 300, maxWaitMs: 50 } })],
  [intentOf({ kind: 'backpressure', settings: { ratePerSecond: 50, burst: 0, maxWaitMs: 900 } })],
  [bulkhead(), intentOf({ kind: 'backpressure', settings: { bytesPerSecond: 200_000 } })],
  [intentOf({ kind: 'segment', from: 'unknown', to: 'web', existing: 'cut' }), bulkhead()],
  [intentOf({ kind: 'segment', from: 'unknown', to: 'web', existing: 'drain', graceMs: 10 })],
  [intentOf({ kind: 'quarantine', to: 'web', existing: 'cut', percent: 50 }), bulkhead()],
  [intentOf({ kind: 'breaker', settings: { minRequests: 5 } }), bulkhead({ mode: 'observe' })],
]

type Below = (most: number) => number
const after = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

/** Answers of every kind, now and later, and some that are none. */
function target(below: Below): (talk: Talk) => void {
  return (talk) => {
    talk.socket.on('data', async () => {
      await after(below(6))
      switch (below(9)) {
        case 0:
          return talk.socket.resetAndDestroy()
        case 1:
          return talk.socket.end()
        case 2:
          return talk.say('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
        case 3:
          return talk.say(
            'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
          )
        case 4:
          return talk.say('HTTP/1.1 503 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
        case 5:
          return talk.say('nonsense')
        default:
          return talk.say(OK)
      }
    })
    talk.socket.on('end', () => talk.socket.end())
  }
}

const says = [
  get(),
  get() + get() + get(),
  'POST / HTTP/1.1\r\ncontent-length: 40000\r\n\r\n',
  'POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloX',
  'GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nmore',
  'GET / HT',
  '\x00opaque',
  'x'.repeat(20_000),
  '',
]

async function source(talk: Talk, below: Below): Promise<void> {
  for (let times = 1 + below(4); times > 0 && !talk.closed; times -= 1) {
    talk.say(says[below(says.length)]!)
    await after(below(12))
  }
  if (below(3) > 0) talk.socket.resetAndDestroy()
  else talk.socket.end()
}

const ended = ({ succeeded, failed, ignored }: EdgeCounters): number => succeeded + failed + ignored

for (let seed = 1; seed <= SEEDS; seed += 1) {
  t.test(`seed ${seed}`, async (t) => {
    const chance = chanceOf(seed)
    const below: Below = (most) => Math.floor(chance() * most)
    const { path, source: open, target: far } = await between(t, target(below))
    const sources: Promise<void>[] = []
    const talks: Talk[] = []
    for (let i = 0; i < SOURCES; i += 1) {
      const talk = await open()
      talks.push(talk)
      sources.push(source(talk, below))
      if (i % 5 === 0) path.apply(...plans[below(plans.length)]!)
      if (i % 10 === 0) await after(below(10))
    }
    await Promise.all(sources)
    path.apply()
    for (const { socket } of talks) socket.destroy()
    for (const protocol of ['http1', 'opaque'] as const) {
      await soon(() => {
        // A target that never ends what it began would be waited for, for the sake of its slot.
        for (const { socket } of far.talks) socket.destroy()
        return path.edge(protocol).inFlight === 0
      }, `${protocol}: nothing is in flight`)
      const counts = path.edge(protocol)
      await soon(() => {
        const { connections, connectionsClosed } = path.edge(protocol)
        return connections === connectionsClosed
      }, `${protocol}: all connections are closed`)
      t.equal(ended(counts), counts.started, `${protocol}: each has ended once`)
    }
    t.equal(path.counter('delayed'), 0)
    path.apply(bulkhead({ settings: { maxInFlight: 1 } }))
    // Were a slot lost, nobody would be let in.
    const last = await Talk.to(path.port)
    t.teardown(() => last.socket.destroy())
    last.say(get())
    await last.until(
      () => last.closed || last.ended || last.text.includes('\r\n\r\n'),
      'an answer, or the end',
    )
    t.notMatch(last.text, / 429 /)
  })
}
