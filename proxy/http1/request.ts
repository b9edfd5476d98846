/**
 * The head of a request: who may be asked what, how its body is framed, and the few fields that
 * change what the proxy does with it. Nothing of it is kept as text.
 */
import * as b from './bytes.ts'
import {
  BAD,
  BAD_LINE,
  DONE,
  Head,
  LARGE_LINE,
  MORE,
  MORE_LINE,
  type Scanned,
  START_LINE_MAX,
} from './head.ts'

/** Methods that mean something here; every other known one is OTHER. */
export const GET = 1
export const HEAD = 2
export const CONNECT = 3
export const OTHER = 0

/** Safe to send twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set([
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
  'PROPFIND',
  'SEARCH',
  'REPORT',
  'QUERY',
])

/**
 * The methods of IANA's registry, and those that Node takes besides. A word that is none of them
 * is refused: some back ends fold its case, and so see HEAD or CONNECT where we saw neither.
 */
const METHODS = new Set(
  `ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK M-SEARCH
  MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE NOTIFY OPTIONS ORDERPATCH PATCH
  POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND
  UNCHECKOUT UNLINK UNLOCK UNSUBSCRIBE UPDATE UPDATEREDIRECTREF VERSION-CONTROL`.split(/\s+/),
)
const METHOD_MAX = 24

const VERSION = Uint8Array.from(Buffer.from(' HTTP/1.1\r\n'))
const MINOR_AT = 8
const HOST = b.word('host')
const EXPECT = b.word('expect')
const CONTINUE = b.word('100-continue')
const UPGRADE = b.word('upgrade')
const H2C = b.word('h2c')
const HTTP2_SETTINGS = b.word('http2-settings')
const PATIENCE = b.word('x-envoy-expected-rq-timeout-ms')

export class RequestHead extends Head {
  method = OTHER
  idempotent = false
  /** The source waits for 100 before it sends its body. */
  expects = false
  /** Another protocol is asked for, by CONNECT or by `upgrade`; it begins only when granted. */
  switches = false
  /** How long the source says it will wait, in ms. */
  patienceMs = Number.POSITIVE_INFINITY
  #upgrade = false
  #host = -1
  #hostEnd = 0
  #authority = -1
  #authorityEnd = 0

  override begin(): void {
    super.begin()
    this.expects = this.switches = this.#upgrade = false
    this.patienceMs = Number.POSITIVE_INFINITY
    this.#host = this.#authority = -1
  }

  protected override startLine(bytes: Uint8Array, line: number, end: number): number {
    let at = line
    while (at < end && b.TOKEN[bytes[at]!] === 1) at += 1
    if (at >= end) return at - line > METHOD_MAX ? BAD_LINE : MORE_LINE
    if (bytes[at] !== b.SPACE || !this.#method(bytes, line, at)) return BAD_LINE
    const target = at + 1
    at = target
    while (at < end && b.TARGET[bytes[at]!] === 1) at += 1
    const version = this.#version(bytes, at, end)
    if (version !== DONE) return version === MORE ? MORE_LINE : BAD_LINE
    if (at + MINOR_AT + 1 - line > START_LINE_MAX) return LARGE_LINE
    return this.#target(bytes, target, at) ? at + 10 : BAD_LINE
  }

  /** ' HTTP/1.x' CR LF, or what can still become it. */
  #version(bytes: Uint8Array, at: number, end: number): Scanned {
    const length = Math.min(VERSION.length, end - at)
    for (let i = 0; i < length; i += 1) {
      if (bytes[at + i] !== VERSION[i] && (i !== MINOR_AT || bytes[at + i] !== 0x30)) return BAD
    }
    if (length < VERSION.length) return MORE
    this.minor = bytes[at + MINOR_AT]! - 0x30
    return DONE
  }

  #method(bytes: Uint8Array, at: number, end: number): boolean {
    const length = end - at
    if (length === 3 && bytes[at] === 0x47 && bytes[at + 1] === 0x45 && bytes[at + 2] === 0x54) {
      this.method = GET
      this.idempotent = true
      return true
    }
    if (length === 4 && bytes[at] === 0x50 && bytes[at + 1] === 0x4f && bytes[at + 2] === 0x53) {
      this.method = OTHER
      this.idempotent = false
      return bytes[at + 3] === 0x54
    }
    return length > 0 && length <= METHOD_MAX && this.#rare(latin1(bytes, at, end))
  }

  #rare(method: string): boolean {
    this.method = method === 'HEAD' ? HEAD : method === 'CONNECT' ? CONNECT : OTHER
    this.idempotent = method === 'HEAD' || IDEMPOTENT.has(method)
    return METHODS.has(method)
  }

  /** origin-form, absolute-form, asterisk-form; authority-form for CONNECT (RFC 9112 §3.2). */
  #target(bytes: Uint8Array, at: number, end: number): boolean {
    if (at === end) return false
    if (this.method === CONNECT) return allAuthority(bytes, at, end)
    if (bytes[at] === b.SLASH) return true
    if (bytes[at] === 0x2a) return end - at === 1
    let colon = at
    while (colon < end && b.TOKEN[bytes[colon]!] === 1) colon += 1
    if (colon === at || bytes[colon] !== b.COLON) return false
    if (bytes[colon + 1] !== b.SLASH || bytes[colon + 2] !== b.SLASH) return false
    let from = colon + 3
    let to = from
    // An '@' in the path belongs to it, one before to the userinfo: those are no part of a host.
    for (; to < end && bytes[to] !== b.SLASH && bytes[to] !== 0x3f && bytes[to] !== 0x23; to += 1) {
      if (bytes[to] === 0x40) from = to + 1
    }
    this.#authority = from - this.start
    this.#authorityEnd = to - this.start
    return to > from && allAuthority(bytes, from, to)
  }

  protected override field(
    bytes: Uint8Array,
    name: number,
    colon: number,
    value: number,
    end: number,
  ): boolean {
    switch (colon - name) {
      case 4:
        return !b.begins(bytes, name, HOST) || this.#hostField(bytes, value, end)
      case 6:
        if (b.begins(bytes, name, EXPECT)) this.expects = b.isSame(bytes, value, end, CONTINUE)
        return true
      case 7:
        return !b.begins(bytes, name, UPGRADE) || this.#upgradeField(bytes, name, value, end)
      case 14:
        return !b.begins(bytes, name, HTTP2_SETTINGS) || this.cut(name, this.lineEnd)
      case 30:
        if (b.begins(bytes, name, PATIENCE)) this.#patience(bytes, value, end)
        return true
      default:
        return true
    }
  }

  #hostField(bytes: Uint8Array, value: number, end: number): boolean {
    if (this.#host >= 0 || !allAuthority(bytes, value, end)) return false
    this.#host = value - this.start
    this.#hostEnd = end - this.start
    return true
  }

  /** h2c would turn the connection into what we do not see into: it is taken out, unoffered. */
  #upgradeField(bytes: Uint8Array, name: number, value: number, end: number): boolean {
    for (let at = value; at + 3 <= end; at += 1) {
      if (b.begins(bytes, at, H2C)) return this.cut(name, this.lineEnd)
    }
    this.#upgrade = true
    return true
  }

  #patience(bytes: Uint8Array, value: number, end: number): void {
    let ms = 0
    for (let at = value; at < end; at += 1) {
      const digit = bytes[at]! - 0x30
      if (digit < 0 || digit > 9 || ms > 1e9) return
      ms = ms * 10 + digit
    }
    if (end > value) this.patienceMs = ms
  }

  protected override coding(after: boolean, known: boolean): boolean {
    return known && !after
  }

  protected override agree(bytes: Uint8Array): boolean {
    // RFC 9112 §6.3: chunked must be the last coding of a request, and HTTP/1.0 has none.
    if (this.coded && (!this.chunked || this.minor === 0)) return false
    this.switches = this.method === CONNECT || (this.upgrades && this.#upgrade)
    // RFC 9110 §9.3.6: what follows CONNECT is the tunnel's, whatever a length may say.
    if (this.method === CONNECT && (this.coded || this.contentLength > 0)) return false
    return this.#authority < 0 || this.#host < 0 || this.#sameHost(bytes)
  }

  /** An absolute form wins over Host (RFC 9112 §3.2.2); two that differ are refused. */
  #sameHost(bytes: Uint8Array): boolean {
    const length = this.#hostEnd - this.#host
    if (length === 0) return true
    if (length !== this.#authorityEnd - this.#authority) return false
    for (let i = 0; i < length; i += 1) {
      const one = bytes[this.start + this.#host + i]!
      const two = bytes[this.start + this.#authority + i]!
      if (one !== two && lower(one) !== lower(two)) return false
    }
    return true
  }
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)

function allAuthority(bytes: Uint8Array, at: number, end: number): boolean {
  for (let i = at; i < end; i += 1) if (b.AUTHORITY[bytes[i]!] === 0) return false
  return true
}

function latin1(bytes: Uint8Array, at: number, end: number): string {
  let text = ''
  for (let i = at; i < end; i += 1) text += String.fromCharCode(bytes[i]!)
  return text
}
