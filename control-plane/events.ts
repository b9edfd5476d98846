/** What is worth knowing, newest last: found by a detector, or told by a person. Bounded. */
export const EVENTS_MAX = 1_000

export interface Happening {
  readonly kind: string
  readonly source: string
  readonly target: string
  readonly text: string
  /** A command to type, or blank. */
  readonly suggestion: string
  readonly author: string
}

export interface Noted extends Happening {
  readonly id: string
  readonly wallMs: number
  over: boolean
}

export class Events {
  readonly #events: Noted[] = []
  readonly #run: string
  #count = 0

  /** `run` tells the ids of one process from those of the next. */
  constructor(run: string) {
    this.#run = run
  }

  add(happening: Happening, wallMs: number): Noted {
    this.#count += 1
    const id = `ev-${this.#run}-${this.#count}`
    const noted = { ...happening, id, wallMs, over: false }
    this.#events.push(noted)
    if (this.#events.length > EVENTS_MAX) this.#events.shift()
    return noted
  }

  /** The newest `limit` of those since then, oldest first. */
  since(wallMs: number, limit: number): Noted[] {
    return this.#events.filter((event) => event.wallMs >= wallMs).slice(-limit)
  }
}
