/** What a connection speaks, told by its first bytes, at every cut. */
import t from 'tap'
import { type Sniffed, sniff } from '../../proxy/protocol.ts'

const of = (text: string): Sniffed => {
  const bytes = Buffer.from(text, 'latin1')
  return sniff(bytes, 0, bytes.length)
}

const http1: readonly string[] = [
  'GET / HTTP/1.1\r\n',
  'GET / HTTP/1.0\r\n',
  'get / HTTP/1.1\r\n',
  'ANYTHING *?x HTTP/1.',
  '\r\nGET / HTTP/1.1\r\n',
  '\r\n\r\n\r\nGET /',
  'GET / HTTP/1.1\n',
  'GET / HTTP/9.9\r\n',
  'GET /\x01',
  'POST http://x',
  'CONNECT /',
]
const opaque: readonly string[] = [
  '\x16\x03\x01',
  '\x00',
  '*1\r\n$4\r\nPING\r\n',
  'PING\r\n',
  'GET key\r\n',
  'GET \x01',
  'PRI * HTTP/2.0\r\n',
  'OPTIONS rtsp://x RTSP/1.0\r\n',
  'SSH-2.0-OpenSSH_9 Debian\r\n',
  'EHLO x\r\n',
  ' GET / HTTP/1.1',
  '\rX',
  '\r\n\r\n\r\n\r\n\r\n\x00',
  `${'a'.repeat(20_000)}`,
]

t.test('what fits a request line is HTTP, and what does not is opaque', async (t) => {
  for (const text of http1) t.equal(of(text), 'http1', JSON.stringify(text))
  for (const text of opaque) t.equal(of(text), 'opaque', JSON.stringify(text.slice(0, 40)))
})

t.test('no answer is given too early, and none is taken back', async (t) => {
  for (const [texts, verdict] of [
    [http1, 'http1'],
    [opaque, 'opaque'],
  ] as const) {
    for (const text of texts) {
      const verdicts = new Set<Sniffed>()
      for (let length = 1; length <= Math.min(text.length, 60); length += 1) {
        verdicts.add(of(text.slice(0, length)))
      }
      verdicts.delete('more')
      verdicts.delete(verdict)
      t.same([...verdicts], [], JSON.stringify(text.slice(0, 40)))
    }
  }
})
