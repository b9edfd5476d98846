/**
 * A leg that policies slow down: it is not read while a wait lasts, and asked about again after.
 */
import type { Exchange } from './exchange.ts'
import { type Leg, PACED } from './leg.ts'
import { Alarm, type Wheel } from './wheel.ts'

export class Pace {
  readonly #wheel: Wheel
  readonly leg: Leg
  readonly #exchange: Exchange
  readonly #way: 'in' | 'out'
  readonly #alarm = new Alarm((nowMs) => this.#over(nowMs))

  constructor(wheel: Wheel, leg: Leg, exchange: Exchange, way: 'in' | 'out') {
    this.#wheel = wheel
    this.leg = leg
    this.#exchange = exchange
    this.#way = way
  }

  wait(ms: number, nowMs: number): void {
    this.leg.stop(PACED)
    this.#wheel.set(this.#alarm, nowMs + ms)
  }

  /** The plan has changed, or what was paced is over. */
  free(): void {
    this.#wheel.cancel(this.#alarm)
    this.leg.go(PACED)
  }

  /** A pause is bounded, a debt may not be. */
  #over(nowMs: number): void {
    const ms = this.#exchange.pace(this.#way, nowMs)
    if (ms > 0) this.#wheel.set(this.#alarm, nowMs + ms)
    else this.leg.go(PACED)
  }
}
