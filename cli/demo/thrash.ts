/**
 * A server that works through what is in flight, and slows down with how much that is: each step
 * sweeps everyone who waits. Past a knee more in flight means less done, down to nothing, while it
 * goes on accepting. It needs no lasting fault to stay there: arrivals alone keep it down.
 *
 *   done a second = fastest / (1 + (in flight / knee)^2)
 */
export interface Waiting {
  readonly done: () => void
}

export class Thrash {
  readonly fastest: number
  knee: number
  readonly #waiting = new Set<Waiting>()
  #credit = 0
  #heldUntilMs = 0

  constructor(fastest: number, knee: number) {
    this.fastest = fastest
    this.knee = knee
  }

  get inFlight(): number {
    return this.#waiting.size
  }

  get perSecond(): number {
    return this.fastest / (1 + (this.#waiting.size / this.knee) ** 2)
  }

  enter(waiting: Waiting): void {
    this.#waiting.add(waiting)
  }

  /** Its caller gave up. */
  abandon(waiting: Waiting): void {
    this.#waiting.delete(waiting)
  }

  /** Nothing is done until then. */
  hold(untilMs: number): void {
    this.#heldUntilMs = untilMs
  }

  /** Lets `elapsedMs` of work happen, oldest first. Idle time is not saved up. */
  work(elapsedMs: number, nowMs: number): void {
    if (nowMs < this.#heldUntilMs) return
    this.#credit += (this.perSecond * elapsedMs) / 1000
    for (const waiting of this.#waiting) {
      if (this.#credit < 1) return
      this.#credit -= 1
      this.#waiting.delete(waiting)
      waiting.done()
    }
    this.#credit = Math.min(this.#credit, 1)
  }
}
