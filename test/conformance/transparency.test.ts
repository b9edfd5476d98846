/**
 * The same requests straight to the target, through http-proxy and through us. Through us both
 * ends read the bytes that they would read without. http-proxy is the oracle of meaning: it
 * re-writes heads (names in lower case, `connection`, hop-by-hop fields, no fragment) and re-frames
 * bodies, so with it only method, target, fields and body are compared.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import httpProxy from 'http-proxy'
import t, { type Test } from 'tap'
import { DataPath } from '../support/data-path.ts'
import { Talk, Target } from '../support/raw.ts'

const asked = (line: string, more = '', body = ''): string =>
  `${line} HTTP/1.1\r\nHost: x.example\r\nX-Mixed-Case: Kept  As It Is\r\n${more}\r\n${body}`

const requests: readonly string[] = [
  asked('GET /'),
  asked('GET /a%20b?c=d&e=%00#f'),
  asked('HEAD /head'),
  asked('DELETE /thing'),
  asked('OPTIONS *'),
  asked('POST /form', 'Content-Length: 9\r\n', 'a=b&c=d%0'),
  asked('PUT /none', 'Content-Length: 0\r\n'),
  asked('POST /chunks', 'Transfer-Encoding: chunked\r\n', '4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n'),
  asked('GET /cookies', 'Cookie: a=b\r\nCookie: c=d\r\nAccept: a, b\r\nAccept: c\r\n'),
  asked('GET /range', 'Range: bytes=0-4\r\nAuthorization: Basic eDp5\r\nTE: trailers\r\n'),
]

const answers: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\nhello',
  'HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nX-Y: z\r\n\r\n' +
    '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  'HTTP/1.1 404 Not Here\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nhe',
  'HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end',
  'HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy',
]
const bodiless = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Y: z\r\n\r\n'

interface Heard {
  readonly atTarget: string
  readonly atSource: string
}

const isWhole = (text: string): boolean => {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s)
  if (/transfer-encoding: chunked/i.test(head)) return body.endsWith('0\r\n\r\n')
  return body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
}

/** One request over a connection of its own. */
async function once(port: number, target: Target, request: string, answer: string): Promise<Heard> {
  const index = target.talks.length
  const source = await Talk.to(port)
  source.say(request)
  const other = await target.talk(index)
  await other.until(() => other.text.includes('\r\n\r\n') && isWhole(other.text), 'the request')
  other.say(answer)
  if (/connection: close/i.test(answer)) other.socket.end()
  const whole = () => source.ended || (source.text.includes('\r\n\r\n') && isWhole(source.text))
  const bare = request.startsWith('HEAD')
  await source.until(bare ? () => source.text.endsWith('\r\n\r\n') : whole, 'the answer')
  if (/connection: close/i.test(answer)) await source.ends()
  source.socket.destroy()
  return { atTarget: other.text, atSource: source.text }
}

/** What both must agree on, whoever wrote the head. */
function meaning(text: string): unknown {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s)
  const [line = '', ...fields] = head.split('\r\n')
  const own = /^(connection|keep-alive|transfer-encoding|content-length|date|te):/
  const kept = fields.map((field) => field.replace(/^[^:]*/, (name) => name.toLowerCase()))
  const joined = new Map<string, string[]>()
  for (const field of kept.filter((one) => !own.test(one))) {
    const [name = '', value = ''] = field.split(/: (.*)/)
    joined.set(name, [...(joined.get(name) ?? []), value])
  }
  const told = [...joined].map(([name, values]) => `${name}: ${values.join(', ')}`).sort()
  const chunked = /transfer-encoding: chunked/i.test(head)
  const plain = chunked ? body.replace(/[0-9a-f]+\r\n(.*?)\r\n/gis, '$1').trimEnd() : body
  // Several cookies are one field to http-proxy, joined by a semicolon.
  // http-proxy leaves a fragment out.
  const asks = line.replace(/#\S*/, '')
  return {
    line: asks,
    told: told.map((one) => one.replace(/^(cookie: .*?), /, '$1; ')),
    body: plain,
  }
}

async function throughHttpProxy(t: Test, target: Target): Promise<number> {
  const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${target.port}` })
  const server: Server = createServer((request, response) => proxy.web(request, response))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
    proxy.close()
  })
  return (server.address() as AddressInfo).port
}

t.test('both ends read what they would read without us', async (t) => {
  const target = await Target.start()
  const path = await DataPath.start(target.port)
  const peer = await throughHttpProxy(t, target)
  t.teardown(() => {
    path.stop()
    target.stop()
  })
  for (const request of requests) {
    for (const answer of request.startsWith('HEAD') ? [bodiless] : answers) {
      const name = `${request.split(' HTTP')[0]}: ${answer.slice(9, 12)}`
      const direct = await once(target.port, target, request, answer)
      const ours = await once(path.port, target, request, answer)
      t.same(ours, direct, `${name}: the same bytes`)
      // http-proxy makes a path of the asterisk.
      if (request.startsWith('OPTIONS *')) continue
      const theirs = await once(peer, target, request, answer)
      t.same(meaning(ours.atTarget), meaning(theirs.atTarget), `${name}: the same request`)
      t.same(meaning(ours.atSource), meaning(theirs.atSource), `${name}: the same answer`)
    }
  }
})
