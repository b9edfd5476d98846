/**
 * What the source says: heads, bodies, and requests sent ahead of their turn. It reads strictly in
 * order, one request at a time; what comes while another is under way is held.
 *
 *   head ──> asked ──> body ──> sent ──> head ...       of each request
 *              └─────> refused ────────> head           its body is read and dropped
 *   drop: nothing that comes is looked at any more
 */
import { HELD_MAX, type Held } from '../held.ts'
import { HELD_FULL, PEER_FULL, type Reader } from '../leg.ts'
import { complain, spoiled } from './answers.ts'
import { Body, MALFORMED } from './body.ts'
import type { Conversation } from './conversation.ts'
import { DONE, LARGE, MORE } from './head.ts'
import { HEAD, RequestHead } from './request.ts'
import { sendHead } from './send.ts'

/** More than this of a refused request's body is not read: the connection ends instead. */
export const REFUSED_BODY_MAX = 64 * 1024

type Phase = 'head' | 'asked' | 'body' | 'sent' | 'refused' | 'drop'

export class Requests implements Reader {
  readonly head = new RequestHead()
  readonly body = new Body()
  readonly held: Held
  phase: Phase = 'head'
  /** When a head began that is not whole yet; 0 is none. */
  headSinceMs = 0
  /** Something of the body was forwarded. */
  bodyBegun = false
  readonly #of: Conversation
  #bytes: Buffer
  #at = 0
  #end = 0
  #viewing = false
  #dropped = 0

  constructor(of: Conversation, held: Held) {
    this.#of = of
    this.held = held
    this.#bytes = held.bytes
    this.head.begin()
  }

  bytes(bytes: Buffer, start: number, end: number, nowMs: number): void {
    if (this.phase === 'drop') return
    this.#of.activeMs = nowMs
    const waits = this.phase === 'asked' || this.phase === 'sent'
    if (!waits && this.held.length === 0) {
      this.#read(bytes, start, end, nowMs)
      return
    }
    this.held.add(bytes, start, end)
    if (!waits) this.#readHeld(nowMs)
    else if (this.held.length >= HELD_MAX) this.#of.source.stop(HELD_FULL)
  }

  #read(bytes: Buffer, start: number, end: number, nowMs: number): void {
    this.#view(bytes, start, end)
    this.#run(nowMs)
    this.#viewing = false
    if (this.#at < this.#end && this.phase !== 'drop') this.held.add(bytes, this.#at, this.#end)
  }

  #readHeld(nowMs: number): void {
    const { held } = this
    this.#view(held.bytes, held.start, held.end)
    this.#run(nowMs)
    this.#unview(nowMs)
  }

  #view(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#viewing = true
  }

  #unview(nowMs: number): void {
    this.#viewing = false
    this.held.consume(this.#at, (this.#of.target?.waiting ?? 0) > 0)
    if (this.held.length < HELD_MAX) this.#of.source.go(HELD_FULL)
    this.#of.endings.perhapsOver(nowMs)
  }

  /** As far as the bytes in view and the turn allow. */
  #run(nowMs: number): void {
    while (this.#at < this.#end) {
      if (this.phase === 'head') {
        if (!this.#readHead(nowMs)) return
      } else if (this.phase === 'body' || this.phase === 'refused') {
        if (!this.#readBody(nowMs)) return
      } else {
        return
      }
    }
  }

  #readHead(nowMs: number): boolean {
    const { head, body } = this
    const scanned = head.scan(this.#bytes, this.#at, this.#end)
    if (scanned === MORE) {
      if (this.headSinceMs === 0) this.headSinceMs = nowMs
      return false
    }
    this.headSinceMs = 0
    if (scanned !== DONE) {
      if (scanned === LARGE) complain(this.#of, 431, 'the head is too large', nowMs)
      else complain(this.#of, 400, 'the request is not unambiguous HTTP/1.1', nowMs)
      return false
    }
    if (head.chunked) body.chunked()
    else if (head.contentLength > 0) body.length(head.contentLength)
    else body.none()
    this.bodyBegun = false
    this.phase = 'asked'
    this.#of.ask(nowMs)
    return true
  }

  /** It was let in: the head goes, with as much of the body as is here. */
  send(nowMs: number): void {
    if (this.#viewing) {
      this.#send(nowMs)
      return
    }
    this.#view(this.held.bytes, this.held.start, this.held.end)
    this.#send(nowMs)
    this.#run(nowMs)
    this.#unview(nowMs)
  }

  #send(nowMs: number): void {
    const { head, body } = this
    const behind = this.#at + head.length
    const taken = body.take(this.#bytes, behind, this.#end)
    if (taken === MALFORMED) {
      spoiled(this.#of, nowMs)
      return
    }
    const start = this.#at
    this.#at = behind + taken
    this.bodyBegun = taken > 0
    this.phase = body.done ? 'sent' : 'body'
    const target = this.#of.target!
    if (!sendHead(target, head, this.#bytes, start, this.#at)) this.#of.source.stop(PEER_FULL)
    this.#of.passing(this.#at - start, 'in', nowMs)
    if (body.done) this.#of.sent(nowMs)
  }

  #readBody(nowMs: number): boolean {
    const { body } = this
    const taken = body.take(this.#bytes, this.#at, this.#end)
    if (taken === MALFORMED) {
      spoiled(this.#of, nowMs)
      return false
    }
    const start = this.#at
    this.#at += taken
    if (this.phase === 'refused') return this.#dropBody(taken, nowMs)
    this.bodyBegun = true
    if (!this.#of.target!.write(this.#bytes, start, this.#at)) this.#of.source.stop(PEER_FULL)
    this.#of.passing(taken, 'in', nowMs)
    if (body.done) {
      this.phase = 'sent'
      this.#of.sent(nowMs)
    }
    return true
  }

  #dropBody(taken: number, nowMs: number): boolean {
    this.#dropped += taken
    if (this.body.done) this.#next()
    else if (this.#dropped > REFUSED_BODY_MAX) this.#of.endings.finish(nowMs)
    return this.phase !== 'drop'
  }

  /** Whether the body of a refused request can be read to its end, so that another may follow. */
  get bounded(): boolean {
    const { head } = this
    if (this.body.done) return true
    // RFC 9110 §10.1.1: whether a body that was waiting for 100 still comes, nobody can tell.
    return !head.expects && head.contentLength <= REFUSED_BODY_MAX
  }

  /** It was refused: its head is done with, and its body is not forwarded. */
  skip(nowMs: number): void {
    this.#dropped = 0
    const viewing = this.#viewing
    if (!viewing) this.#view(this.held.bytes, this.held.start, this.held.end)
    this.#at += this.head.length
    this.phase = 'refused'
    if (this.body.done) this.#next()
    if (viewing) return
    this.#run(nowMs)
    this.#unview(nowMs)
  }

  #next(): void {
    this.phase = 'head'
    this.head.begin()
  }

  /** The exchange is over: on to what was sent ahead. */
  next(nowMs: number): void {
    this.#next()
    if (this.held.length > 0) this.#readHeld(nowMs)
  }

  drop(): void {
    this.phase = 'drop'
    this.headSinceMs = 0
    this.held.consume(this.held.end, true)
    this.#at = this.#end
    this.#of.source.go(HELD_FULL | PEER_FULL)
  }

  get isHead(): boolean {
    return this.head.method === HEAD
  }

  /** All of the request has been read. */
  get done(): boolean {
    return this.phase !== 'body'
  }

  ended(nowMs: number): void {
    this.#of.endings.sourceEnded(nowMs)
  }

  drained(): void {
    this.#of.target?.go(PEER_FULL)
  }

  connected(): void {}

  closed(reset: boolean, nowMs: number): void {
    this.#of.endings.sourceClosed(reset, nowMs)
  }
}
