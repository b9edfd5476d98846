/**
 * Answers that llhttp and curl are tested with, from a raw target: what a source hears through the
 * proxy is what it hears without, or it is a 502 or a visible cut, and never more than one answer.
 */
import t from 'tap'
import { between } from '../support/between.ts'
import { readPieces } from '../support/messages.ts'
import { get, Talk, Target } from '../support/raw.ts'
import { absent, bytesOf, curlReplies, llhttpCases } from './vectors.ts'

const BAD_GATEWAY = 'HTTP/1.1 502 Bad Gateway'

/** Sends the same bytes to whoever asks, and ends. */
class Replay {
  bytes: Buffer = Buffer.alloc(0)
  drips = false
  readonly act = (talk: Talk): void => {
    talk.socket.once('data', async () => {
      if (this.drips) await talk.drip(this.bytes)
      else talk.say(this.bytes)
      talk.socket.end()
    })
  }
}

async function hear(port: number): Promise<Talk> {
  const source = await Talk.to(port)
  source.say(get())
  await source.ends()
  source.socket.destroy()
  return source
}

for (const drips of [false, true]) {
  const skip = absent('llhttp/cases.json')
  t.test(`llhttp, ${drips ? 'a byte at a time' : 'whole'}`, { skip }, async (t) => {
    const replay = new Replay()
    replay.drips = drips
    const { path } = await between(t, replay.act)
    for (const one of llhttpCases()) {
      if (one.type !== 'response') continue
      replay.bytes = bytesOf(one)
      // Empty lines before a head are passed over.
      const given = replay.bytes.toString('latin1').replace(/(^|\r\n\r\n)\r\n(?=HTTP)/g, '$1')
      const heard = (await hear(path.port)).text
      const refused = heard === '' || heard.startsWith(BAD_GATEWAY)
      const strict = one.error !== null && one.error.code !== 5
      if (!refused) t.ok(given.startsWith(heard), `${one.name}: nothing is made up`)
      // What went wrong in a body whose head is out already can only be cut.
      if (strict && !drips) t.ok(refused, `${one.name}: ${JSON.stringify(heard.slice(0, 60))}`)
      if (one.error === null && /^HTTP\/1\.[01] [2-9]/.test(given)) {
        t.notOk(refused, `${one.name}: a valid answer is heard`)
      }
    }
  })
}

const skip = absent('curl-responses/responses.json')
t.test("curl's replies are heard as they are without us", { skip }, async (t) => {
  const replay = new Replay()
  const { path, target } = await between(t, replay.act)
  const count = { same: 0, shorter: 0, refused: 0, good: 0, goodRefused: 0 }
  for (const reply of curlReplies()) {
    replay.bytes = reply.bytes
    const direct = (await hear(target.port)).text
    const heard = (await hear(path.port)).text
    if (reply.errorCode === 0) count.good += 1
    if (heard === direct) count.same += 1
    else if (heard.startsWith(BAD_GATEWAY)) {
      count.refused += 1
      if (reply.errorCode === 0) count.goodRefused += 1
      t.match(readPieces('response', [reply.bytes]), /bad|large/, reply.name)
    } else {
      // What follows the end of an answer is no part of it.
      count.shorter += 1
      t.ok(direct.startsWith(heard), `${reply.name}: nothing is made up`)
      // A head that is not whole is not forwarded at all.
      const verdict = readPieces('response', [Buffer.from(heard, 'latin1')])
      if (heard !== '') t.match(verdict, /^[12] whole$/, reply.name)
    }
  }
  t.comment(JSON.stringify(count))
  // Two lengths, lists of them, folding, a head over the limit: strict on purpose.
  t.ok(count.goodRefused <= 10, `${count.goodRefused} refused of ${count.good} that curl takes`)
  t.ok(count.good > 250, `${count.good} good ones`)
})

t.test('the raw target is what it says', async (t) => {
  const target = await Target.start((talk) => talk.say('x').socket.end())
  t.teardown(() => target.stop())
  t.equal((await hear(target.port)).text, 'x')
})
