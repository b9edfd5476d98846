/** Reads messages of HTTP/1 from pieces, as a connection does, and says what it made of them. */
import { Body, MALFORMED } from '../../proxy/http1/body.ts'
import { DONE, LARGE, MORE } from '../../proxy/http1/head.ts'
import { RequestHead } from '../../proxy/http1/request.ts'
import { ResponseHead } from '../../proxy/http1/response.ts'

/** `2 whole`, `1 whole, then bad`, `0 whole, then more`. */
export type Read = string

export function readPieces(kind: 'request' | 'response', pieces: readonly Buffer[]): Read {
  const reading = new Reading(kind)
  for (const piece of pieces) if (!reading.take(piece)) break
  return reading.verdict
}

class Reading {
  readonly #head: RequestHead | ResponseHead
  readonly #body = new Body()
  #bytes = Buffer.alloc(0)
  #inBody = false
  #whole = 0
  #rest = ''
  #switched = false

  constructor(kind: 'request' | 'response') {
    this.#head = kind === 'request' ? new RequestHead() : new ResponseHead()
    this.#head.begin()
  }

  get verdict(): Read {
    const rest = this.#rest || (this.#bytes.length > 0 || this.#inBody ? 'more' : '')
    return `${this.#whole} whole${rest && !this.#switched ? `, then ${rest}` : ''}`
  }

  take(piece: Buffer): boolean {
    this.#bytes = Buffer.concat([this.#bytes, piece])
    while (this.#bytes.length > 0 && !this.#switched) {
      if (!(this.#inBody ? this.#readBody() : this.#readHead())) break
    }
    return this.#rest === '' && !this.#switched
  }

  #readHead(): boolean {
    const head = this.#head
    const scanned = head.scan(this.#bytes, 0, this.#bytes.length)
    if (scanned === MORE) return false
    if (scanned !== DONE) this.#rest = scanned === LARGE ? 'large' : 'bad'
    if (this.#rest) return false
    this.#bytes = this.#bytes.subarray(head.length)
    this.#switched = head instanceof RequestHead && head.switches
    const untilClose = head instanceof ResponseHead && head.status >= 200 && head.status !== 204
    if (head.chunked) this.#body.chunked()
    else if (head.contentLength > 0) this.#body.length(head.contentLength)
    else if (untilClose && head.contentLength < 0) this.#body.untilClose()
    else this.#body.none()
    this.#inBody = true
    return this.#done()
  }

  #readBody(): boolean {
    const taken = this.#body.take(this.#bytes, 0, this.#bytes.length)
    if (taken === MALFORMED) this.#rest = 'bad'
    if (this.#rest) return false
    this.#bytes = this.#bytes.subarray(taken)
    return this.#done()
  }

  #done(): boolean {
    if (!this.#body.done) return this.#bytes.length > 0
    this.#whole += 1
    this.#inBody = false
    this.#head.begin()
    return true
  }
}
