/**
 * Bytes as they come, both ways, as the kernel would: no more is read than the other end takes, a
 * FIN is passed on once what came before it has left, in either order, and a reset is a reset.
 */
import type { Exchange } from '../exchange.ts'
import { type Leg, PEER_FULL, type Reader } from '../leg.ts'
import { Pace } from '../pace.ts'
import type { Wheel } from '../wheel.ts'

export interface RelayOwner {
  /** The source has sent something; `false`: the owner has taken it, it is not to be relayed. */
  heard(bytes: Buffer, start: number, end: number, nowMs: number): boolean
  /** The target has sent something. */
  spoken(): void
  /** Both legs are closed. `broken`: by whose reset. */
  over(broken: 'source' | 'target' | 'neither', nowMs: number): void
}

export class Relay {
  readonly source: Leg
  readonly target: Leg
  readonly exchange: Exchange
  readonly wheel: Wheel
  readonly owner: RelayOwner
  activeMs: number
  broken: 'source' | 'target' | 'neither' = 'neither'
  readonly #in: Way
  readonly #out: Way

  /** Both legs are open, or the target is about to be. */
  constructor(
    source: Leg,
    target: Leg,
    exchange: Exchange,
    wheel: Wheel,
    owner: RelayOwner,
    nowMs: number,
  ) {
    this.source = source
    this.target = target
    this.exchange = exchange
    this.wheel = wheel
    this.owner = owner
    this.activeMs = nowMs
    this.#in = new Way(this, source, target, 'in')
    this.#out = new Way(this, target, source, 'out')
    source.reader = this.#in
    target.reader = this.#out
  }

  /** Sends what was read before there was a relay. */
  send(way: 'in' | 'out', bytes: Buffer, start: number, end: number, nowMs: number): void {
    const one = way === 'in' ? this.#in : this.#out
    one.relay(bytes, start, end, nowMs)
  }

  /** What paces it may have changed. */
  replanned(): void {
    this.#in.free()
    this.#out.free()
  }

  /** No bytes any more from now on, and both ends see that it was cut. */
  cut(): void {
    this.source.reset()
    this.target.reset()
  }

  /** A proper end, if nothing was going on. */
  finish(): void {
    this.source.finish()
    this.target.finish()
  }

  /** Another takes the legs: nothing of ours may stop them any more. */
  yield(): void {
    this.replanned()
    this.source.go(PEER_FULL)
    this.target.go(PEER_FULL)
  }
}

class Way implements Reader {
  readonly #relay: Relay
  readonly #from: Leg
  readonly #to: Leg
  readonly #way: 'in' | 'out'
  #pace: Pace | null = null

  constructor(relay: Relay, from: Leg, to: Leg, way: 'in' | 'out') {
    this.#relay = relay
    this.#from = from
    this.#to = to
    this.#way = way
  }

  bytes(bytes: Buffer, start: number, end: number, nowMs: number): void {
    const { owner } = this.#relay
    if (this.#way === 'out') owner.spoken()
    else if (!owner.heard(bytes, start, end, nowMs)) return
    this.relay(bytes, start, end, nowMs)
  }

  relay(bytes: Buffer, start: number, end: number, nowMs: number): void {
    const relay = this.#relay
    relay.activeMs = nowMs
    if (!this.#to.write(bytes, start, end)) this.#from.stop(PEER_FULL)
    const waitMs = relay.exchange.passing(end - start, this.#way, nowMs)
    if (waitMs === 0) return
    this.#pace ??= new Pace(relay.wheel, this.#from, relay.exchange, this.#way)
    this.#pace.wait(waitMs, nowMs)
  }

  free(): void {
    this.#pace?.free()
  }

  ended(): void {
    this.#to.finish()
  }

  /** This leg took all that was written to it: the other may be read again. */
  drained(): void {
    this.#to.go(PEER_FULL)
  }

  connected(nowMs: number): void {
    this.#relay.activeMs = nowMs
  }

  closed(reset: boolean, nowMs: number): void {
    const relay = this.#relay
    this.#pace?.free()
    if (reset && relay.broken === 'neither') {
      relay.broken = this.#way === 'in' ? 'source' : 'target'
    }
    if (this.#to.closed) {
      relay.owner.over(relay.broken, nowMs)
      return
    }
    if (reset) this.#to.resetAfter()
    else this.#to.close()
  }
}
