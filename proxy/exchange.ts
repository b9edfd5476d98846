/**
 * The life of one call, from the gate to the last byte: one request and its response, or one
 * opaque connection. Read this first. What carries it (http1/, opaque/) knows bytes and sockets;
 * the order of states is here alone, and every way out goes through `end`.
 *
 *                ┌── waiting <─┐ a new plan asks again from the start
 *   idle ──begin─┤      │      │
 *     ^          ├── running ──┴─ end(result) ──> idle      left and counted, exactly once
 *     │          │
 *     └──────────┴── refused: answered by the carrier, counted as refused and as nothing else
 */
import type { Call, Refuse, Result } from '../policies/pattern.ts'
import type { Policy } from '../policies/policy.ts'
import { Passage, type Verdict } from './gate.ts'
import type { Route } from './identify.ts'
import { chance, type Surroundings } from './surroundings.ts'
import { Alarm } from './wheel.ts'

/** What moves the bytes of an exchange, and does what was decided. */
export interface Carrier {
  /** It was let in: dial if need be, and send what has been read. */
  forward(nowMs: number): void
  /** It was not: answer in the source's protocol. The refusal is scratch, read it now. */
  refuse(refusal: Refuse, by: Policy, nowMs: number): void
}

type State = 'idle' | 'waiting' | 'running'

/** One a connection, used again for each of its requests. */
export class Exchange implements Call {
  readonly edge: Call['edge']
  readonly form: Call['form']
  idempotent = false
  patienceMs = Number.POSITIVE_INFINITY
  chance = 0
  state: State = 'idle'
  arrivedMs = 0
  /** When it was let in; what a policy made it wait is not the target's time. */
  admittedMs = 0
  readonly route: Route
  readonly #row: number
  readonly #around: Surroundings
  readonly #carrier: Carrier
  readonly #passage: Passage
  #alarm: Alarm | null = null
  /** What its policies asked when it began to wait. */
  #terms = ''

  constructor(around: Surroundings, route: Route, form: Call['form'], carrier: Carrier) {
    this.#around = around
    this.#carrier = carrier
    this.route = route
    this.edge = route.edge
    this.form = form
    this.#row = form === 'request' ? route.http1 : route.opaque
    this.#passage = new Passage(around.meter)
  }

  /** Comes to the gate. `forward` or `refuse` of the carrier follow, at once or after a wait. */
  begin(idempotent: boolean, patienceMs: number, nowMs: number): void {
    this.idempotent = idempotent
    this.patienceMs = patienceMs
    this.chance = chance()
    this.arrivedMs = nowMs
    const { policies } = this.route
    if (policies.length === 0) this.#admit(nowMs)
    else this.#heed(this.#passage.enter(policies, this, nowMs), nowMs)
  }

  /** What was let in as something else goes on as this: a tunnel that a request has opened. */
  continue(nowMs: number): void {
    this.chance = chance()
    this.arrivedMs = nowMs
    this.state = 'running'
    this.admittedMs = nowMs
    this.#around.meter.started(this.#row)
  }

  #heed(verdict: Verdict, nowMs: number): void {
    if (verdict === 'pass') this.#admit(nowMs)
    else if (verdict === 'refuse') this.#refuse(nowMs)
    else this.#wait(nowMs)
  }

  #wait(nowMs: number): void {
    this.#alarm ??= new Alarm((ringMs) => this.#resume(ringMs))
    if (this.state === 'idle') this.#around.meter.waits(1)
    this.state = 'waiting'
    this.#terms = this.route.terms
    this.#around.wheel.set(this.#alarm, nowMs + this.#passage.delayMs)
  }

  #resume(nowMs: number): void {
    this.#heed(this.#passage.resume(this, nowMs), nowMs)
  }

  #waited(): void {
    if (this.state !== 'waiting') return
    this.state = 'idle'
    this.#around.meter.waits(-1)
  }

  #admit(nowMs: number): void {
    this.#waited()
    this.state = 'running'
    this.admittedMs = nowMs
    this.#around.meter.started(this.#row)
    this.#carrier.forward(nowMs)
  }

  #refuse(nowMs: number): void {
    this.#waited()
    this.#around.meter.refusedOn(this.#row)
    this.#around.ring.record(this.route.recorded, this, 'refused', 0)
    this.#carrier.refuse(this.#passage.refusal!, this.#passage.by!, nowMs)
  }

  /** The plan has changed: who waits is asked again, who runs is paced by the new one. */
  replanned(nowMs: number): void {
    if (this.state === 'running') {
      this.#passage.follow(this.route.policies, this, this.admittedMs)
    }
    // Under the same terms its turn stands: asking again would cost it, and others, another one.
    if (this.state !== 'waiting' || this.route.terms === this.#terms) return
    this.#around.wheel.cancel(this.#alarm!)
    this.#heed(this.#passage.restart(this.route.policies, this, nowMs), nowMs)
  }

  /** The one way out. Once: again, it does nothing. An abort teaches the policies nothing. */
  end(result: Result, nowMs: number): void {
    if (this.state === 'idle') return
    if (this.state === 'waiting') {
      this.#giveUp(nowMs)
      return
    }
    this.state = 'idle'
    this.#passage.leave(result, nowMs)
    const tookMs = nowMs - this.admittedMs
    this.#around.meter.ended(this.#row, result, tookMs)
    this.#around.ring.record(this.route.recorded, this, result, tookMs)
  }

  /** Gone before it was let in. */
  #giveUp(nowMs: number): void {
    this.#waited()
    this.#around.wheel.cancel(this.#alarm!)
    this.#passage.leave('ignored', nowMs)
    this.#around.meter.gaveUp(this.#row)
    this.#around.ring.record(this.route.recorded, this, 'ignored', 0)
  }

  /** Bytes on their way to the target, or from it: counted. Ms to wait before more are read. */
  passing(bytes: number, way: 'in' | 'out', nowMs: number): number {
    const { meter } = this.#around
    if (way === 'in') meter.bytesIn(this.#row, bytes, nowMs)
    else meter.bytesOut(this.#row, bytes, nowMs)
    return this.#passage.pace(bytes, nowMs, way)
  }

  /** Ms to wait still, once a wait for pace is over. */
  pace(way: 'in' | 'out', nowMs: number): number {
    return this.state === 'running' ? this.#passage.pace(0, nowMs, way) : 0
  }

  /** A slot of a policy is freed only when the target has ended the exchange. */
  get holds(): boolean {
    return this.state === 'running' && this.#passage.holds
  }
}
