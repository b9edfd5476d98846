/**
 * A source that speaks HTTP/1 and its target: one exchange at a time, in order. Here is what ends
 * what: when an exchange is over, when the connection is, and what an abort of either side means
 * for the other. The bytes are read in requests.ts and responses.ts.
 */
import type { Refuse, Result } from '../../policies/pattern.ts'
import type { Policy } from '../../policies/policy.ts'
import { type Carrier, Exchange } from '../exchange.ts'
import type { Held } from '../held.ts'
import type { Place, Route } from '../identify.ts'
import { type Leg, PEER_FULL } from '../leg.ts'
import { WORKER } from '../meter.ts'
import { Session } from '../opaque/session.ts'
import { Pace } from '../pace.ts'
import { complaintOf, refusalOf } from '../refusal.ts'
import type { Connection, Surroundings } from '../surroundings.ts'
import { dial } from '../target.ts'
import { Deadlines } from './deadlines.ts'
import { Requests } from './requests.ts'
import { Responses } from './responses.ts'

/** How long an answer is waited for that nobody wants any more, because its slot is in use. */
export const LINGER_MAX_MS = 10_000
/** After our FIN, how long what still comes is read, so that no reset eats the answer. */
export const FAREWELL_MS = 2_000

export class Conversation implements Connection, Carrier {
  readonly exchange: Exchange
  readonly source: Leg
  target: Leg | null
  readonly requests: Requests
  readonly responses: Responses
  activeMs: number
  /** Another request may follow on this connection. */
  #persists = true
  #aborted = false
  #gone = false
  readonly #deadlines: Deadlines
  #paceIn: Pace | null = null
  #paceOut: Pace | null = null
  readonly #around: Surroundings
  readonly #place: Place
  readonly #route: Route

  constructor(
    around: Surroundings,
    place: Place,
    route: Route,
    source: Leg,
    target: Leg | null,
    said: Held,
    nowMs: number,
  ) {
    this.#around = around
    this.#place = place
    this.#route = route
    this.source = source
    this.target = target
    this.activeMs = nowMs
    this.#deadlines = new Deadlines(nowMs)
    this.exchange = new Exchange(around, route, 'request', this)
    this.requests = new Requests(this, said)
    this.responses = new Responses(this)
    source.reader = this.requests
    if (target) target.reader = this.responses
    around.connections.add(this)
    around.meter.connected(route.http1)
  }

  /** Reads what was held while it was not known to be HTTP. */
  begin(nowMs: number): void {
    this.requests.next(nowMs)
    if (this.source.ended) this.sourceEnded(nowMs)
  }

  // The way of a request: asked, forwarded or refused, sent, answered, settled.

  ask(nowMs: number): void {
    const { head } = this.requests
    this.#persists = head.minor === 1 ? !head.closes : head.keeps && !head.closes
    this.exchange.begin(head.idempotent, head.patienceMs, nowMs)
  }

  forward(nowMs: number): void {
    if (this.target === null) {
      this.target = dial(this.#place, this.responses)
      this.#deadlines.dialledMs = nowMs
    }
    this.responses.begin()
    this.requests.send(nowMs)
    if (this.source.ended && this.requests.phase === 'body') this.#abort(false, nowMs)
  }

  refuse(refusal: Refuse, by: Policy, nowMs: number): void {
    const { requests } = this
    const close = !this.#persists || this.#around.draining || !requests.bounded
    const until = this.#around.untils.get(by.id) ?? ''
    this.source.say(refusalOf(refusal, by, until, this.#manner(close)))
    if (close) this.finish(nowMs)
    else requests.skip(nowMs)
    if (this.source.ended && requests.phase === 'head' && requests.held.length === 0) {
      this.finish(nowMs)
    }
  }

  #manner(close: boolean): { bare: boolean; close: boolean; keep: boolean } {
    const { head } = this.requests
    return { bare: this.requests.isHead, close, keep: head.minor === 0 }
  }

  passing(bytes: number, way: 'in' | 'out', nowMs: number): void {
    const ms = this.exchange.passing(bytes, way, nowMs)
    if (ms === 0) return
    const { wheel } = this.#around
    if (way === 'in') this.#paceIn ??= new Pace(wheel, this.source, this.exchange, 'in')
    else this.#paceOut ??= new Pace(wheel, this.target!, this.exchange, 'out')
    const pace = way === 'in' ? this.#paceIn : this.#paceOut
    pace!.wait(ms, nowMs)
  }

  /** All of the request has been sent on. */
  sent(nowMs: number): void {
    this.#passEnd()
    this.#settle(nowMs)
  }

  /** The head of the answer is known: does the connection outlive it? */
  answering(_nowMs: number): void {
    const { head, body } = this.responses
    this.#place.speech = 'http'
    const lasts = head.minor === 1 ? !head.closes : head.keeps && !head.closes
    if (!lasts || body.kind === 'until-close') this.#persists = false
    const { requests } = this
    // RFC 9110 §10.1.1: refused without 100, whether the body still comes nobody can tell.
    if (requests.phase === 'body' && requests.head.expects && !requests.bodyBegun) {
      this.#persists = false
    }
  }

  answered(nowMs: number): void {
    this.#settle(nowMs)
  }

  /** Nothing is to follow this answer, and the source does not know it yet. */
  get last(): boolean {
    return this.#persists && (this.#around.draining || this.#deadlines.draining)
  }

  /** The exchange is over when the answer is, and the request too if another is to follow it. */
  #settle(nowMs: number): void {
    const { requests, responses } = this
    if (!responses.done || this.exchange.state !== 'running') return
    if (!requests.done && this.#persists && !this.#aborted) return
    const last = this.last
    this.#end(responses.status < 500 ? 'success' : 'failure', nowMs)
    if (this.#aborted || !this.#persists || last || !requests.done) {
      this.finish(nowMs)
      return
    }
    responses.idle()
    requests.next(nowMs)
    this.#perhapsOver(nowMs)
  }

  #end(result: Result, nowMs: number): void {
    this.#paceIn?.free()
    this.#paceOut?.free()
    this.exchange.end(this.#aborted ? 'ignored' : result, nowMs)
  }

  // What is not HTTP.

  /** The source sent what cannot be read; no exchange is under way. */
  complain(status: number, detail: string, nowMs: number): void {
    this.#around.meter.add(WORKER.malformed, 1)
    this.source.say(complaintOf(status, detail, { bare: false, close: true, keep: false }))
    this.finish(nowMs)
  }

  /** The source's body cannot be read on: what the target has of it must stay incomplete. */
  spoiled(nowMs: number): void {
    if (this.exchange.state === 'running') {
      this.#aborted = true
      this.#end('ignored', nowMs)
      this.target?.reset()
    }
    if (this.responses.started) this.source.reset()
    else this.complain(400, 'the body is not unambiguously framed', nowMs)
    this.requests.drop()
  }

  badAnswer(nowMs: number): void {
    this.#around.meter.add(WORKER.malformed, 1)
    this.#end('failure', nowMs)
    this.target?.reset()
    if (this.responses.started) {
      this.source.reset()
      return
    }
    const detail = 'the answer of the target is not unambiguous HTTP/1.1'
    this.source.say(complaintOf(502, detail, this.#manner(true)))
    this.finish(nowMs)
  }

  /** The target spoke out of turn. An empty line is nothing; all else ends the connection. */
  unasked(harmless: boolean, nowMs: number): void {
    if (harmless) return
    this.#around.meter.add(WORKER.malformed, 1)
    this.#persists = false
    if (this.exchange.state === 'idle') this.finish(nowMs)
    else this.#settle(nowMs)
  }

  /** What was asked for was granted: from here on, bytes. */
  tunnel(bytes: Buffer, start: number, end: number, nowMs: number): void {
    const { source, requests } = this
    this.#end('success', nowMs)
    this.#leave()
    const session = new Session(
      this.#around,
      this.#place,
      this.#route,
      source,
      requests.held,
      NEVER,
    )
    session.take(this.target!, nowMs)
    session.say(bytes, start, end, nowMs)
  }

  // What one side's end means for the other.

  sourceEnded(nowMs: number): void {
    const { requests } = this
    if (requests.phase === 'drop') {
      this.source.close()
      return
    }
    if (requests.phase === 'body') {
      this.#abort(false, nowMs)
      return
    }
    if (requests.phase === 'head' || requests.phase === 'refused') {
      this.finish(nowMs)
      return
    }
    this.#passEnd()
  }

  /** A source may say that it sends no more and still read: the target is told the same. */
  #passEnd(): void {
    const { requests } = this
    if (!this.source.ended || requests.phase !== 'sent' || requests.held.length > 0) return
    // Many targets drop what they do at a FIN and say nothing: a slot is not free by that.
    if (!this.exchange.holds) this.target?.finish()
  }

  /** A source that has sent its last, and got its last answer. */
  #perhapsOver(nowMs: number): void {
    const { requests } = this
    if (this.source.ended && requests.phase === 'head') this.finish(nowMs)
  }

  sourceClosed(reset: boolean, nowMs: number): void {
    this.requests.drop()
    if (this.exchange.state === 'idle') {
      if (reset && this.target && !this.target.finished) this.target.reset()
      else this.target?.close()
    } else {
      this.#abort(reset, nowMs)
    }
    this.#perhapsGone()
  }

  /** The source is gone, or will never finish its request. */
  #abort(reset: boolean, nowMs: number): void {
    this.#aborted = true
    this.responses.discards = true
    if (this.exchange.holds && this.target && !this.target.closed) {
      // The slot is the target's until it has ended the exchange.
      this.#deadlines.breakBy(nowMs + LINGER_MAX_MS)
      if (this.requests.phase === 'body') this.target.finish()
      this.target.go(PEER_FULL)
      this.requests.drop()
      this.#settle(nowMs)
      return
    }
    this.#end('ignored', nowMs)
    if (reset) this.target?.reset()
    else this.target?.destroy()
    this.finish(nowMs)
  }

  targetEnded(nowMs: number): void {
    if (this.#gone || this.#forsaken()) return
    this.#persists = false
    this.#settle(nowMs)
    if (this.exchange.state === 'running') this.#end('failure', nowMs)
    if (this.requests.phase !== 'drop') this.finish(nowMs)
    else this.target?.close()
  }

  targetClosed(reset: boolean, nowMs: number): void {
    if (this.#gone || this.#forsaken()) return
    if (this.exchange.state === 'running') this.#end('failure', nowMs)
    if (this.requests.phase !== 'drop') {
      if (reset) this.source.resetAfter()
      this.finish(nowMs)
    }
    this.#perhapsGone()
  }

  /** A target that left while we made its next request wait: it is dialled anew for it. */
  #forsaken(): boolean {
    if (this.exchange.state !== 'waiting' || this.target === null) return false
    this.target.reader = DEAF
    this.target.close()
    this.target = null
    this.source.go(PEER_FULL)
    return true
  }

  /** Says no more, and reads no more than is needed for the last answer to arrive. */
  finish(nowMs: number): void {
    this.requests.drop()
    this.#deadlines.closeMs = nowMs + FAREWELL_MS
    this.target?.close()
    this.source.finish()
    if (this.source.ended) this.source.close()
    this.#perhapsGone()
  }

  #perhapsGone(): void {
    if (this.source.closed && (this.target?.closed ?? true)) this.#leave()
  }

  #leave(): void {
    if (this.#gone) return
    this.#gone = true
    this.#around.connections.delete(this)
    this.#around.meter.disconnected(this.#route.http1)
  }

  // What policies, time and the worker's end do.

  replanned(nowMs: number): void {
    this.exchange.replanned(nowMs)
    this.#paceIn?.free()
    this.#paceOut?.free()
  }

  /** Nothing is under way, and no part of a head has come. */
  get resting(): boolean {
    const { phase, headSinceMs } = this.requests
    return this.exchange.state === 'idle' && phase === 'head' && headSinceMs === 0
  }

  sweep(nowMs: number): void {
    this.#deadlines.check(this, this.#around.limits, nowMs)
  }

  drain(nowMs: number): void {
    if (this.resting) this.finish(nowMs)
  }

  drainBy(_policy: Policy, untilMs: number): void {
    if (this.exchange.state !== 'running') return
    this.#deadlines.draining = true
    this.#deadlines.breakBy(untilMs)
  }

  sever(policy: Policy, nowMs: number): void {
    if (this.exchange.state !== 'running') return
    const decision = policy.pattern.admit(policy.state, policy.settings, this.exchange, nowMs)
    if (decision.verdict === 'pass' || this.responses.started) {
      this.break(nowMs)
      return
    }
    const until = this.#around.untils.get(policy.id) ?? ''
    this.source.say(refusalOf(decision, policy, until, this.#manner(true)))
    this.#end('ignored', nowMs)
    this.target?.reset()
    this.finish(nowMs)
  }

  /** Cut where it is: both ends see that it was no proper end. */
  break(nowMs: number): void {
    if (this.exchange.state === 'idle') return
    this.#end('ignored', nowMs)
    this.destroy()
  }

  destroy(): void {
    this.source.reset()
    this.target?.reset()
  }
}

/** A tunnel never turns out to be HTTP. */
const NEVER = (): void => {}
const DEAF = { bytes() {}, ended() {}, closed() {}, drained() {}, connected() {} }
