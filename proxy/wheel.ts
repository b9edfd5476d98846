/**
 * A timing wheel of 1 ms, for calls that wait their turn and for paced transfers. Setting and
 * cancelling cost the same however many wait; one timer of Node's serves all.
 *
 *   slot   0    1    2  ...  1023     an alarm lies in the slot of its ms, modulo the wheel;
 *          |    o              |      one that is further off than a round stays where it is
 *          o─o  |              o      when the hand passes
 */
export const SLOTS = 1024
/** The hand moves at least so often while anything waits. */
const STRIDE_MS = 50

/** Something to be woken; belongs to whoever waits, and is used again and again. */
export class Alarm {
  dueMs = 0
  slot = -1
  next: Alarm | null = null
  prev: Alarm | null = null
  readonly ring: (nowMs: number) => void

  constructor(ring: (nowMs: number) => void) {
    this.ring = ring
  }

  get set(): boolean {
    return this.slot >= 0
  }
}

export class Wheel {
  readonly #first: (Alarm | null)[] = new Array(SLOTS).fill(null)
  readonly #last: (Alarm | null)[] = new Array(SLOTS).fill(null)
  readonly #nowMs: () => number
  readonly #sleep: (ms: number, wake: () => void) => void
  readonly #wake = () => this.#woken()
  #hand: number
  #wakeMs = Number.POSITIVE_INFINITY
  #count = 0

  /** `sleep` arms one wake-up; an earlier one may come besides. */
  constructor(
    nowMs: () => number,
    sleep: (ms: number, wake: () => void) => void = (ms, wake) => setTimeout(wake, ms),
  ) {
    this.#nowMs = nowMs
    this.#sleep = sleep
    this.#hand = Math.floor(nowMs())
  }

  /** How many wait. */
  get count(): number {
    return this.#count
  }

  /** Rings at `dueMs` or up to a millisecond later; never before, and never at once. */
  set(alarm: Alarm, dueMs: number): void {
    this.cancel(alarm)
    const nowMs = this.#nowMs()
    if (this.#count === 0) this.#hand = Math.floor(nowMs)
    const tick = Math.max(Math.ceil(dueMs), this.#hand + 1)
    alarm.dueMs = tick
    alarm.slot = tick % SLOTS
    alarm.prev = this.#last[alarm.slot]!
    if (alarm.prev) alarm.prev.next = alarm
    else this.#first[alarm.slot] = alarm
    this.#last[alarm.slot] = alarm
    this.#count += 1
    this.#arm(Math.min(tick - nowMs, STRIDE_MS), nowMs)
  }

  cancel(alarm: Alarm): void {
    if (alarm.slot < 0) return
    if (alarm.prev) alarm.prev.next = alarm.next
    else this.#first[alarm.slot] = alarm.next
    if (alarm.next) alarm.next.prev = alarm.prev
    else this.#last[alarm.slot] = alarm.prev
    alarm.slot = -1
    alarm.next = alarm.prev = null
    this.#count -= 1
  }

  /** Moves the hand to now and rings what is due, in the order in which it was set. */
  advance(nowMs: number): void {
    const to = Math.floor(nowMs)
    let tick = Math.max(this.#hand + 1, to - SLOTS + 1)
    for (; tick <= to; tick += 1) {
      this.#hand = tick
      let alarm = this.#first[tick % SLOTS]!
      while (alarm) {
        const { next } = alarm
        if (alarm.dueMs <= to) {
          this.cancel(alarm)
          alarm.ring(nowMs)
        }
        // One that rang may have cancelled its neighbour: begin again where the slot begins.
        alarm = next && next.slot < 0 ? this.#first[tick % SLOTS]! : next!
      }
    }
  }

  #arm(ms: number, nowMs: number): void {
    if (nowMs + ms >= this.#wakeMs) return
    this.#wakeMs = nowMs + ms
    this.#sleep(Math.max(1, Math.ceil(ms)), this.#wake)
  }

  #woken(): void {
    this.#wakeMs = Number.POSITIVE_INFINITY
    this.advance(this.#nowMs())
    if (this.#count > 0) this.#arm(this.#nearest(), this.#nowMs())
  }

  /** Ms from the hand to the next slot in which anything lies. */
  #nearest(): number {
    for (let ms = 1; ms < STRIDE_MS; ms += 1) {
      if (this.#first[(this.#hand + ms) % SLOTS]) return ms
    }
    return STRIDE_MS
  }
}
