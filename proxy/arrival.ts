/**
 * A connection just accepted, until it is known what it speaks. No byte of a protocol in which the
 * server speaks first is held: a source that stays silent for a moment gets its target dialled.
 */
import { Held } from './held.ts'
import { Conversation } from './http1/conversation.ts'
import type { Place, Route } from './identify.ts'
import type { Leg, Reader } from './leg.ts'
import { Session, type Turn } from './opaque/session.ts'
import { SILENCE_MS, sniff } from './protocol.ts'
import type { Connection, Surroundings } from './surroundings.ts'
import { Alarm } from './wheel.ts'

export class Arrival implements Connection, Reader {
  readonly exchange = null
  readonly #around: Surroundings
  readonly #place: Place
  readonly #route: Route
  readonly #held = new Held()
  #source: Leg | null = null
  #alarm: Alarm | null = null
  #sinceMs: number
  #over = false

  constructor(around: Surroundings, place: Place, route: Route, nowMs: number) {
    this.#around = around
    this.#place = place
    this.#route = route
    this.#sinceMs = nowMs
    around.connections.add(this)
  }

  begin(source: Leg, nowMs: number): void {
    this.#source = source
    const { speech } = this.#place
    if (speech === 'server-first') {
      this.#opaque(nowMs)
      return
    }
    if (speech === 'http') return
    this.#alarm = new Alarm((ringMs) => this.#opaque(ringMs))
    this.#around.wheel.set(this.#alarm, nowMs + SILENCE_MS)
  }

  bytes(bytes: Buffer, start: number, end: number, nowMs: number): void {
    const held = this.#held
    if (held.length > 0) held.add(bytes, start, end)
    const sniffed =
      held.length > 0 ? sniff(held.bytes, held.start, held.end) : sniff(bytes, start, end)
    if (sniffed === 'http1' && held.length === 0) {
      // The common case: all of it is in view, and is read where it is.
      this.#http1(nowMs).requests.bytes(bytes, start, end, nowMs)
      return
    }
    if (held.length === 0) held.add(bytes, start, end)
    if (sniffed === 'http1') this.#http1(nowMs).begin(nowMs)
    else if (sniffed === 'opaque' && !this.#isHttp()) this.#opaque(nowMs)
    else if (sniffed === 'opaque') this.#http1(nowMs).begin(nowMs)
    else this.#hush()
  }

  /** Where HTTP is known to be spoken and policies are in force, nothing slips past as bytes. */
  #isHttp(): boolean {
    return (
      this.#place.speech === 'http' && this.#route.policies.length > 0 && !isPreface(this.#held)
    )
  }

  #hush(): void {
    if (this.#alarm) this.#around.wheel.cancel(this.#alarm)
  }

  #leave(): void {
    this.#over = true
    this.#hush()
    this.#around.connections.delete(this)
  }

  #http1(nowMs: number): Conversation {
    this.#leave()
    return new Conversation(
      this.#around,
      this.#place,
      this.#route,
      this.#source!,
      null,
      this.#held,
      nowMs,
    )
  }

  #opaque(nowMs: number): void {
    this.#leave()
    const { source, place, route } = {
      source: this.#source!,
      place: this.#place,
      route: this.#route,
    }
    const turn: Turn = (one, target, said, turnedMs) => {
      new Conversation(this.#around, place, route, one, target, said, turnedMs).begin(turnedMs)
    }
    new Session(this.#around, place, route, source, this.#held, turn).begin(nowMs)
  }

  /** It has said all it will say: whatever that was, the target is to hear it. */
  ended(nowMs: number): void {
    if (!this.#over) this.#opaque(nowMs)
  }

  closed(): void {
    this.#leave()
  }

  drained(): void {}
  connected(): void {}
  replanned(): void {}
  drainBy(): void {}
  sever(): void {}

  sweep(nowMs: number): void {
    const { limits } = this.#around
    const ms = nowMs - this.#sinceMs
    if (ms > (this.#held.length > 0 ? limits.headTimeoutMs : limits.idleTimeoutMs)) this.destroy()
  }

  drain(): void {
    if (this.#held.length === 0) this.destroy()
  }

  destroy(): void {
    this.#source?.destroy()
  }
}

/** HTTP/2 with prior knowledge may share a port with HTTP/1 (RFC 9113 §3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n')
const isPreface = (held: Held): boolean =>
  held.bytes
    .subarray(held.start, Math.min(held.end, held.start + PREFACE.length))
    .equals(PREFACE.subarray(0, held.length))
