/** Connections that are not HTTP: every byte, every end, in both directions and either order. */
import t from 'tap'
import { copies } from '../../proxy/leg.ts'
import { between, soon } from '../support/between.ts'
import { intentOf } from '../support/data-path.ts'
import { answering, get, OK } from '../support/raw.ts'

const echo = (talk: { socket: import('node:net').Socket }): void => {
  talk.socket.pipe(talk.socket)
}

t.test('bytes that are no HTTP go both ways as they are', async (t) => {
  const { source, path } = await between(t, echo)
  const one = await source()
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  one.say(bytes)
  await one.until(() => one.heard.length === 256, 'all of it')
  t.ok(one.heard.equals(bytes))
  one.socket.end()
  await one.closes()
  await soon(() => path.edge('opaque').succeeded === 1, 'counted')
  const counts = { started: 1, bytesIn: 256, bytesOut: 256, inFlight: 0, connectionsClosed: 1 }
  t.match(path.edge('opaque'), counts)
})

for (const [what, said] of [
  ['a redis command', '*1\r\n$4\r\nPING\r\n'],
  ['a command in a line', 'PING\r\n'],
  ['a method and then none of it', 'GET \x01\x02\x03'],
  ['a method of old and a bare LF', 'GET key\n'],
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['an SSH banner', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'],
  ['an SMTP greeting', 'EHLO example.com\r\n'],
] as const) {
  t.test(`${what} is opaque, whole or in pieces`, async (t) => {
    const { source, target } = await between(t, echo)
    const one = await source()
    one.say(said)
    await one.hears(said)
    const two = await source()
    await two.drip(Buffer.from(said, 'latin1'))
    await two.hears(said)
    t.equal(target.talks[1]!.text, said)
  })
}

t.test('a target that speaks first is heard', async (t) => {
  const { source, path } = await between(t, (talk) => talk.say('220 hello\r\n'))
  const startMs = performance.now()
  const one = await source()
  await one.hears('220 hello\r\n')
  const firstMs = performance.now() - startMs
  const two = await source()
  await two.hears('220 hello\r\n')
  t.ok(firstMs < 1_000, `the first waited ${firstMs} ms`)
  t.equal(path.edge('opaque').started, 2)
})

t.test('a source that was silent at first may still speak HTTP', async (t) => {
  const { source, target, path } = await between(t, answering(OK))
  const one = await source()
  const dialled = await target.talk()
  one.say('GE')
  one.say(get().slice(2))
  await one.hears('ok')
  t.equal(dialled.text, get())
  t.equal(target.talks.length, 1, 'on the connection that was dialled')
  t.match(path.edge(), { started: 1, succeeded: 1 })
  t.match(path.edge('opaque'), { ignored: 1, inFlight: 0 })
  const two = await source()
  two.say(get())
  await two.hears('ok')
})

t.test('a source may end first and go on listening', async (t) => {
  const { source, target } = await between(t)
  const one = await source()
  one.say('\x00question')
  one.socket.end()
  const other = await target.talk()
  await other.ends()
  t.equal(other.text, '\x00question')
  other.say('answer').socket.end()
  await one.closes()
  t.equal(one.text, 'answer')
})

t.test('a target may end first and go on listening', async (t) => {
  const { source, target, path } = await between(t)
  const one = await source()
  one.say('\x00hello')
  const other = await target.talk()
  await other.hears('hello')
  other.say('bye').socket.end()
  await one.ends()
  one.say(' and more').socket.end()
  await other.closes()
  t.equal(one.text, 'bye')
  t.equal(other.text, '\x00hello and more')
  await soon(() => path.edge('opaque').succeeded === 1, 'counted')
})

t.test('a source that says nothing and ends is seen by the target', async (t) => {
  const { source, target } = await between(t)
  const one = await source()
  one.socket.end()
  const other = await target.talk()
  await other.ends()
  t.equal(other.text, '')
})

t.test('a source that says nothing to a target known to speak HTTP is passed on too', async (t) => {
  const { source, target } = await between(t, answering(OK))
  const one = await source()
  one.say(get())
  await one.hears('ok')
  const two = await source()
  two.socket.end()
  const other = await target.talk(1)
  await other.ends()
  t.equal(other.text, '')
})

t.test('a reset is a reset, from either side', async (t) => {
  const { source, target, path } = await between(t)
  const one = await source()
  one.say('\x00')
  const other = await target.talk()
  await other.hears('\x00')
  one.socket.resetAndDestroy()
  await other.closes()
  t.equal(other.error, 'ECONNRESET')
  await soon(() => path.edge('opaque').ignored === 1, 'the source broke it off')
  const two = await source()
  two.say('\x00')
  const another = await target.talk(1)
  await another.hears('\x00')
  another.socket.resetAndDestroy()
  await two.closes()
  t.equal(two.error, 'ECONNRESET')
  await soon(() => path.edge('opaque').failed === 1, 'the target broke it off')
})

t.test('a target that cannot be reached is a reset', async (t) => {
  const { source, target, path } = await between(t)
  target.stop()
  const one = await source()
  one.say('\x00')
  await one.closes()
  t.equal(one.error, 'ECONNRESET')
  await soon(() => path.edge('opaque').failed === 1, 'counted')
  t.match(path.edge('opaque'), { started: 1, failed: 1, inFlight: 0 })
})

t.test('a side that does not read holds the other back, and loses nothing', async (t) => {
  const { source, target, path } = await between(t)
  const one = await source()
  const sent = 24_000_000
  const block = Buffer.alloc(1_000_000, '\x00\x01\x02\x03\x04\x05\x06')
  one.say('\x00')
  const other = await target.talk()
  await other.hears('\x00')
  other.socket.pause()
  for (let i = 0; i < sent / block.length; i += 1) one.say(block)
  // What the kernel and we take is bounded: most of it must still be with the source.
  await soon(() => path.edge('opaque').bytesIn > 100_000, 'some of it went')
  await stands(() => path.edge('opaque').bytesIn)
  t.ok(one.socket.writableLength > sent / 4, `${one.socket.writableLength} bytes wait`)
  let heard = 0
  other.socket.removeAllListeners('data')
  other.socket.on('data', (bytes: Buffer) => {
    heard += bytes.length
  })
  other.socket.resume()
  one.socket.end()
  await other.ends()
  t.equal(heard, sent)
})

t.test('a connection that is refused is a reset, and its target is never dialled', async (t) => {
  const segment = intentOf({ kind: 'segment', from: 'unknown', to: 'web' })
  const { source, target, path } = await between(t, undefined, { intents: [segment] })
  const one = await source()
  one.say('\x00')
  await one.closes()
  t.equal(one.error, 'ECONNRESET')
  t.equal(target.talks.length, 0)
  t.match(path.edge('opaque'), { started: 0, refused: 1, inFlight: 0 })
})

t.test('connections over a limit are refused, and a closed one makes room', async (t) => {
  const two = intentOf({ kind: 'bulkhead', settings: { maxConnections: 1 } })
  const { source, path } = await between(t, echo, { intents: [two] })
  const first = await source()
  first.say('\x00a')
  await first.hears('a')
  const second = await source()
  second.say('\x00')
  await second.closes()
  t.equal(second.error, 'ECONNRESET')
  first.socket.end()
  await first.closes()
  await soon(() => path.edge('opaque').succeeded === 1, 'the first is over')
  const third = await source()
  third.say('\x00c')
  await third.hears('c')
  t.match(path.edge('opaque'), { started: 2, refused: 1 })
})

t.test('bandwidth is paced by reading less, and nothing is lost', async (t) => {
  const slow = intentOf({ kind: 'backpressure', settings: { bytesPerSecond: 1_000_000 } })
  const { source, path } = await between(t, echo, { intents: [slow] })
  const one = await source()
  const bytes = Buffer.alloc(300_000, 'x')
  const startMs = performance.now()
  one.say('\x00').say(bytes)
  await one.until(() => one.heard.length > bytes.length, 'all of it')
  const tookMs = performance.now() - startMs
  t.ok(tookMs > 150, `${tookMs} ms`)
  t.equal(path.edge('opaque').bytesOut, bytes.length + 1)
})

t.test('a debt of bytes is waited for to its end', async (t) => {
  const slow = intentOf({ kind: 'backpressure', settings: { bytesPerSecond: 40_000 } })
  const { source, target } = await between(t, undefined, { intents: [slow] })
  const one = await source()
  const startMs = performance.now()
  one.say(Buffer.alloc(64_000))
  await soon(() => one.socket.writableLength === 0, 'all of it is read')
  one.say('more')
  one.socket.end()
  await (await target.talk()).ends()
  t.ok(performance.now() - startMs > 1_200, 'longer than the longest pause')
})

t.test('what a target does not take yet is not overwritten by what comes meanwhile', async (t) => {
  const { source, target, path } = await between(t)
  const one = await source()
  one.say('\x00')
  const other = await target.talk()
  await other.hears('\x00')
  other.socket.pause()
  const sent: Buffer[] = []
  const send = async (length: number) => {
    const piece = Buffer.alloc(length)
    for (let at = 0; at + 4 <= length; at += 4) piece.writeUInt32LE(sent.length * 65_536 + at, at)
    sent.push(piece)
    const before = path.edge('opaque').bytesIn
    one.say(piece)
    await soon(() => path.edge('opaque').bytesIn === before + length, 'it was read')
  }
  // Small pieces until the kernel takes no more, then one that is large.
  const copied = copies.bytes
  while (copies.bytes === copied) await send(8_000)
  await send(40_000)
  const chatter = await source()
  for (let i = 1; i <= 20; i += 1) {
    chatter.say(Buffer.alloc(60_000, 0xff))
  }
  chatter.socket.end()
  await soon(() => target.talks[1]?.ended === true, 'the chatter is over')
  other.socket.resume()
  one.socket.end()
  await other.ends()
  t.ok(other.heard.subarray(1).equals(Buffer.concat(sent)))
})

/** Waits until a number has not changed for a good while of turns. */
async function stands(value: () => number): Promise<void> {
  let same = 0
  let before = value()
  while (same < 500) {
    await new Promise<void>((next) => setImmediate(next))
    same = value() === before ? same + 1 : 0
    before = value()
  }
}
