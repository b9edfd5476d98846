/**
 * Requests that llhttp is tested with, sent through the proxy to Node's own strict server, whole
 * and a byte at a time. What the strict parser refuses must be answered 4xx, or closed, and be no
 * message at the target; and what the target is sent must never be more than was sent to us.
 */
import t from 'tap'
import { DataPath } from '../support/data-path.ts'
import { Talk } from '../support/raw.ts'
import { strictTarget } from './strict-target.ts'
import { absent, bytesOf, type LlhttpCase, llhttpCases } from './vectors.ts'

/** Not an error: llhttp stops where another protocol may begin. */
const PAUSED = 22
/** An error only in what follows a message that is whole and the last. */
const AFTER_CLOSE = 5
/** Valid to llhttp and not to us: not HTTP/1.0 or 1.1, or CONNECT that says it has content. */
const NOT_OURS = [
  'SOURCE request with ICE',
  'OPTIONS request with RTSP',
  'ANNOUNCE request with RTSP',
  'No HTTP version',
  'CONNECT with body',
]
/** llhttp is told there that no body comes, whatever the length says. */
const INCOMPLETE = ['Content-Length reset when no body is received']

/** The first line of what a source hears, if anything, before the end. */
async function play(path: DataPath, one: LlhttpCase, drip: boolean): Promise<string> {
  const source = await Talk.to(path.port)
  const bytes = bytesOf(one)
  if (drip) await source.drip(bytes)
  else source.say(bytes)
  await source.until(
    () => source.ended || source.text.includes('\r\n\r\n'),
    `an answer to ${one.name}`,
  )
  source.socket.destroy()
  await source.closes()
  return source.text.split('\r\n')[0] ?? ''
}

const valid = ({ error }: LlhttpCase): boolean =>
  error === null || error.code === PAUSED || error.code === AFTER_CLOSE

const skip = absent('llhttp/cases.json')
for (const drip of [false, true]) {
  t.test(drip ? 'a byte at a time' : 'whole', { skip }, async (t) => {
    const { port, seen } = await strictTarget(t)
    const path = await DataPath.start(port)
    t.teardown(() => path.stop())
    const forwarded = { sent: 0, answered: 0 }
    for (const one of llhttpCases()) {
      if (one.type !== 'request') continue
      const good = valid(one)
      if (good && (one.messages_complete === 0 || INCOMPLETE.includes(one.name))) continue
      if (NOT_OURS.includes(one.name)) continue
      const heard = await play(path, one, drip)
      if (!good) t.match(heard, /^(HTTP\/1\.1 4\d\d .*)?$/, one.name)
      else forwarded.sent += 1
      if (good && / 200 | 501 /.test(heard)) forwarded.answered += 1
      else if (good) t.fail(`${one.name}: '${heard}'`)
    }
    t.equal(forwarded.answered, forwarded.sent)
    t.ok(forwarded.sent >= 61, `${forwarded.sent} valid requests were forwarded`)
    t.same(seen.complaints, [], 'nothing that the strict parser refuses is forwarded')
  })
}
