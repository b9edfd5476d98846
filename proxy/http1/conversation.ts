/**
 * A source that speaks HTTP/1 and its target: one exchange at a time, in order. Here is the way of
 * a request, from the gate to the next one. The bytes are read in requests.ts and responses.ts;
 * what an end or an abort of one side means for the other is in endings.ts; what the proxy says
 * itself, in answers.ts.
 *
 *   source ══ requests ──> exchange ──> target          a target leg serves this source leg only
 *          <── responses ══════════════ target
 */
import type { Refuse, Result } from '../../policies/pattern.ts'
import type { Policy } from '../../policies/policy.ts'
import { type Carrier, Exchange } from '../exchange.ts'
import type { Held } from '../held.ts'
import type { Place, Route } from '../identify.ts'
import type { Leg } from '../leg.ts'
import { WORKER } from '../meter.ts'
import { Session } from '../opaque/session.ts'
import { Pace } from '../pace.ts'
import type { Connection, Surroundings } from '../surroundings.ts'
import { dial } from '../target.ts'
import { refuse, sever } from './answers.ts'
import { Deadlines } from './deadlines.ts'
import { Endings } from './endings.ts'
import { Requests } from './requests.ts'
import { Responses } from './responses.ts'

export class Conversation implements Connection, Carrier {
  readonly around: Surroundings
  readonly place: Place
  readonly route: Route
  readonly exchange: Exchange
  readonly source: Leg
  target: Leg | null
  readonly requests: Requests
  readonly responses: Responses
  readonly endings: Endings
  readonly deadlines: Deadlines
  activeMs: number
  /** Another request may follow on this connection. */
  persists = true
  #paceIn: Pace | null = null
  #paceOut: Pace | null = null

  constructor(
    around: Surroundings,
    place: Place,
    route: Route,
    source: Leg,
    target: Leg | null,
    said: Held,
    nowMs: number,
  ) {
    this.around = around
    this.place = place
    this.route = route
    this.source = source
    this.target = target
    this.activeMs = nowMs
    this.exchange = new Exchange(around, route, 'request', this)
    this.requests = new Requests(this, said)
    this.responses = new Responses(this)
    this.endings = new Endings(this)
    this.deadlines = new Deadlines(nowMs)
    source.reader = this.requests
    if (target) target.reader = this.responses
    around.connections.add(this)
    around.meter.connected(route.http1)
  }

  /** Reads what was held while it was not known to be HTTP. */
  begin(nowMs: number): void {
    this.requests.next(nowMs)
    if (this.source.ended) this.endings.sourceEnded(nowMs)
  }

  /** A head has been read: to the gate. */
  ask(nowMs: number): void {
    const { head } = this.requests
    this.persists = head.minor === 1 ? !head.closes : head.keeps && !head.closes
    this.exchange.begin(head.idempotent, head.patienceMs, nowMs)
  }

  forward(nowMs: number): void {
    if (this.target === null) {
      this.target = dial(this.place, this.responses)
      this.deadlines.dialledMs = nowMs
    }
    this.responses.begin()
    this.requests.send(nowMs)
    if (this.source.ended && this.requests.phase === 'body') this.endings.abort(false, nowMs)
  }

  refuse(refusal: Refuse, by: Policy, nowMs: number): void {
    refuse(this, refusal, by, nowMs)
  }

  /** Bytes were forwarded: counted, and slowed down if a policy wants it. */
  passing(bytes: number, way: 'in' | 'out', nowMs: number): void {
    const ms = this.exchange.passing(bytes, way, nowMs)
    if (ms > 0) this.#paceOf(way).wait(ms, nowMs)
  }

  #paceOf(way: 'in' | 'out'): Pace {
    const { wheel } = this.around
    if (way === 'in') return (this.#paceIn ??= new Pace(wheel, this.source, this.exchange, 'in'))
    if (this.#paceOut?.leg !== this.target) this.#paceOut = null
    return (this.#paceOut ??= new Pace(wheel, this.target!, this.exchange, 'out'))
  }

  /** All of the request has been sent on. */
  sent(nowMs: number): void {
    this.endings.passEnd(nowMs)
    this.settle(nowMs)
  }

  /** The head of the answer is known: does the connection outlive it? */
  answering(): void {
    const { head, body } = this.responses
    this.place.speech = 'http'
    const lasts = head.minor === 1 ? !head.closes : head.keeps && !head.closes
    if (!lasts || body.kind === 'until-close') this.persists = false
    const { requests } = this
    // RFC 9110 §10.1.1: answered without 100, whether the body still comes nobody can tell.
    if (requests.phase === 'body' && requests.head.expects && !requests.bodyBegun) {
      this.persists = false
    }
  }

  /** Nothing is to follow this answer, though neither side has said so. */
  get last(): boolean {
    return this.persists && (this.around.draining || this.deadlines.draining)
  }

  /** The exchange is over when the answer is, and the request too if another is to follow it. */
  settle(nowMs: number): void {
    const { requests, responses, endings } = this
    if (!responses.done || this.exchange.state !== 'running') return
    if (!requests.done && this.persists && !endings.aborted) return
    // A source that was not told may be sending its next request now: that one is answered, and
    // told. Only a worker that ends waits for nobody.
    const ends = this.last && (responses.told || this.around.draining)
    const follows = this.persists && !ends && !endings.aborted && requests.done
    this.end(responses.status < 500 ? 'success' : 'failure', nowMs)
    if (!follows) {
      endings.finish(nowMs)
      return
    }
    this.deadlines.met()
    responses.idle()
    requests.next(nowMs)
    endings.perhapsOver(nowMs)
  }

  end(result: Result, nowMs: number): void {
    this.#paceIn?.free()
    this.#paceOut?.free()
    this.exchange.end(this.endings.aborted ? 'ignored' : result, nowMs)
  }

  /** The target spoke out of turn. An empty line is nothing; all else ends the connection. */
  unasked(harmless: boolean, nowMs: number): void {
    if (harmless) return
    this.around.meter.add(WORKER.malformed, 1)
    this.persists = false
    if (this.exchange.state === 'idle') this.endings.finish(nowMs)
    else this.settle(nowMs)
  }

  /** What was asked for was granted: from here on, bytes. */
  tunnel(bytes: Buffer, start: number, end: number, nowMs: number): void {
    const { around, place, route, source, requests } = this
    this.end('success', nowMs)
    this.endings.leave()
    const session = new Session(around, place, route, source, requests.held, NEVER)
    session.take(this.target!, nowMs)
    session.say(bytes, start, end, nowMs)
  }

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
    this.deadlines.check(this, nowMs)
  }

  drain(nowMs: number): void {
    if (this.resting) this.endings.finish(nowMs)
  }

  drainBy(_policy: Policy, untilMs: number): void {
    if (this.exchange.state !== 'running') return
    this.deadlines.draining = true
    this.deadlines.breakBy(untilMs)
  }

  sever(policy: Policy, nowMs: number): void {
    sever(this, policy, nowMs)
  }

  destroy(): void {
    this.source.reset()
    this.target?.reset()
  }
}

/** A tunnel never turns out to be HTTP. */
const NEVER = (): void => {}
