/**
 * Once a second: leases and ramps that are due, nodes that have gone quiet, edges that are not as
 * they were. What is found becomes an event with a command to type; nothing is done about it.
 */
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Book } from './book.ts'
import type { Coverage } from './coverage.ts'
import type { Turn } from './detect/verdict.ts'
import type { Dispatch } from './dispatch.ts'
import type { Events, Noted } from './events.ts'
import type { Fleet } from './fleet.ts'
import { AIRSPACE } from './ledger.ts'
import type { Signals } from './signals.ts'

export interface WatchParts {
  readonly book: Book
  readonly fleet: Fleet
  readonly dispatch: Dispatch
  readonly signals: Signals
  readonly events: Events
  readonly coverage: Coverage
  readonly clock: Clock
  readonly log: Log
}

export class Watch {
  readonly #parts: WatchParts
  /** What goes on, by what it is about. */
  readonly #open = new Map<string, Noted>()

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  tick(): void {
    const { dispatch, signals, coverage, book, log } = this.#parts
    try {
      dispatch.tick()
      for (const turn of signals.look()) this.#turn(turn)
      this.#nodes()
      coverage.forgetEnded()
      signals.policies.keepOnly((id) => book.ledger.get(id) !== undefined)
    } catch (error) {
      // A beat that fails must not be the last: leases are ended by the next.
      log.error('a beat failed', { error, stack: (error as Error).stack })
    }
  }

  #turn({ began, edge, finding, suggestion }: Turn): void {
    const { source, target } = edge
    const { kind, why } = finding
    const key = `${kind} ${edge.key}`
    const text = `${source} → ${target}: ${why}`
    this.#note(key, began, { kind, source, target, text, suggestion })
  }

  #nodes(): void {
    const { fleet, clock } = this.#parts
    for (const { node, silent, newest, heardMs } of fleet.states(clock.nowMs())) {
      // One that was never heard since we began is shown silent, and is no news.
      if (!newest && !this.#open.has(`node-silent ${node}`)) continue
      const seconds = Math.round(heardMs / 1_000)
      const text = `node ${node} has been silent for ${seconds} s; it enforces what it had`
      const suggestion = `airspace describe node ${node}`
      const happening = { kind: 'node-silent', source: '', target: '', text, suggestion }
      this.#note(`node-silent ${node}`, silent, happening)
    }
  }

  #note(
    key: string,
    began: boolean,
    happening: Omit<Noted, 'id' | 'wallMs' | 'over' | 'author'>,
  ): void {
    const { events, clock } = this.#parts
    const open = this.#open.get(key)
    if (began && !open) {
      this.#open.set(key, events.add({ ...happening, author: AIRSPACE }, clock.wallMs()))
    } else if (!began && open) {
      open.over = true
      this.#open.delete(key)
    }
  }
}
