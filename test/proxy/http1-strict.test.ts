/** What is ambiguous is refused, whatever the cuts; what is merely unusual is not. */
import t from 'tap'
import { HEAD_MAX, START_LINE_MAX } from '../../proxy/http1/head.ts'
import { readPieces } from '../support/messages.ts'

const one = (bytes: string): Buffer => Buffer.from(bytes, 'latin1')
const request = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`
const fields = (...lines: string[]): string => request('GET / HTTP/1.1', ...lines)
const chunks = (body: string): string => fields('transfer-encoding: chunked') + body

const refused: readonly (readonly [string, string])[] = [
  ['both framings', fields('content-length: 1', 'transfer-encoding: chunked')],
  ['two lengths', fields('content-length: 1', 'content-length: 2')],
  ['two lengths that agree', fields('content-length: 1', 'content-length: 1')],
  ['a list of lengths', fields('content-length: 1, 1')],
  ['a length with a sign', fields('content-length: +1')],
  ['a negative length', fields('content-length: -1')],
  ['a hexadecimal length', fields('content-length: 0x1')],
  ['a length of spaces', fields('content-length: 1 1')],
  ['no length', fields('content-length:')],
  ['a length of 20 digits', fields('content-length: 10000000000000000000')],
  ['a length beyond 2^53', fields('content-length: 9007199254740992')],
  ['chunked not last', fields('transfer-encoding: chunked, gzip')],
  ['chunked twice', fields('transfer-encoding: chunked, chunked')],
  ['chunked twice, apart', fields('transfer-encoding: chunked', 'transfer-encoding: chunked')],
  ['identity', fields('transfer-encoding: identity')],
  ['no coding', fields('transfer-encoding:')],
  ['a coding nobody knows', fields('transfer-encoding: xchunked')],
  ['a coding with a parameter', fields('transfer-encoding: chunked;q=1')],
  ['a quoted coding', fields('transfer-encoding: "chunked"')],
  ['a coding and nothing', fields('transfer-encoding: chunked,')],
  ['nothing and a coding', fields('transfer-encoding: , chunked')],
  ['a coding and a tab', fields('transfer-encoding: chunked\t')],
  ['a coding behind a tab of old', fields('transfer-encoding: \x0bchunked')],
  ['chunked in HTTP/1.0', request('GET / HTTP/1.0', 'transfer-encoding: chunked')],
  ['an empty name', fields(': x')],
  ['a space before the colon', fields('host : x')],
  ['a tab before the colon', fields('host\t: x')],
  ['no colon', fields('host')],
  ['folding', fields('a: b', ' c')],
  ['folding with a tab', fields('a: b', '\tc')],
  ['a space before the first field', fields(' a: b')],
  ['NUL in a value', fields('a: b\0c')],
  ['a control character in a value', fields('a: b\x01c')],
  ['DEL in a value', fields('a: b\x7f')],
  ['NUL in a name', fields('a\0: b')],
  ['a byte above 0x7f in a name', fields('\xe4: b')],
  ['a bare CR in a value', fields('a: b\rc: d')],
  ['a bare LF between fields', fields('a: b\nc: d')],
  ['a bare LF after the start', 'GET / HTTP/1.1\na: b\r\n\r\n'],
  ['a bare LF at the end', 'GET / HTTP/1.1\r\na: b\r\n\n'],
  ['CR and something at the end', 'GET / HTTP/1.1\r\na: b\r\n\rX'],
  ['two hosts', fields('host: a', 'host: a')],
  ['a host with a path', fields('host: a/b')],
  ['a host with userinfo', fields('host: a@b')],
  ['a host with a space', fields('host: a b')],
  ['a host that is not the target', request('GET http://a/ HTTP/1.1', 'host: b')],
  ['an absolute target of nobody', request('GET http:/// HTTP/1.1')],
  ['no method', request(' / HTTP/1.1')],
  ['a method nobody knows', request('GOT / HTTP/1.1')],
  ['a method in lower case', request('get / HTTP/1.1')],
  ['PRI', request('PRI * HTTP/1.1')],
  ['no target', request('GET  HTTP/1.1')],
  ['a relative target', request('GET a HTTP/1.1')],
  ['two spaces', request('GET  / HTTP/1.1')],
  ['a tab for a space', request('GET\t/ HTTP/1.1')],
  ['a space in the target', request('GET /a b HTTP/1.1')],
  ['a byte above 0x7f in the target', request('GET /\xe4 HTTP/1.1')],
  ['a space behind the version', request('GET / HTTP/1.1 ')],
  ['HTTP/1.2', request('GET / HTTP/1.2')],
  ['HTTP/2.0', request('GET / HTTP/2.0')],
  ['HTTP/01.1', request('GET / HTTP/01.1')],
  ['a version in lower case', request('GET / http/1.1')],
  ['no version', request('GET /')],
  ['CONNECT with a body', request('CONNECT a:1 HTTP/1.1', 'content-length: 1')],
  ['CONNECT with chunks', request('CONNECT a:1 HTTP/1.1', 'transfer-encoding: chunked')],
  ['CONNECT to a path', request('CONNECT /a HTTP/1.1')],
  ['a chunk of no size', chunks('\r\n\r\n')],
  ['a chunk of a negative size', chunks('-1\r\n')],
  ['a chunk of a size in 0x', chunks('0x1\r\na\r\n0\r\n\r\n')],
  ['a chunk size with a space', chunks('1 \r\na\r\n0\r\n\r\n')],
  ['a chunk size of 17 digits', chunks('00000000000000001\r\na\r\n0\r\n\r\n')],
  ['a chunk size beyond 2^53', chunks('20000000000000\r\n')],
  ['a chunk size and a bare LF', chunks('1\na\r\n0\r\n\r\n')],
  ['a chunk longer than it says', chunks('1\r\nab\r\n0\r\n\r\n')],
  ['a chunk and a bare LF', chunks('1\r\na\n0\r\n\r\n')],
  ['an extension without a name', chunks('1;\r\na\r\n0\r\n\r\n')],
  ['an extension with a bare LF', chunks('1;a\nb\r\na\r\n0\r\n\r\n')],
  ['an extension with white space', chunks('1; a\r\na\r\n0\r\n\r\n')],
  ['an extension of nothing', chunks('1;a=\r\na\r\n0\r\n\r\n')],
  ['an extension over 4 KiB', chunks(`1;a=${'b'.repeat(4096)}\r\na\r\n0\r\n\r\n`)],
  ['extensions over 16 KiB', chunks(`1;a=${'b'.repeat(4000)}\r\na\r\n`.repeat(5))],
  ['a trailer that frames', chunks('0\r\ncontent-length: 1\r\n\r\n')],
  ['a trailer that codes', chunks('0\r\nTransfer-Encoding: chunked\r\n\r\n')],
  ['a trailer that names a host', chunks('0\r\nhost: a\r\n\r\n')],
  ['a trailer of ours', chunks('0\r\nx-airspace-until: a\r\n\r\n')],
  ['a trailer that folds', chunks('0\r\na: b\r\n c\r\n\r\n')],
  ['a trailer with a control character', chunks('0\r\na: \x01\r\n\r\n')],
]

const accepted: readonly (readonly [string, string, number])[] = [
  ['no host', request('GET / HTTP/1.1'), 1],
  ['an empty host', fields('host:'), 1],
  ['a host of IPv6', fields('host: [::1]:80'), 1],
  ['empty lines before', `\r\n\r\n${request('GET / HTTP/1.1')}`, 1],
  ['leading zeroes', `${fields('content-length: 003')}abc`, 1],
  ['white space around a value', `${fields('content-length: \t 3 \t')}abc`, 1],
  ['an empty value', fields('a:'), 1],
  ['a byte above 0x7f in a value', fields('a: \xe4\xff'), 1],
  ['a tab in a value', fields('a: b\tc'), 1],
  ['a coding before chunked', `${fields('transfer-encoding: gzip, chunked')}0\r\n\r\n`, 1],
  ['chunked in capitals', `${fields('Transfer-Encoding: CHUNKED')}0\r\n\r\n`, 1],
  ['an asterisk', request('OPTIONS * HTTP/1.1'), 1],
  ['an absolute target', request('GET http://a/b?c HTTP/1.1', 'host: A'), 1],
  ['CONNECT', request('CONNECT a:443 HTTP/1.1'), 1],
  ['curly braces in a target', request('GET /{"a":"|"}#b HTTP/1.1'), 1],
  ['two requests', request('GET / HTTP/1.1').repeat(2), 2],
  ['a zero of many digits', chunks('0000000000000000\r\n\r\n'), 1],
  ['an extension that is quoted', chunks('1;a="b;\\"c";d\r\nx\r\n0\r\n\r\n'), 1],
  ['trailers', chunks('0\r\nvary: *\r\na:\r\n\r\n'), 1],
]

t.test('refused, and at every cut', async (t) => {
  for (const [what, text] of refused) {
    const bytes = one(text)
    t.equal(readPieces('request', [bytes]), '0 whole, then bad', what)
    t.same(cuts(bytes), ['0 whole, then bad'], `${what}, in two pieces`)
    t.equal(readPieces('request', drops(bytes)), '0 whole, then bad', `${what}, in bytes`)
  }
})

t.test('accepted, and at every cut', async (t) => {
  for (const [what, text, times] of accepted) {
    const bytes = one(text)
    t.equal(readPieces('request', [bytes]), `${times} whole`, what)
    t.same(cuts(bytes), [`${times} whole`], `${what}, in two pieces`)
    t.equal(readPieces('request', drops(bytes)), `${times} whole`, `${what}, in bytes`)
  }
})

t.test('a head as large as it may be, and a byte more', async (t) => {
  const line = 'GET / HTTP/1.1\r\n'
  const most = HEAD_MAX
  const of = (length: number) => one(`${line}a: ${'b'.repeat(length - line.length - 7)}\r\n\r\n`)
  t.equal(readPieces('request', [of(most)]), '1 whole')
  t.equal(readPieces('request', [of(most + 1)]), '0 whole, then large')
  t.equal(readPieces('request', [of(most + 1).subarray(0, most)]), '0 whole, then more')
})

t.test('a start line as long as it may be, and longer', async (t) => {
  const of = (length: number) => one(`GET /${'a'.repeat(length - 14)} HTTP/1.1\r\n\r\n`)
  t.equal(readPieces('request', [of(START_LINE_MAX)]), '1 whole')
  t.equal(readPieces('request', [of(START_LINE_MAX + 1)]), '0 whole, then large')
  t.equal(readPieces('request', drops(of(START_LINE_MAX + 1))), '0 whole, then large')
})

t.test('chunks whose framing outweighs them by far are refused', async (t) => {
  const small = chunks('1\r\na\r\n'.repeat(100_000))
  t.equal(readPieces('request', [one(small)]), '0 whole, then more', 'a byte a chunk is not far')
  const heavy = chunks(`1;${'b'.repeat(100)}\r\na\r\n`.repeat(1000))
  t.equal(readPieces('request', [one(heavy)]), '0 whole, then bad')
})

t.test('answers are read as strictly', async (t) => {
  const answer = (...lines: string[]) => one(request(...lines))
  for (const bytes of [
    answer('HTTP/1.1 200 OK', 'content-length: 1', 'transfer-encoding: chunked'),
    answer('HTTP/1.1 200 OK', 'content-length: 1', 'content-length: 2'),
    answer('HTTP/1.1 20 OK'),
    answer('HTTP/1.1 099 OK'),
    answer('HTTP/1.1 200X'),
    answer('HTTP/1.1  200 OK'),
    answer('HTTP/2.0 200 OK'),
    answer('HTTP/1.1 200 O\0K'),
    answer('HTTP/1.0 200 OK', 'transfer-encoding: chunked'),
    answer('HTTP/1.1 200 OK', 'a: b\rc'),
    one('HTTP/1.1 200 OK\ncontent-length: 0\n\n'),
  ]) {
    t.equal(readPieces('response', [bytes]), '0 whole, then bad', JSON.stringify(String(bytes)))
    t.equal(readPieces('response', drops(bytes)), '0 whole, then bad')
  }
  t.equal(readPieces('response', [answer('HTTP/1.1 301', 'content-length: 0')]), '1 whole')
  t.equal(readPieces('response', drops(answer('HTTP/1.1 204 '))), '1 whole')
})

/** Each verdict that some cut in two gives: there should be one. */
function cuts(bytes: Buffer): string[] {
  const verdicts = new Set<string>()
  const most = Math.min(bytes.length, 300)
  for (let at = 1; at < most; at += 1) {
    verdicts.add(readPieces('request', [bytes.subarray(0, at), bytes.subarray(at)]))
  }
  return [...verdicts]
}

function drops(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1))
}
