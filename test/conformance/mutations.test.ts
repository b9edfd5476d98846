/**
 * Requests broken at random, from seeds. Whatever the cuts, the verdict is one; and what a strict
 * parser makes of what was forwarded is never a complaint, nor more requests than we counted.
 */
import t from 'tap'
import { chanceOf } from '../support/chance.ts'
import { DataPath } from '../support/data-path.ts'
import { readPieces } from '../support/messages.ts'
import { Talk } from '../support/raw.ts'
import { strictTarget } from './strict-target.ts'

const SEEDS = Number(process.env['SEEDS'] ?? 4000)
const SENT = Number(process.env['SENT'] ?? 400)

const whole = [
  'GET /a HTTP/1.1\r\nhost: x\r\n\r\nGET /b HTTP/1.1\r\n\r\n',
  'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n',
  'POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\n0\r\nx: y\r\n\r\n',
  'PUT http://x/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\na',
]
/** What parsers disagree about. */
const spice = [
  ...['\r', '\n', '\r\n', '\0', ' ', '\t', ':', ';', ',', '"', '\x0b', '\x7f', '\xff', '0', '-'],
  ...['Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', 'content-length', '0\r\n\r\n'],
  ...['\r\n ', '\n\n', '\rX', 'chunked', 'transfer-encoding : x\r\n', 'Host: y\r\n', '+5', '0x5'],
]

function randomOf(seed: number): (below: number) => number {
  const chance = chanceOf(seed)
  return (below) => Math.floor(chance() * below)
}

function mutant(seed: number): Buffer {
  const below = randomOf(seed)
  let text = whole[below(whole.length)]!
  for (let changes = 1 + below(3); changes > 0; changes -= 1) {
    const at = below(text.length + 1)
    const removed = below(3) === 0 ? 1 + below(3) : 0
    const added = below(4) === 0 ? '' : spice[below(spice.length)]!
    text = text.slice(0, at) + added + text.slice(at + removed)
  }
  return Buffer.from(text, 'latin1')
}

function pieces(bytes: Buffer, below: (most: number) => number): Buffer[] {
  const cut: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + below(20)
    cut.push(bytes.subarray(at, at + length))
    at += length
  }
  return cut
}

t.test('the verdict does not depend on the cuts', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const bytes = mutant(seed)
    const verdict = readPieces('request', [bytes])
    const below = randomOf(-seed)
    for (let cuts = 0; cuts < 3; cuts += 1) {
      const other = readPieces('request', pieces(bytes, below))
      if (other !== verdict) t.fail(`seed ${seed}: ${verdict}, in pieces ${other}`)
    }
  }
})

t.test('a strict target has nothing to complain about', async (t) => {
  const { port, seen } = await strictTarget(t)
  const path = await DataPath.start(port)
  t.teardown(() => path.stop())
  for (let seed = 1; seed <= SENT; seed += 1) {
    const bytes = mutant(seed)
    // What does not begin as a request is relayed as bytes, and is not what this is about.
    if (!/^(GET|POST|PUT) (\/|http:\/\/)/.test(bytes.toString('latin1'))) continue
    const source = await Talk.to(path.port)
    source.say(bytes).socket.end()
    await source.closes()
    if (seen.complaints.length > 0) {
      t.fail(`seed ${seed}: ${seen.complaints.join()}`)
      seen.complaints.length = 0
    }
  }
  const { started } = path.edge()
  t.ok(started > SENT / 8, `${started} requests were forwarded`)
  t.ok(seen.requests.length <= started, `${seen.requests.length} were seen`)
})
