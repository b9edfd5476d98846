/**
 * A connection that is not HTTP, or not known to be: one exchange of form `connection`. The gate is
 * asked before the target is dialled, and a refusal is a reset, so that the source can tell it from
 * a proper end. A source that is silent at first may turn out to speak HTTP after all: until its
 * target has said something, its first bytes are looked at.
 */
import type { Policy } from '../../policies/policy.ts'
import { type Carrier, Exchange } from '../exchange.ts'
import { HELD_MAX, type Held } from '../held.ts'
import type { Place, Route } from '../identify.ts'
import { HELD_FULL, type Leg, PEER_FULL, type Reader } from '../leg.ts'
import { sniff } from '../protocol.ts'
import type { Connection, Surroundings } from '../surroundings.ts'
import { dial } from '../target.ts'
import { Relay, type RelayOwner } from './relay.ts'

/** A connection that is to be drained and has been quiet for so long is ended properly. */
export const QUIET_MS = 1_000

/** Takes both legs, or the source's alone, and what the source has said. */
export type Turn = (source: Leg, target: Leg | null, said: Held, nowMs: number) => void

export class Session implements Connection, Carrier, Reader, RelayOwner {
  readonly exchange: Exchange
  readonly #around: Surroundings
  readonly #place: Place
  readonly #route: Route
  readonly #source: Leg
  readonly #held: Held
  readonly #turn: Turn
  /** Silent so far: it may be HTTP. */
  #undecided: boolean
  #relay: Relay | null = null
  #dialledMs = 0
  #drainUntilMs = Number.POSITIVE_INFINITY
  #draining = false
  #gone = false

  constructor(
    around: Surroundings,
    place: Place,
    route: Route,
    source: Leg,
    said: Held,
    turn: Turn,
  ) {
    this.#around = around
    this.#place = place
    this.#route = route
    this.#source = source
    this.#held = said
    this.#turn = turn
    this.#undecided = said.length === 0
    this.exchange = new Exchange(around, route, 'connection', this)
    source.reader = this
    around.connections.add(this)
    around.meter.connected(route.opaque)
  }

  /** Both legs are open and what was asked for was granted: it only goes on. */
  take(target: Leg, nowMs: number): void {
    this.#undecided = false
    this.exchange.continue(nowMs)
    const { wheel } = this.#around
    this.#relay = new Relay(this.#source, target, this.exchange, wheel, this, nowMs)
    this.#release(nowMs)
    this.#source.go(HELD_FULL | PEER_FULL)
    if (this.#source.ended) target.finish()
  }

  /** What the target had said in the same breath. */
  say(bytes: Buffer, start: number, end: number, nowMs: number): void {
    if (end > start) this.#relay!.send('out', bytes, start, end, nowMs)
  }

  begin(nowMs: number): void {
    this.exchange.begin(false, Number.POSITIVE_INFINITY, nowMs)
  }

  /** Not let in yet: what comes is held, and no more is read than that. */
  bytes(bytes: Buffer, start: number, end: number, nowMs: number): void {
    this.#held.add(bytes, start, end)
    if (this.#held.length >= HELD_MAX) this.#source.stop(HELD_FULL)
    if (this.#undecided) this.#judge(nowMs)
  }

  /** Passed on once there is a target to tell. */
  ended(): void {}

  closed(_reset: boolean, nowMs: number): void {
    this.#leave('ignored', nowMs)
  }

  drained(): void {}
  connected(): void {}

  forward(nowMs: number): void {
    const target = dial(this.#place, this)
    this.#dialledMs = nowMs
    const { wheel } = this.#around
    this.#relay = new Relay(this.#source, target, this.exchange, wheel, this, nowMs)
    if (!this.#undecided) this.#release(nowMs)
    if (this.#source.ended) target.finish()
    this.#source.go(HELD_FULL)
  }

  /** Sends what was held. */
  #release(nowMs: number): void {
    const held = this.#held
    if (held.length === 0) return
    this.#relay!.send('in', held.bytes, held.start, held.end, nowMs)
    held.consume(held.end, true)
  }

  refuse(): void {
    this.#source.reset()
  }

  heard(bytes: Buffer, start: number, end: number, nowMs: number): boolean {
    if (!this.#undecided) return true
    this.#held.add(bytes, start, end)
    this.#judge(nowMs)
    return false
  }

  spoken(): void {
    if (!this.#undecided) return
    this.#undecided = false
    this.#place.speech = 'server-first'
    this.#release(this.#relay!.activeMs)
  }

  #judge(nowMs: number): void {
    const { bytes, start, end } = this.#held
    const sniffed = sniff(bytes, start, end)
    if (sniffed === 'more') return
    this.#undecided = false
    if (sniffed === 'http1') this.#handOver(nowMs)
    else if (this.#relay) this.#release(nowMs)
  }

  #handOver(nowMs: number): void {
    const relay = this.#relay
    relay?.yield()
    this.#source.go(HELD_FULL)
    this.#leave('ignored', nowMs)
    this.#turn(this.#source, relay?.target ?? null, this.#held, nowMs)
  }

  over(broken: 'source' | 'target' | 'neither', nowMs: number): void {
    const result = broken === 'target' ? 'failure' : broken === 'source' ? 'ignored' : 'success'
    this.#leave(result, nowMs)
  }

  #leave(result: 'success' | 'failure' | 'ignored', nowMs: number): void {
    if (this.#gone) return
    this.#gone = true
    this.exchange.end(result, nowMs)
    this.#around.connections.delete(this)
    this.#around.meter.disconnected(this.#route.opaque)
  }

  sweep(nowMs: number): void {
    const relay = this.#relay
    if (!relay) return
    if (relay.target.socket.connecting) {
      if (nowMs - this.#dialledMs > this.#around.limits.connectTimeoutMs) relay.target.fail()
      return
    }
    if (nowMs >= this.#drainUntilMs) relay.cut()
    else if (this.#draining && nowMs - relay.activeMs > QUIET_MS) relay.finish()
  }

  drain(): void {
    this.#draining = true
  }

  drainBy(_policy: Policy, untilMs: number): void {
    this.#draining = true
    this.#drainUntilMs = Math.min(this.#drainUntilMs, untilMs)
  }

  sever(_policy: Policy, nowMs: number): void {
    this.exchange.end('ignored', nowMs)
    this.destroy()
  }

  replanned(nowMs: number): void {
    this.exchange.replanned(nowMs)
    this.#relay?.replanned()
  }

  destroy(): void {
    this.#source.reset()
    this.#relay?.target.reset()
  }
}
