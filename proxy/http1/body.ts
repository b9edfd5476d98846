/**
 * Where a body ends. It is asked about each stretch of bytes as it comes, whatever the cuts, and
 * forwards nothing itself: `take` says how many of the bytes belong to the body. Chunks are read as
 * strictly as heads (RFC 9112 §7.1): an end that two parsers see in two places is an attack.
 */
import * as b from './bytes.ts'

/** Extensions and trailers are noise to us: bounded, for a chunk and for a message. */
export const EXTENSION_MAX = 4 * 1024
export const OVERHEAD_MAX = 16 * 1024
/** Framing may outweigh what it frames so many times, once there is this much of it. */
export const OVERHEAD_RATIO = 16
const OVERHEAD_FREE = 64 * 1024
/** Hexadecimal digits of a size; leading zeros count. */
const SIZE_DIGITS_MAX = 16
/** Names that say how a message is framed or for whom it is: not behind it (RFC 9110 §6.5.1). */
const FORBIDDEN = ['content-length', 'transfer-encoding', 'host', 'trailer'].map(b.word)
const OURS = b.word('x-airspace-')
const NAME_KEPT = 32

/** What `take` says of bytes that cannot be a body's. */
export const MALFORMED = -1

/** What is read next, in a chunked body. */
const SIZE = 0
const EXTENSION_NAME = 1
const EXTENSION_VALUE = 2
const EXTENSION_QUOTED = 3
const EXTENSION_ESCAPED = 4
const EXTENSION_AFTER = 5
const SIZE_LF = 6
const DATA = 7
const DATA_CR = 8
const DATA_LF = 9
const TRAILER = 10
const TRAILER_NAME = 11
const TRAILER_VALUE = 12
const TRAILER_LF = 13
const LAST_LF = 14

type Kind = 'none' | 'length' | 'chunked' | 'until-close'

const NO_NAME = new Uint8Array(0)

export class Body {
  done = true
  kind: Kind = 'none'
  #left = 0
  #state = SIZE
  #digits = 0
  #empty = true
  #extension = 0
  #noise = 0
  #framing = 0
  #data = 0
  #nameLength = 0
  /** Of the trailer being read; most bodies have none. */
  #name: Uint8Array = NO_NAME

  none(): void {
    this.kind = 'none'
    this.done = true
  }

  length(bytes: number): void {
    this.kind = 'length'
    this.#left = bytes
    this.done = bytes === 0
  }

  untilClose(): void {
    this.kind = 'until-close'
    this.done = false
  }

  chunked(): void {
    this.kind = 'chunked'
    this.done = false
    this.#size()
    this.#noise = this.#framing = this.#data = 0
  }

  /** How many of the bytes from `at` are the body's, or MALFORMED; sets `done`. */
  take(bytes: Uint8Array, at: number, end: number): number {
    if (this.done) return 0
    if (this.kind === 'until-close') return end - at
    if (this.kind === 'chunked') return this.#chunks(bytes, at, end)
    const taken = Math.min(this.#left, end - at)
    this.#left -= taken
    this.done = this.#left === 0
    return taken
  }

  #size(): void {
    this.#state = SIZE
    this.#left = this.#digits = this.#extension = 0
  }

  #chunks(bytes: Uint8Array, from: number, end: number): number {
    let at = from
    while (at < end) {
      if (this.#state === DATA) {
        const taken = Math.min(this.#left, end - at)
        this.#left -= taken
        this.#data += taken
        at += taken
        if (this.#left > 0) break
        this.#state = DATA_CR
        continue
      }
      if (!this.#step(bytes[at]!)) return MALFORMED
      at += 1
      if (this.done) break
    }
    return this.#heavy() ? MALFORMED : at - from
  }

  /** Far more framing than data is work for us that costs its sender nothing. */
  #heavy(): boolean {
    return this.#framing > OVERHEAD_FREE && this.#framing > OVERHEAD_RATIO * this.#data
  }

  /** One byte of framing. */
  #step(byte: number): boolean {
    this.#framing += 1
    switch (this.#state) {
      case SIZE:
        return this.#sizeByte(byte)
      case SIZE_LF:
        return byte === b.LF && this.#sized()
      case DATA_CR:
        this.#state = DATA_LF
        return byte === b.CR
      case DATA_LF:
        this.#size()
        return byte === b.LF
      default:
        return this.#state < SIZE_LF ? this.#extensionByte(byte) : this.#trailerByte(byte)
    }
  }

  #sizeByte(byte: number): boolean {
    const digit = b.HEX[byte]!
    if (digit !== 255) {
      this.#left = this.#left * 16 + digit
      this.#digits += 1
      return this.#digits <= SIZE_DIGITS_MAX && this.#left <= Number.MAX_SAFE_INTEGER
    }
    return this.#digits > 0 && this.#sizeOver(byte)
  }

  /** What may follow a size or an extension: another, or the end of the line. */
  #sizeOver(byte: number): boolean {
    this.#empty = true
    this.#state = byte === b.SEMICOLON ? EXTENSION_NAME : SIZE_LF
    return byte === b.SEMICOLON || byte === b.CR
  }

  #sized(): boolean {
    this.#state = this.#left === 0 ? TRAILER : DATA
    return true
  }

  #noisy(): boolean {
    this.#noise += 1
    return this.#noise > OVERHEAD_MAX
  }

  /** chunk-ext = *( ";" name [ "=" ( token / quoted-string ) ] ), and no white space. */
  #extensionByte(byte: number): boolean {
    this.#extension += 1
    if (this.#noisy() || this.#extension > EXTENSION_MAX) return false
    const token = b.TOKEN[byte] === 1
    switch (this.#state) {
      case EXTENSION_ESCAPED:
        this.#state = EXTENSION_QUOTED
        return b.VALUE[byte] === 1
      case EXTENSION_QUOTED:
        if (byte === b.BACKSLASH) this.#state = EXTENSION_ESCAPED
        else if (byte === b.QUOTE) this.#state = EXTENSION_AFTER
        return b.VALUE[byte] === 1
      case EXTENSION_AFTER:
        return this.#sizeOver(byte)
      default:
        break
    }
    if (token) {
      this.#empty = false
      return true
    }
    if (this.#state === EXTENSION_VALUE && this.#empty && byte === b.QUOTE) {
      this.#state = EXTENSION_QUOTED
      return true
    }
    if (this.#empty) return false
    if (this.#state === EXTENSION_NAME && byte === b.EQUALS) {
      this.#state = EXTENSION_VALUE
      this.#empty = true
      return true
    }
    return this.#sizeOver(byte)
  }

  #trailerByte(byte: number): boolean {
    if (this.#noisy()) return false
    switch (this.#state) {
      case TRAILER:
        this.#nameLength = 0
        if (this.#name === NO_NAME) this.#name = new Uint8Array(NAME_KEPT)
        if (byte === b.CR) {
          this.#state = LAST_LF
          return true
        }
        this.#state = TRAILER_NAME
        return this.#nameByte(byte)
      case TRAILER_NAME:
        if (byte !== b.COLON) return this.#nameByte(byte)
        this.#state = TRAILER_VALUE
        return this.#allowed()
      case TRAILER_VALUE:
        if (byte === b.CR) this.#state = TRAILER_LF
        return byte === b.CR || b.VALUE[byte] === 1
      case TRAILER_LF:
        this.#state = TRAILER
        return byte === b.LF
      default:
        this.done = true
        return byte === b.LF
    }
  }

  #nameByte(byte: number): boolean {
    if (this.#nameLength < NAME_KEPT) this.#name[this.#nameLength] = byte
    this.#nameLength += 1
    return b.TOKEN[byte] === 1
  }

  #allowed(): boolean {
    const length = this.#nameLength
    if (length >= OURS.length && b.begins(this.#name, 0, OURS)) return false
    return !FORBIDDEN.some((name) => b.isSame(this.#name, 0, length, name))
  }
}
