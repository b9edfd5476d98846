/** Exponential backoff with full jitter: a fleet that lost its peer does not come back as one. */
export class Backoff {
  readonly leastMs: number
  readonly mostMs: number
  readonly #chance: () => number
  #tries = 0

  /** `chance` gives a number in [0, 1); tests pass their own. */
  constructor(leastMs = 500, mostMs = 30_000, chance: () => number = Math.random) {
    this.leastMs = leastMs
    this.mostMs = mostMs
    this.#chance = chance
  }

  /** How long to wait before the next try, in ms: between half and all of a doubling ceiling. */
  next(): number {
    const ceiling = Math.min(this.mostMs, this.leastMs * 2 ** Math.min(this.#tries, 30))
    this.#tries += 1
    return ceiling / 2 + (ceiling / 2) * this.#chance()
  }

  succeeded(): void {
    this.#tries = 0
  }
}
