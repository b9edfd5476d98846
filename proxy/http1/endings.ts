/**
 * What the end of one side means for the other. Ends are passed on as they are: FIN as FIN, in
 * either order, a reset as a reset. One thing is ours: when a policy lent a slot for the exchange
 * and its source aborts, the slot is free only when the target has ended the exchange, so the
 * answer is read to its end and goes nowhere, for a bounded time.
 */
import { PEER_FULL, type Reader } from '../leg.ts'
import type { Conversation } from './conversation.ts'

/** How long an answer is waited for that nobody wants any more, because its slot is in use. */
export const LINGER_MAX_MS = 10_000
/** After our FIN, how long what still comes is read, so that no reset eats the answer. */
export const FAREWELL_MS = 2_000

export class Endings {
  /** The source is gone, or will never finish its request. */
  aborted = false
  readonly #of: Conversation
  #gone = false
  /** Our last word is said, or on its way. */
  #finishing = false

  constructor(of: Conversation) {
    this.#of = of
  }

  sourceEnded(nowMs: number): void {
    const { requests, source } = this.#of
    if (requests.phase === 'drop') source.close()
    else if (requests.phase === 'body') this.abort(false, nowMs)
    else if (requests.phase === 'head' || requests.phase === 'refused') this.finish(nowMs)
    else this.passEnd(nowMs)
  }

  /** A source may say that it sends no more and still read: the target is told the same. */
  passEnd(nowMs: number): void {
    const { source, target, requests, exchange, deadlines } = this.#of
    if (!source.ended || requests.phase !== 'sent' || requests.held.length > 0) return
    // Many targets drop what they do at a FIN and say nothing: a slot is not free by that. But a
    // source that has given up says no more than this either, and its target must learn of it.
    if (exchange.holds) deadlines.finishBy(nowMs + LINGER_MAX_MS)
    else target?.finish()
  }

  /** A source that has sent its last: no more comes of what it has not sent whole. */
  perhapsOver(nowMs: number): void {
    const { source, requests } = this.#of
    const reads = requests.phase === 'head' || requests.phase === 'refused'
    if (source.ended && reads && !this.#finishing) this.finish(nowMs)
  }

  sourceClosed(reset: boolean, nowMs: number): void {
    const { requests, exchange, target } = this.#of
    requests.drop()
    if (exchange.state !== 'idle') this.abort(reset, nowMs)
    else if (reset && target && !target.finished) target.reset()
    else target?.close()
    this.perhapsGone()
  }

  abort(reset: boolean, nowMs: number): void {
    const { exchange, target, requests, responses } = this.#of
    this.aborted = true
    responses.discards = true
    if (exchange.holds && target && !target.closed) {
      this.#of.deadlines.breakBy(nowMs + LINGER_MAX_MS)
      if (requests.phase === 'body') target.finish()
      target.go(PEER_FULL)
      requests.drop()
      this.#of.settle(nowMs)
      return
    }
    this.#of.end('ignored', nowMs)
    if (reset) target?.reset()
    else target?.destroy()
    this.finish(nowMs)
  }

  targetEnded(nowMs: number): void {
    if (this.#gone || this.#forsaken()) return
    const { exchange, target } = this.#of
    this.#of.persists = false
    this.#of.settle(nowMs)
    if (exchange.state === 'running') this.#of.end('failure', nowMs)
    if (!this.#finishing) this.finish(nowMs)
    else target?.close()
  }

  targetClosed(reset: boolean, nowMs: number): void {
    if (this.#gone || this.#forsaken()) return
    const { exchange, source } = this.#of
    if (exchange.state === 'running') this.#of.end('failure', nowMs)
    if (!this.#finishing) {
      if (reset) source.resetAfter()
      this.finish(nowMs)
    }
    this.perhapsGone()
  }

  /** A target that left while we made its next request wait: it is dialled anew for it. */
  #forsaken(): boolean {
    const { exchange, target, source } = this.#of
    if (exchange.state !== 'waiting' || target === null) return false
    target.reader = DEAF
    target.close()
    this.#of.target = null
    source.go(PEER_FULL)
    return true
  }

  /** Says no more, and reads no more than is needed for the last answer to arrive. */
  finish(nowMs: number): void {
    const { requests, source, target, deadlines } = this.#of
    this.#finishing = true
    requests.drop()
    deadlines.closeMs = nowMs + FAREWELL_MS
    target?.close()
    source.finish()
    if (source.ended) source.close()
    this.perhapsGone()
  }

  /** Cut where it is: both ends see that it was no proper end. */
  break(nowMs: number): void {
    if (this.#of.exchange.state === 'idle') return
    this.#of.end('ignored', nowMs)
    this.#of.destroy()
  }

  perhapsGone(): void {
    const { source, target } = this.#of
    if (source.closed && (target?.closed ?? true)) this.leave()
  }

  leave(): void {
    if (this.#gone) return
    this.#gone = true
    const { around, route } = this.#of
    around.connections.delete(this.#of)
    around.meter.disconnected(route.http1)
  }
}

const DEAF: Reader = { bytes() {}, ended() {}, closed() {}, drained() {}, connected() {} }
