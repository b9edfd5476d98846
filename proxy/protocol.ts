/**
 * What a connection speaks, judged by its first bytes. HTTP/1 is what fits a request line as far
 * as it goes; the first byte that does not makes it opaque, and all bytes are forwarded as they
 * came. A line that has begun as a request surely is one, however it goes on: what is malformed
 * there is answered 400 and never forwarded unread.
 */
import { CR, LF, SLASH, SPACE, TARGET, TOKEN } from './http1/bytes.ts'
import { EMPTY_LINES_MAX, START_LINE_MAX } from './http1/head.ts'

/** How long a silent source is waited for before its target is asked to speak first. */
export const SILENCE_MS = 20
/** Bytes held while they may still become a request line. */
export const SNIFF_MAX = START_LINE_MAX

export type Sniffed = 'http1' | 'opaque' | 'more'

/** These before a path, or a URL, are said in no other protocol; not so PRI, nor OPTIONS rtsp:. */
const SURE = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE'].map(
  (method) => Uint8Array.from(Buffer.from(`${method} `)),
)
const SURE_FORMS = ['/', 'http://', 'https://'].map((form) => Uint8Array.from(Buffer.from(form)))
const VERSION = Uint8Array.from(Buffer.from(' HTTP/1.'))

export function sniff(bytes: Uint8Array, start: number, end: number): Sniffed {
  const line = afterEmptyLines(bytes, start, end)
  if (line < 0) return 'opaque'
  if (line >= end) return 'more'
  let at = line
  while (at < end && TOKEN[bytes[at]!] === 1) at += 1
  if (at === end) return end - line > SNIFF_MAX ? 'opaque' : 'more'
  if (at === line || bytes[at] !== SPACE) return 'opaque'
  const target = at + 1
  const sure = surely(bytes, line, target, end)
  if (sure) return 'http1'
  at = target
  while (at < end && TARGET[bytes[at]!] === 1) at += 1
  if (at === end) return end - line > SNIFF_MAX ? 'http1' : 'more'
  if (at === target) return 'opaque'
  for (let i = 0; i < VERSION.length; i += 1) {
    if (at + i >= end) return 'more'
    if (bytes[at + i] !== VERSION[i]) return 'opaque'
  }
  return 'http1'
}

/** A leading CRLF stays HTTP (RFC 9112 §2.2). Negative: this is none. */
function afterEmptyLines(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  for (let lines = 0; lines < EMPTY_LINES_MAX && bytes[at] === CR && at < end; lines += 1) {
    if (at + 1 < end && bytes[at + 1] !== LF) return -1
    at += 2
  }
  return at
}

/** A common method and the beginning of a path or a URL. */
function surely(bytes: Uint8Array, line: number, target: number, end: number): boolean {
  if (!SURE.some((method) => holdsAt(bytes, line, target, method))) return false
  if (bytes[target] === SLASH && target < end) return true
  return SURE_FORMS.some((form) => holdsAt(bytes, target, end, form))
}

function holdsAt(bytes: Uint8Array, at: number, end: number, word: Uint8Array): boolean {
  if (end - at < word.length) return false
  for (let i = 0; i < word.length; i += 1) if (bytes[at + i] !== word[i]) return false
  return true
}
