/**
 * The head of a message, read strictly and without making a string: start line, fields, empty
 * line. What is ambiguous is refused and never repaired (RFC 9112 §11.2): a bare CR or LF, folding,
 * a space before the colon, a control character, two framings. A head may come in any number of
 * pieces: `scan` is asked again with all of it, and goes on after the last whole line.
 *
 *   GET /a HTTP/1.1 CR LF | host: x CR LF | x-airspace-a: 1 CR LF | CR LF | body ...
 *   ^ start                               ^ cuts[0]                ^ cuts[1] ^ start + length
 */
import * as b from './bytes.ts'

/** At least what Node (16 KiB in all) and nginx (a line of 8 KiB) take; without CR LF. */
export const START_LINE_MAX = 16 * 1024
/** All of a head: start line, fields, empty line. */
export const HEAD_MAX = 64 * 1024
/** Node ignores fields beyond this number: to forward more would show it less than we saw. */
export const FIELDS_MAX = 2000
/** Empty lines before a start line that are passed over (RFC 9112 §2.2). */
export const EMPTY_LINES_MAX = 4
/** A line that came in pieces is read again from its beginning while it is no longer than this. */
const SHORT_LINE = 512
/** Lines taken out of one head; more of them and it is refused. */
const CUTS_MAX = 16

/** What reading a line may say, besides where its line feed is. */
export const MORE_LINE = 0
export const BAD_LINE = -1
export const LARGE_LINE = -2

/** What `scan` says: ask again with more; all here; not HTTP; too large. */
export const MORE = 0
export const DONE = 1
export const BAD = 2
export const LARGE = 3
export type Scanned = typeof MORE | typeof DONE | typeof BAD | typeof LARGE

const CONNECTION = b.word('connection')
const CONTENT_LENGTH = b.word('content-length')
const TRANSFER_ENCODING = b.word('transfer-encoding')
const OURS = b.word('x-airspace-')
const CLOSE = b.word('close')
const KEEP_ALIVE = b.word('keep-alive')
const UPGRADE = b.word('upgrade')
const CHUNKED = b.word('chunked')
const CODINGS = ['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress'].map(b.word)

/** Of heads that nothing was ever taken out of, which are most: never written to. */
const NO_CUTS: number[] = []

export abstract class Head {
  /** Bytes from the start to the end of the empty line, once DONE. */
  length = 0
  /** Of HTTP/1.x: 0 or 1. */
  minor = 1
  /** -1: not said. */
  contentLength = -1
  /** Some transfer-coding was named; `chunked` only if it was the last of them. */
  coded = false
  chunked = false
  /** What `connection` says. */
  closes = false
  keeps = false
  upgrades = false
  /** Of a line that says `connection: keep-alive` and nothing else; -1 without one. */
  #keepFrom = -1
  #keepTo = -1
  /** Stretches to leave out, as offsets from the start: from, to, from, to ... */
  cuts: number[] = NO_CUTS
  cutCount = 0
  /** Where the message begins in the bytes being scanned. Offsets that are kept are from here. */
  protected start = 0
  /** Behind the line being read. */
  protected lineEnd = 0
  #line = 0
  #seen = 0
  #fields = 0
  #started = false
  #empties = 0

  /** Reads the start line at `at`; where its line feed is, MORE_LINE or BAD_LINE. */
  protected abstract startLine(bytes: Uint8Array, at: number, end: number): number
  /** Reads a field that the head itself does not know; false when it is not acceptable. */
  protected abstract field(
    bytes: Uint8Array,
    name: number,
    colon: number,
    value: number,
    end: number,
  ): boolean
  /** Asked once all fields are there: whether they agree with each other. */
  protected abstract agree(bytes: Uint8Array): boolean
  /** Whether one more coding is acceptable: `after` chunked was named, `known` by name. */
  protected abstract coding(after: boolean, known: boolean): boolean

  begin(): void {
    this.contentLength = -1
    this.minor = 1
    this.coded = this.chunked = this.closes = this.keeps = this.upgrades = false
    this.cutCount = 0
    this.#keepFrom = -1
    this.#line = this.#seen = this.#fields = this.#empties = 0
    this.#started = false
  }

  /** `start` is where the message begins, each time; `end` is behind the last byte there is. */
  scan(bytes: Uint8Array, start: number, end: number): Scanned {
    this.start = start
    if (this.#seen > 0 && !this.#lineEnded(bytes, start, end)) return this.#limited(end - start)
    let at = start + this.#line
    for (;;) {
      const feed = this.#started ? this.#fieldLine(bytes, at, end) : this.#first(bytes, at, end)
      if (feed === BAD_LINE) return BAD
      if (feed === LARGE_LINE) return LARGE
      if (feed === MORE_LINE) {
        this.#line = at - start
        this.#seen = end - start
        return this.#limited(end - start)
      }
      at = (feed < 0 ? -feed : feed) + 1
      if (at - start > HEAD_MAX) return LARGE
      if (feed < 0) {
        this.length = at - start
        return this.#whole(bytes) ? DONE : BAD
      }
      if (this.#fields > FIELDS_MAX) return LARGE
    }
  }

  /**
   * A short line is read again with each piece, so that the verdict is the same however it was
   * cut. A long one only when it has ended, or a byte at a time would cost the square of it.
   */
  #lineEnded(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start - this.#line <= SHORT_LINE) return true
    // From the last byte of before: what follows a CR decides.
    for (let at = start + this.#seen - 1; at < end; at += 1) {
      if (bytes[at] === b.LF || bytes[at] === b.CR) return true
    }
    this.#seen = end - start
    return false
  }

  #limited(length: number): Scanned {
    if (!this.#started && length - this.#line > START_LINE_MAX + 1) return LARGE
    return length > HEAD_MAX ? LARGE : MORE
  }

  #first(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) return MORE_LINE
    if (bytes[at] === b.CR) {
      if (at + 1 >= end) return MORE_LINE
      this.#empties += 1
      if (bytes[at + 1] !== b.LF || this.#empties > EMPTY_LINES_MAX) return BAD_LINE
      return this.cut(at, at + 2) ? at + 1 : BAD_LINE
    }
    const feed = this.startLine(bytes, at, end)
    if (feed > 0) this.#started = true
    return feed
  }

  /** Where the line feed is; negative if the line was the empty one. */
  #fieldLine(bytes: Uint8Array, line: number, end: number): number {
    let at = line
    while (at < end && b.TOKEN[bytes[at]!] === 1) at += 1
    if (at >= end) return MORE_LINE
    if (at === line) {
      if (bytes[at] !== b.CR) return BAD_LINE
      return at + 1 >= end ? MORE_LINE : bytes[at + 1] === b.LF ? -(at + 1) : BAD_LINE
    }
    if (bytes[at] !== b.COLON) return BAD_LINE
    const colon = at
    at += 1
    while (at < end && (bytes[at] === b.SPACE || bytes[at] === b.TAB)) at += 1
    const value = at
    while (at < end && b.VALUE[bytes[at]!] === 1) at += 1
    if (at + 1 >= end) return at < end && bytes[at] !== b.CR ? BAD_LINE : MORE_LINE
    if (bytes[at] !== b.CR || bytes[at + 1] !== b.LF) return BAD_LINE
    this.#fields += 1
    let last = at
    while (last > value && (bytes[last - 1] === b.SPACE || bytes[last - 1] === b.TAB)) last -= 1
    this.lineEnd = at + 2
    return this.#known(bytes, line, colon, value, last) ? at + 1 : BAD_LINE
  }

  #known(bytes: Uint8Array, name: number, colon: number, value: number, end: number): boolean {
    const length = colon - name
    if (length === 10 && b.begins(bytes, name, CONNECTION)) {
      if (b.isSame(bytes, value, end, KEEP_ALIVE)) {
        this.#keepFrom = name - this.start
        this.#keepTo = this.lineEnd - this.start
      }
      return this.#connection(bytes, value, end)
    }
    if (length === 14 && b.begins(bytes, name, CONTENT_LENGTH)) {
      return this.#contentLength(bytes, value, end)
    }
    if (length === 17 && b.begins(bytes, name, TRANSFER_ENCODING)) {
      return this.#untabbed(bytes, colon) && this.#codings(bytes, value, end)
    }
    if (length > 11 && b.begins(bytes, name, OURS)) return this.cut(name, this.lineEnd)
    return this.field(bytes, name, colon, value, end)
  }

  /** Leaves a line out of what is forwarded. */
  protected cut(from: number, to: number): boolean {
    if (this.cutCount >= CUTS_MAX) return false
    if (this.cuts === NO_CUTS) this.cuts = []
    this.cuts[this.cutCount * 2] = from - this.start
    this.cuts[this.cutCount * 2 + 1] = to - this.start
    this.cutCount += 1
    return true
  }

  /** The contrary is to be said: some callers read the first such line and no other. */
  cutKeepAlive(): void {
    const from = this.#keepFrom
    if (from < 0 || this.cutCount >= CUTS_MAX) return
    this.#keepFrom = -1
    let at = this.cutCount
    if (this.cuts === NO_CUTS) this.cuts = []
    while (at > 0 && this.cuts[at * 2 - 2]! > from) {
      this.cuts[at * 2] = this.cuts[at * 2 - 2]!
      this.cuts[at * 2 + 1] = this.cuts[at * 2 - 1]!
      at -= 1
    }
    this.cuts[at * 2] = from
    this.cuts[at * 2 + 1] = this.#keepTo
    this.cutCount += 1
  }

  /** Digits alone, once, and exact as a number: RFC 9112 §6.3 lets nothing else be framed by. */
  #contentLength(bytes: Uint8Array, value: number, end: number): boolean {
    if (this.contentLength >= 0 || value === end) return false
    let length = 0
    for (let at = value; at < end; at += 1) {
      const digit = bytes[at]! - 0x30
      if (digit < 0 || digit > 9) return false
      length = length * 10 + digit
      if (length > Number.MAX_SAFE_INTEGER) return false
    }
    this.contentLength = length
    return true
  }

  #connection(bytes: Uint8Array, value: number, end: number): boolean {
    let at = value
    while (at < end) {
      let stop = at
      while (stop < end && bytes[stop] !== b.COMMA) stop += 1
      const next = stop + 1
      while (at < stop && (bytes[at] === b.SPACE || bytes[at] === b.TAB)) at += 1
      while (stop > at && (bytes[stop - 1] === b.SPACE || bytes[stop - 1] === b.TAB)) stop -= 1
      if (b.isSame(bytes, at, stop, CLOSE)) this.closes = true
      else if (b.isSame(bytes, at, stop, KEEP_ALIVE)) this.keeps = true
      else if (b.isSame(bytes, at, stop, UPGRADE)) this.upgrades = true
      at = next
    }
    return true
  }

  /**
   * Allowed by RFC 9110 §5.6.3, and not by Node behind a coding: two parsers must not differ
   * here.
   */
  #untabbed(bytes: Uint8Array, colon: number): boolean {
    for (let at = colon; at < this.lineEnd; at += 1) if (bytes[at] === b.TAB) return false
    return true
  }

  /** Known codings, `chunked` last and once. What a response may have besides, it says itself. */
  #codings(bytes: Uint8Array, value: number, end: number): boolean {
    let at = value
    do {
      let stop = at
      while (stop < end && bytes[stop] !== b.COMMA) stop += 1
      const next = stop + 1
      while (at < stop && (bytes[at] === b.SPACE || bytes[at] === b.TAB)) at += 1
      while (stop > at && (bytes[stop - 1] === b.SPACE || bytes[stop - 1] === b.TAB)) stop -= 1
      // An empty one is no coding, and may hide what another parser takes for the last.
      if (at === stop || !this.#coding(bytes, at, stop)) return false
      at = next
    } while (at <= end)
    return true
  }

  #coding(bytes: Uint8Array, at: number, end: number): boolean {
    const after = this.chunked
    this.coded = true
    this.chunked = b.isSame(bytes, at, end, CHUNKED)
    return this.coding(after, this.chunked || CODINGS.some((one) => b.isSame(bytes, at, end, one)))
  }

  #whole(bytes: Uint8Array): boolean {
    // RFC 9112 §6.1: a message with both is an attack or a mistake, whoever sent it.
    if (this.coded && this.contentLength >= 0) return false
    return this.agree(bytes)
  }
}
