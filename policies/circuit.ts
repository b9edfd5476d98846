/**
 * The machine in a breaker. It is in one cell: a state, and a turn that counts up with each change,
 * so that a change is one compare-and-swap on which all workers agree. What else it knows is
 * stamped with the turn or with time, so that nobody has to reset it.
 */
import { type ClockCell, type Count, clockOf, type Row } from './row.ts'
import { Ring, Stamped } from './stamped.ts'

export type State = 'closed' | 'open' | 'half-open'
const STATES: readonly State[] = ['closed', 'open', 'half-open']
const [CLOSED, OPEN, HALF_OPEN] = [0, 1, 2]

export interface Opening {
  readonly openForMs: number
  readonly openForMaxMs: number
  readonly jitterRatio: number
}

export class Circuit {
  readonly #phase: Count // turn * 4 + state
  /** Open: when to try. Half-open: until when the probe that left last is waited for. */
  readonly #until: ClockCell
  readonly #openings: Count // since it was last closed
  readonly #inARow: Stamped // failures, in this turn
  readonly #out: Stamped // probes that have left and not come back
  readonly #won: Stamped // probes that succeeded
  readonly ring: Ring

  constructor(row: Row) {
    this.#phase = row.count('phase')
    this.#until = row.clock('until')
    this.#openings = row.count('openings')
    this.#inARow = new Stamped(row.count('inARow'))
    this.#out = new Stamped(row.count('out'))
    this.#won = new Stamped(row.count('won'))
    this.ring = new Ring(row)
  }

  /** The state and its turn, as one number. */
  load(): number {
    return this.#phase.load()
  }

  /** What a call that passes now is marked with: never 0, and another after each change. */
  markOf(phase: number): number {
    return (phase + 1) | 0
  }

  stateOf(phase: number): State {
    return STATES[phase & 3]!
  }

  /** Until it is tried again, in ms; negative when that is over. */
  leftMs(nowMs: number): number {
    return ((this.#until.load() - clockOf(nowMs)) | 0) / 1000
  }

  failed(phase: number): number {
    return this.#inARow.add(turnOf(phase))
  }

  succeeded(phase: number): void {
    this.#inARow.clear(turnOf(phase))
  }

  /** A probe leaves, unless as many as are needed have left or succeeded. */
  sendProbe(phase: number, probes: number, waitMs: number, nowMs: number): boolean {
    const turn = turnOf(phase)
    if (!this.#out.tryAdd(turn, probes - this.#won.load(turn))) return false
    this.#setUntil(phase, later(nowMs, waitMs))
    return true
  }

  /** Returns how many have succeeded. */
  probeCame(phase: number, succeeded: boolean): number {
    const turn = turnOf(phase)
    // Won first, then no longer out: at no moment may one probe too many leave.
    const won = succeeded ? this.#won.add(turn) : this.#won.load(turn)
    this.#out.take(turn)
    return won
  }

  /** Opens for `openForMs`, twice as long each time until it was closed; and by chance longer. */
  open(phase: number, { openForMs, openForMaxMs, jitterRatio }: Opening, nowMs: number): void {
    const doubled = openForMs * 2 ** Math.min(this.#openings.load(), 20)
    // Chance must come from the arguments: the microsecond will do, since nodes differ in it.
    const chance = (Math.imul(clockOf(nowMs), 0x9e37_79b1) >>> 0) / 2 ** 32
    const openMs = Math.min(doubled, Math.max(openForMs, openForMaxMs))
    // Before anyone sees that it is open.
    this.#setUntil(phase, later(nowMs, openMs * (1 + jitterRatio * chance)))
    if (this.#phase.cas(phase, next(phase, OPEN))) this.#openings.add(1)
  }

  halfOpen(phase: number, waitMs: number, nowMs: number): void {
    this.#setUntil(phase, later(nowMs, waitMs))
    this.#phase.cas(phase, next(phase, HALF_OPEN))
  }

  /** Who comes second, when the phase has changed, must not undo what the first has set. */
  #setUntil(phase: number, us: number): void {
    const was = this.#until.load()
    if (this.#phase.load() === phase) this.#until.cas(was, us)
  }

  close(phase: number): void {
    this.ring.clear() // nothing is counted in half-open: what failed before is forgotten
    if (this.#phase.cas(phase, next(phase, CLOSED))) this.#openings.store(0)
  }
}

const turnOf = (phase: number): number => phase >>> 2
const next = (phase: number, state: number): number => ((turnOf(phase) + 1) << 2) | state
const later = (nowMs: number, byMs: number): number => clockOf(nowMs + byMs)
