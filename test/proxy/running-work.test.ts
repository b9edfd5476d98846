/** What a new policy means for work under way: kept, drained with a word, or visibly cut. */
import t from 'tap'
import { between } from '../support/between.ts'
import { intentOf } from '../support/data-path.ts'
import { get, OK } from '../support/raw.ts'

const segment = (more = {}) => intentOf({ kind: 'segment', from: 'unknown', to: 'web', ...more })

t.test('cut: what runs is answered if it can be, else visibly cut', async (t) => {
  const { source, target, path } = await between(t)
  const early = await source()
  const late = await source()
  early.say(get('/early'))
  const one = await target.talk()
  await one.hears('/early')
  late.say(get('/late'))
  const two = await target.talk(1)
  await two.hears('/late')
  two.say('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
  await late.hears('half')
  path.apply(segment({ existing: 'cut' }))
  await early.hears('}')
  t.match(early.text, /^HTTP\/1.1 403 /)
  await late.closes()
  t.equal(late.error, 'ECONNRESET')
  await one.closes()
  await two.closes()
  t.match(path.edge(), { ignored: 2, inFlight: 0 })
  t.match(path.policy('segment-1'), { cut: 2 })
  t.equal(path.counter('severed'), 2)
})

t.test('drain: what runs may end, and is cut when its grace is over', async (t) => {
  const { source, target, path } = await between(t)
  const [quick, slow] = [await source(), await source()]
  quick.say(get('/quick'))
  const one = await target.talk()
  await one.hears('/quick')
  slow.say(get('/slow'))
  await (await target.talk(1)).hears('/slow')
  path.apply(segment({ existing: 'drain', graceMs: 300 }))
  one.say(OK)
  await quick.ends()
  t.match(quick.text, /connection: close\r\n\r\nok$/)
  await slow.closes()
  t.equal(slow.error, 'ECONNRESET')
  t.match(path.edge(), { succeeded: 1, ignored: 1, inFlight: 0 })
})

t.test('drain: the end of a connection is said before it comes, and once', async (t) => {
  const { source, target, path } = await between(t)
  const [early, late] = [await source(), await source()]
  early.say(get('/early'))
  const one = await target.talk()
  await one.hears('/early')
  late.say(get('/late'))
  const two = await target.talk(1)
  await two.hears('/late')
  const answer = 'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\ncontent-length: 4\r\n\r\n'
  two.say(`${answer}ha`)
  await late.hears('ha')
  path.apply(segment({ existing: 'drain', graceMs: 60_000 }))

  one.say(`${answer}done`)
  await early.ends()
  t.match(early.text, /OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ndone$/)

  // Its head had left already: what it may be sending by now has an answer.
  two.say('lf')
  await late.hears('half')
  late.say(get('/next'))
  await late.ends()
  t.match(late.text, /Connection: keep-alive[\s\S]*half/)
  t.match(late.text, /HTTP\/1.1 403 [\s\S]*connection: close\r\n/)
  t.match(path.edge(), { succeeded: 2, refused: 1, inFlight: 0 })
})

t.test('a policy that was there before has had its say', async (t) => {
  const { source, target, path } = await between(t)
  const one = await source()
  one.say(get())
  const other = await target.talk()
  await other.hears('\r\n\r\n')
  const drain = segment({ existing: 'drain', graceMs: 60_000 })
  path.apply(drain)
  path.apply(drain, intentOf({ kind: 'bulkhead', settings: { maxInFlight: 9 } }))
  t.match(path.policy('segment-1'), { cut: 1 })
})

t.test('keep, and what was there before, cut nothing', async (t) => {
  const { source, target, path } = await between(t)
  const one = await source()
  one.say(get())
  const other = await target.talk()
  await other.hears('\r\n\r\n')
  path.apply(segment({ existing: 'keep' }))
  other.say(OK)
  await one.hears('ok')
  one.say(get())
  await one.hears('HTTP/1.1 403')
})
