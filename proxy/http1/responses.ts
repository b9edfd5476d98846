/**
 * What the target says to one request at a time: any number of interim heads, one final head, its
 * body. Bytes that nobody asked for are never the beginning of an answer.
 *
 *   idle ──begin──> head ──> body ──> done ──> idle
 */
import { Held } from '../held.ts'
import { PEER_FULL, type Reader } from '../leg.ts'
import { badAnswer } from './answers.ts'
import { Body, MALFORMED } from './body.ts'
import { CR, LF } from './bytes.ts'
import type { Conversation } from './conversation.ts'
import { DONE, MORE } from './head.ts'
import { CONNECT, HEAD } from './request.ts'
import { ResponseHead } from './response.ts'
import { CLOSE_LINE, sendHead } from './send.ts'

/** Interim responses to one request; each is relayed, more are an attack. */
export const INTERIMS_MAX = 32

type Phase = 'idle' | 'head' | 'body' | 'done'

export class Responses implements Reader {
  readonly head = new ResponseHead()
  readonly body = new Body()
  phase: Phase = 'idle'
  /** Of the final head, once it was read. */
  status = 0
  /** The source has seen a part of the final answer. */
  started = false
  /** The source is gone: the answer is read to its end and goes nowhere. */
  discards = false
  /** The source was told that nothing follows. */
  told = false
  /** The target said 100: the body may come. */
  continued = false
  readonly #of: Conversation
  #held: Held | null = null
  #bytes: Buffer = NONE
  #at = 0
  #end = 0
  #interims = 0

  constructor(of: Conversation) {
    this.#of = of
  }

  begin(): void {
    this.phase = 'head'
    this.head.begin()
    this.started = this.told = this.continued = false
    this.status = this.#interims = 0
  }

  idle(): void {
    this.phase = 'idle'
  }

  /** A head is expected: the first, or the one after an interim. */
  get responding(): boolean {
    return this.phase === 'head'
  }

  get done(): boolean {
    return this.phase === 'done'
  }

  bytes(bytes: Buffer, start: number, end: number, nowMs: number): void {
    this.#of.activeMs = nowMs
    const held = this.#held
    if (held === null || held.length === 0) {
      this.#read(bytes, start, end, nowMs)
      if (this.#at < this.#end) (this.#held ??= new Held()).add(bytes, this.#at, this.#end)
      return
    }
    held.add(bytes, start, end)
    this.#read(held.bytes, held.start, held.end, nowMs)
    held.consume(this.#at, this.#of.source.waiting > 0)
  }

  /** What is left in view afterwards is a head that is not whole. */
  #read(bytes: Buffer, start: number, end: number, nowMs: number): void {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    while (this.#at < this.#end && this.phase === 'head') if (!this.#readHead(nowMs)) return
    if (this.phase === 'body' && this.#at < this.#end) this.#readBody(nowMs)
    if (this.phase === 'head' || this.#at >= this.#end) return
    this.#of.unasked(this.#onlyEmptyLines(), nowMs)
    this.#at = this.#end
  }

  #readHead(nowMs: number): boolean {
    const { head } = this
    const scanned = head.scan(this.#bytes, this.#at, this.#end)
    if (scanned === MORE) return false
    if (scanned !== DONE) return this.#bad(nowMs)
    if (head.status >= 200) return this.#final(nowMs)
    if (head.status === 101) return this.#switch(nowMs)
    this.#interims += 1
    if (this.#interims > INTERIMS_MAX) return this.#bad(nowMs)
    if (head.status === 100) this.continued = true
    this.#forward(head.length, nowMs)
    head.begin()
    return true
  }

  #bad(nowMs: number): false {
    this.#at = this.#end
    badAnswer(this.#of, nowMs)
    return false
  }

  /** RFC 9110 §15.2.2: only what was asked for may be switched to. */
  #switch(nowMs: number): boolean {
    const { requests } = this.#of
    const granted = requests.head.switches && requests.head.method !== CONNECT
    if (!granted || requests.phase !== 'sent') return this.#bad(nowMs)
    return this.#tunnel(nowMs)
  }

  #tunnel(nowMs: number): false {
    this.#forward(this.head.length, nowMs)
    const at = this.#at
    this.#at = this.#end
    this.#of.tunnel(this.#bytes, at, this.#end, nowMs)
    return false
  }

  #forward(length: number, nowMs: number): void {
    const start = this.#at
    this.#at += length
    if (this.discards) return
    const line = this.#of.last && this.head.status >= 200 ? CLOSE_LINE : undefined
    if (line) {
      this.told = true
      this.head.cutKeepAlive()
    }
    const { source } = this.#of
    if (!sendHead(source, this.head, this.#bytes, start, this.#at, line)) {
      this.#of.target!.stop(PEER_FULL)
    }
    this.#of.passing(length, 'out', nowMs)
  }

  #final(nowMs: number): boolean {
    const { head, body } = this
    const { method } = this.#of.requests.head
    this.status = head.status
    if (method === CONNECT && head.status < 300) return this.#tunnel(nowMs)
    // RFC 9112 §6.3, in its order.
    if (method === HEAD || head.status === 204 || head.status === 304) body.none()
    else if (head.chunked) body.chunked()
    else if (head.coded) body.untilClose()
    else if (head.contentLength >= 0) body.length(head.contentLength)
    else body.untilClose()
    const taken = body.take(this.#bytes, this.#at + head.length, this.#end)
    if (taken === MALFORMED) return this.#bad(nowMs)
    this.#of.answering()
    this.phase = body.done ? 'done' : 'body'
    this.started = true
    this.#forward(head.length + taken, nowMs)
    if (body.done) this.#done(nowMs)
    return this.responding
  }

  #readBody(nowMs: number): void {
    const taken = this.body.take(this.#bytes, this.#at, this.#end)
    if (taken === MALFORMED) {
      this.#bad(nowMs)
      return
    }
    const start = this.#at
    this.#at += taken
    if (!this.discards) {
      const { source, target } = this.#of
      if (!source.write(this.#bytes, start, this.#at)) target!.stop(PEER_FULL)
    }
    this.#of.passing(taken, 'out', nowMs)
    if (!this.body.done) return
    this.phase = 'done'
    this.#done(nowMs)
  }

  /** Said before the next request is sent: what is left in view cannot be its answer. */
  #done(nowMs: number): void {
    if (this.#at < this.#end) {
      this.#of.unasked(this.#onlyEmptyLines(), nowMs)
      this.#at = this.#end
    }
    this.#of.settle(nowMs)
  }

  #onlyEmptyLines(): boolean {
    for (let at = this.#at; at < this.#end; at += 1) {
      if (this.#bytes[at] !== CR && this.#bytes[at] !== LF) return false
    }
    return true
  }

  ended(nowMs: number): void {
    if (this.phase === 'body' && this.body.kind === 'until-close') {
      this.phase = 'done'
      this.#of.settle(nowMs)
    }
    this.#of.endings.targetEnded(nowMs)
  }

  drained(): void {
    this.#of.source.go(PEER_FULL)
  }

  connected(nowMs: number): void {
    this.#of.activeMs = nowMs
  }

  closed(reset: boolean, nowMs: number): void {
    this.#of.endings.targetClosed(reset, nowMs)
  }
}

const NONE = Buffer.alloc(0)
