/** What the end of one side means for the other, and for the count of what is under way. */
import t from 'tap'
import { between, soon } from '../support/between.ts'
import { intentOf } from '../support/data-path.ts'
import { answering, get, OK } from '../support/raw.ts'

const ONE = intentOf({ kind: 'bulkhead', settings: { maxInFlight: 1 } })

t.test('a target that resets instead of answering is a reset to the source', async (t) => {
  const { source, path } = await between(t, (talk) => {
    talk.socket.once('data', () => talk.socket.resetAndDestroy())
  })
  const one = await source()
  one.say(get())
  await one.closes()
  t.equal(one.error, 'ECONNRESET')
  t.equal(one.text, '')
  t.match(path.edge(), { started: 1, failed: 1, inFlight: 0 })
})

t.test('a target that ends instead of answering is an end to the source', async (t) => {
  const { source, path } = await between(t, (talk) => {
    talk.socket.once('data', () => talk.socket.end())
  })
  const one = await source()
  one.say(get())
  await one.ends()
  t.equal(one.text, '')
  t.match(path.edge(), { started: 1, failed: 1, inFlight: 0 })
})

t.test('a target that cannot be reached is a reset to the source', async (t) => {
  const { target, source, path } = await between(t)
  target.stop()
  const one = await source()
  one.say(get())
  await one.closes()
  t.equal(one.error, 'ECONNRESET')
  t.match(path.edge(), { started: 1, failed: 1, inFlight: 0 })
})

t.test('a body cut short is cut short at the source', async (t) => {
  const cut = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'
  const { source, path } = await between(t, (talk) => {
    talk.socket.once('data', () => talk.say(cut).socket.end())
  })
  const one = await source()
  one.say(get())
  await one.ends()
  t.equal(one.text, cut)
  t.match(path.edge(), { failed: 1, succeeded: 0 })
})

t.test('a target that ends between requests ends the source', async (t) => {
  const { target, source } = await between(t, answering(OK))
  const one = await source()
  one.say(get())
  await one.hears('ok')
  target.talks[0]!.socket.end()
  await one.ends()
  t.equal(one.text, OK)
})

t.test('bytes that nobody asked for are not the beginning of an answer', async (t) => {
  const { target, source } = await between(t, answering(`${OK}HTTP/1.1 200 Forged\r\n\r\n`))
  const one = await source()
  one.say(get('/1') + get('/2'))
  await one.ends()
  t.equal(one.text, OK)
  t.notMatch(target.talks[0]!.text, '/2')
})

t.test('what is no answer is a 502, and nothing of it is forwarded', async (t) => {
  const { source, path } = await between(t, answering('HTTP/1.1 200 OK\nset-cookie: a\n\n'))
  const one = await source()
  one.say(get())
  await one.ends()
  t.match(one.text, /^HTTP\/1.1 502 Bad Gateway\r\n/)
  t.notMatch(one.text, /cookie/)
  t.match(path.edge(), { failed: 1 })
  t.equal(path.counter('malformed'), 1)
})

t.test('101 that was not asked for is a 502', async (t) => {
  const { source } = await between(t, answering('HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'))
  const one = await source()
  one.say(get())
  await one.ends()
  t.match(one.text, /^HTTP\/1.1 502 /)
})

t.test('after an upgrade that was granted bytes go both ways, and none before', async (t) => {
  const granted = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'
  const ask = 'GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'
  const { target, source, path } = await between(t)
  const one = await source()
  one.say(`${ask}early`)
  const other = await target.talk()
  await other.hears('\r\n\r\n')
  t.equal(other.text, ask, 'what was sent too early is held')
  other.say(`${granted}hello`)
  await one.hears('hello')
  await other.hears('early')
  one.say('\x00\x01GET / HTTP/1.1\n')
  await other.hears('HTTP/1.1\n')
  one.socket.end()
  await other.ends()
  other.socket.end()
  await one.closes()
  t.match(path.edge(), { started: 1, succeeded: 1 })
  await soon(() => path.edge('opaque').succeeded === 1, 'the tunnel is over')
})

t.test('an upgrade that was not granted is an answer like any other', async (t) => {
  const { target, source } = await between(t, answering(OK))
  const one = await source()
  one.say('GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
  await one.hears('ok')
  one.say(get('/next'))
  await one.hearsTimes('ok', 2)
  t.match(target.talks[0]!.text, /GET \/next/)
})

t.test('h2c is not offered to the target', async (t) => {
  const { target, source } = await between(t, answering(OK))
  const one = await source()
  one.say('GET / HTTP/1.1\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\nhost: x\r\n\r\n')
  await one.hears('ok')
  t.equal(target.talks[0]!.text, get())
})

t.test('CONNECT is a tunnel once it is granted', async (t) => {
  const { target, source } = await between(t)
  const one = await source()
  one.say('CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\nearly')
  const other = await target.talk()
  await other.hears('\r\n\r\n')
  t.notMatch(other.text, /early/)
  other.say('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nraw')
  await other.hears('early')
  await one.hears('raw')
})

t.test('a source that aborts is seen by the target, and is nobody else to blame', async (t) => {
  const { target, source, path } = await between(t)
  const one = await source()
  one.say(get())
  const other = await target.talk()
  await other.hears('\r\n\r\n')
  one.socket.resetAndDestroy()
  await other.closes()
  t.equal(other.error, 'ECONNRESET')
  t.match(path.edge(), { started: 1, ignored: 1, failed: 0, inFlight: 0 })
})

t.test('a slot is free only when the target has ended the exchange', async (t) => {
  const { target, source, path } = await between(t, undefined, { intents: [ONE] })
  const one = await source()
  one.say(get('/slow'))
  const other = await target.talk()
  await other.hears('/slow')
  one.socket.resetAndDestroy()
  await soon(() => one.closed, 'the source is gone')
  const two = await source()
  two.say(get('/two'))
  await two.hears('\r\n\r\n')
  t.match(two.text, /^HTTP\/1.1 429 /, 'its slot is still in use')
  t.notOk(other.ended, 'the target is not told')
  other.say(OK)
  await soon(() => path.edge().ignored === 1, 'the target has answered')
  two.say(get('/three'))
  const third = await target.talk(1)
  await third.hears('/three')
  third.say(OK)
  await two.hears('ok')
  t.match(path.edge(), { started: 2, succeeded: 1, ignored: 1, refused: 1, inFlight: 0 })
})

t.test('a FIN of the source frees no slot either', async (t) => {
  const { target, source, path } = await between(t, undefined, { intents: [ONE] })
  const one = await source()
  one.say(get('/slow'))
  one.socket.end()
  const other = await target.talk()
  await other.hears('/slow')
  const two = await source()
  two.say(get('/two'))
  await two.hears('\r\n\r\n')
  t.match(two.text, /^HTTP\/1.1 429 /)
  t.notOk(other.ended)
  other.say(OK)
  await one.ends()
  t.equal(one.text, OK)
  t.match(path.edge(), { succeeded: 1, refused: 1, inFlight: 0 })
})

t.test('a request whose source stops in the middle is not whole at the target', async (t) => {
  const { target, source, path } = await between(t)
  const one = await source()
  one.say('POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nhalf')
  const other = await target.talk()
  await other.hears('half')
  one.socket.end()
  await other.ends()
  t.match(path.edge(), { started: 1, ignored: 1, inFlight: 0 })
})

t.test('a body that goes wrong on the way is never whole at the target', async (t) => {
  const { target, source, path } = await between(t)
  const one = await source()
  one.say('POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n')
  const other = await target.talk()
  await other.hears('abc')
  one.say('0\n\n')
  await one.ends()
  t.match(one.text, /^HTTP\/1.1 400 /)
  await other.closes()
  t.notMatch(other.text, /0\n/)
  t.match(path.edge(), { ignored: 1, inFlight: 0 })
})

t.test('an answer before the end of the request is relayed, and the rest of it too', async (t) => {
  const { target, source } = await between(t)
  const one = await source()
  one.say('POST /1 HTTP/1.1\r\ncontent-length: 4\r\n\r\nab')
  const other = await target.talk()
  await other.hears('ab')
  other.say(OK)
  await one.hears('ok')
  one.say(`cd${get('/2')}`)
  await other.hears('/2')
  other.say(OK)
  await one.hearsTimes('ok', 2)
  t.match(other.text, /abcdGET \/2/)
})

t.test('an answer that closes before the end of the request ends both', async (t) => {
  const no = 'HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'
  const { target, source, path } = await between(t)
  const one = await source()
  one.say('POST / HTTP/1.1\r\ncontent-length: 4000000\r\n\r\nab')
  const other = await target.talk()
  await other.hears('ab')
  other.say(no)
  await one.ends()
  t.equal(one.text, no)
  t.match(path.edge(), { succeeded: 1, inFlight: 0 })
})

t.test('a head that does not come in time is 408', async (t) => {
  const { source } = await between(t, undefined, { limits: { headTimeoutMs: 1 } })
  const one = await source()
  one.say('GET / HTTP/1.1\r\na:')
  await one.ends()
  t.match(one.text, /^HTTP\/1.1 408 /)
})

t.test('when the worker lets go, what is idle ends and what runs is finished', async (t) => {
  const { target, source, path } = await between(t)
  const idle = await source()
  idle.say(get('/1'))
  const first = await target.talk()
  await first.hears('/1')
  first.say(OK)
  await idle.hears('ok')
  const busy = await source()
  busy.say(get('/2'))
  const second = await target.talk(1)
  await second.hears('/2')
  path.worker.heard({ type: 'drain', graceMs: 5_000 })
  await idle.ends()
  second.say(OK)
  await busy.ends()
  t.match(busy.text, /connection: close\r\n\r\nok$/)
  idle.socket.end()
  busy.socket.end()
  await soon(() => path.said.some(({ type }) => type === 'drained'), 'drained')
  t.match(path.said.at(-1), { type: 'drained', severed: 0 })
})
