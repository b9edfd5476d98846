/**
 * Once a second, on the second of the wall clock, so that the windows of all nodes are of the same
 * stretches of time. It does not drift; a second that was missed is not made up for, the window is
 * longer. A tick that fails is logged and the next one comes: the data path does not hang on it.
 */
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'

export const TICK_MS = 1_000

/** When the first tick is due, on the monotonic clock: at the wall clock's next second. */
export const firstTickMs = (wallMs: number, nowMs: number): number =>
  nowMs + TICK_MS - (wallMs % TICK_MS)

/** When the next tick is due, on the monotonic clock, if the last was due at `dueMs`. */
export const nextTickMs = (dueMs: number, nowMs: number): number =>
  dueMs + TICK_MS * Math.max(1, Math.ceil((nowMs - dueMs) / TICK_MS))

export class Tick {
  readonly #clock: Clock
  readonly #log: Log
  readonly #act: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(act: () => void, clock: Clock, log: Log) {
    this.#act = act
    this.#clock = clock
    this.#log = log
  }

  start(): void {
    this.#at(firstTickMs(this.#clock.wallMs(), this.#clock.nowMs()))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #at(dueMs: number): void {
    this.#timer = setTimeout(
      () => {
        this.#at(nextTickMs(dueMs, this.#clock.nowMs()))
        try {
          this.#act()
        } catch (error) {
          this.#log.error('a second was not counted', { error })
        }
      },
      Math.max(0, dueMs - this.#clock.nowMs()),
    )
  }
}
