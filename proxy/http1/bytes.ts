/** The alphabets of HTTP/1, as tables over byte values, and the comparisons made with them. */

/** A field's name, a method, a coding: tchar (RFC 9110 §5.6.2). */
export const TOKEN = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789") TOKEN[char.charCodeAt(0)] = 1
for (let letter = 0; letter < 26; letter += 1) TOKEN[0x41 + letter] = TOKEN[0x61 + letter] = 1

/**
 * What may stand in a field's value: no control character but the tab (RFC 9110 §5.5). Bytes from
 * 0x80 are obs-text, opaque and harmless.
 */
export const VALUE = new Uint8Array(256)
for (let byte = 0x20; byte < 256; byte += 1) VALUE[byte] = 1
VALUE[0x7f] = 0
VALUE[0x09] = 1

/** What may stand in a request's target. No byte above 0x7e: RFC 3986, as HAProxy and Node. */
export const TARGET = new Uint8Array(256)
for (let byte = 0x21; byte < 0x7f; byte += 1) TARGET[byte] = 1

/** What may stand in a Host: reg-name, IP-literal, port (RFC 3986 §3.2.2); no userinfo, no path. */
export const AUTHORITY = new Uint8Array(256)
for (const char of "-._~%!$&'()*+,;=:[]0123456789") AUTHORITY[char.charCodeAt(0)] = 1
for (let letter = 0; letter < 26; letter += 1) {
  AUTHORITY[0x41 + letter] = AUTHORITY[0x61 + letter] = 1
}

/** The value of a hexadecimal digit; 255 for all else. */
export const HEX = new Uint8Array(256).fill(255)
for (let digit = 0; digit < 10; digit += 1) HEX[0x30 + digit] = digit
for (let digit = 0; digit < 6; digit += 1) HEX[0x41 + digit] = HEX[0x61 + digit] = 10 + digit

export const TAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const QUOTE = 0x22
export const COMMA = 0x2c
export const SLASH = 0x2f
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const EQUALS = 0x3d
export const BACKSLASH = 0x5c

/** A word in lower case, to be compared with. */
export const word = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

/** Whether bytes from `at` are the word, letters of either case: only for words of tchars. */
export function begins(bytes: Uint8Array, at: number, lower: Uint8Array): boolean {
  for (let i = 0; i < lower.length; i += 1) {
    const byte = bytes[at + i]!
    if (byte !== lower[i] && (byte < 0x41 || byte > 0x5a || (byte | 0x20) !== lower[i])) {
      return false
    }
  }
  return true
}

export const isSame = (bytes: Uint8Array, at: number, end: number, lower: Uint8Array): boolean =>
  end - at === lower.length && begins(bytes, at, lower)
