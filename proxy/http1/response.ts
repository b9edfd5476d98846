/**
 * The head of a response, as strictly: its status, and how its body is framed by what was asked.
 */
import * as b from './bytes.ts'
import { BAD_LINE, Head, LARGE_LINE, MORE_LINE, START_LINE_MAX } from './head.ts'

const HTTP_1 = Uint8Array.from(Buffer.from('HTTP/1.'))

export class ResponseHead extends Head {
  status = 0

  protected override startLine(bytes: Uint8Array, line: number, end: number): number {
    if (end - line < 14) return agreesSoFar(bytes, line, end) ? MORE_LINE : BAD_LINE
    for (let i = 0; i < 7; i += 1) if (bytes[line + i] !== HTTP_1[i]) return BAD_LINE
    this.minor = bytes[line + 7]! - 0x30
    if (this.minor !== 0 && this.minor !== 1) return BAD_LINE
    if (bytes[line + 8] !== b.SPACE) return BAD_LINE
    this.status = 0
    for (let at = line + 9; at < line + 12; at += 1) {
      const digit = bytes[at]! - 0x30
      if (digit < 0 || digit > 9) return BAD_LINE
      this.status = this.status * 10 + digit
    }
    if (this.status < 100) return BAD_LINE
    let at = line + 12
    if (bytes[at] !== b.SPACE && bytes[at] !== b.CR) return BAD_LINE
    while (at < end && b.VALUE[bytes[at]!] === 1) at += 1
    if (at - line > START_LINE_MAX) return LARGE_LINE
    if (at + 1 >= end) return at < end && bytes[at] !== b.CR ? BAD_LINE : MORE_LINE
    return bytes[at] === b.CR && bytes[at + 1] === b.LF ? at + 1 : BAD_LINE
  }

  protected override field(): boolean {
    return true
  }

  /** RFC 9112 §6.3: a coding of a response that does not end in chunked lasts until the end. */
  protected override coding(after: boolean): boolean {
    return !(after && this.chunked)
  }

  protected override agree(): boolean {
    return !(this.coded && this.minor === 0)
  }
}

/** A short read of what can still become a status line. */
function agreesSoFar(bytes: Uint8Array, line: number, end: number): boolean {
  for (let i = 0; i < 7 && line + i < end; i += 1) if (bytes[line + i] !== HTTP_1[i]) return false
  return true
}
