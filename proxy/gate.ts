/**
 * Where a call meets the policies of its edge. Each is asked in order and the first refusal ends
 * it; those that had passed it are told `ignored`, and slots taken on the way are given back. A
 * delay suspends the walk: the rest is asked when it is over, so a waiting call holds no slot.
 *
 * An observed policy is counted and never obeyed: it has cells of its own, and a call that it
 * would refuse does not enter them. Nothing is allocated per call: a passage belongs to its
 * connection and is used again, and decisions are scratch that is read at once.
 */
import type { Call, Outcome, Refuse, Result } from '../policies/pattern.ts'
import type { Policy } from '../policies/policy.ts'

/** Told of every decision, for counting; the meter does. */
export interface Tally {
  matched(policy: Policy): void
  refused(policy: Policy): void
  delayed(policy: Policy, delayMs: number): void
  wouldRefuse(policy: Policy): void
  wouldDelay(policy: Policy, delayMs: number): void
}

export type Verdict = 'pass' | 'wait' | 'refuse'

const NONE: readonly Policy[] = []

/** One call's way in and out. `enter` may be called again once it was left or refused. */
export class Passage {
  /** After 'wait': for how long, before `resume`. */
  delayMs = 0
  /** After 'refuse': whose, and why. Scratch of this thread: read it before the next call. */
  by: Policy | undefined = undefined
  refusal: Refuse | undefined = undefined
  /** When the last policy let it in: what a policy made it wait is not the target's time. */
  admittedMs = 0
  readonly #tally: Tally
  readonly #entered: Policy[] = []
  readonly #marks: number[] = []
  #count = 0
  #asked: readonly Policy[] = NONE
  #next = 0
  #pacing: readonly Policy[] = NONE
  #chance = 0
  readonly #outcome: { -readonly [Name in keyof Outcome]: Outcome[Name] } = {
    result: 'ignored',
    admittedMs: 0,
    tookMs: 0,
    mark: 0,
  }

  constructor(tally: Tally) {
    this.#tally = tally
  }

  /** Asks the policies from the first. After 'wait' comes `resume`, `restart` or `leave`. */
  enter(policies: readonly Policy[], call: Call, nowMs: number): Verdict {
    if (this.#count > 0) throw new Error('gate: entered twice without leaving')
    this.#asked = policies
    this.#next = 0
    this.#pacing = policies
    this.#chance = call.chance
    return this.#walk(call, nowMs)
  }

  /** The delay is over: asks the rest. */
  resume(call: Call, nowMs: number): Verdict {
    return this.#walk(call, nowMs)
  }

  /** The plan changed while it waited: all of it again. What paced it is not given back. */
  restart(policies: readonly Policy[], call: Call, nowMs: number): Verdict {
    this.leave('ignored', nowMs)
    return this.enter(policies, call, nowMs)
  }

  #walk(call: Call, nowMs: number): Verdict {
    const tally = this.#tally
    this.delayMs = 0
    this.by = undefined
    this.refusal = undefined
    this.admittedMs = nowMs
    while (this.#next < this.#asked.length) {
      const policy = this.#asked[this.#next]!
      this.#next += 1
      if (!policy.picks(call.chance)) continue
      tally.matched(policy)
      const decision = policy.pattern.admit(policy.state, policy.settings, call, nowMs)
      if (decision.verdict === 'refuse') {
        if (policy.observed) {
          tally.wouldRefuse(policy)
          continue
        }
        return this.#refuse(policy, decision, nowMs)
      }
      const { delayMs } = decision
      this.#take(policy, decision.mark)
      if (delayMs === 0) continue
      if (policy.observed) {
        tally.wouldDelay(policy, delayMs)
        continue
      }
      tally.delayed(policy, delayMs)
      this.delayMs = delayMs
      return 'wait'
    }
    return 'pass'
  }

  #take(policy: Policy, mark: number): void {
    this.#entered[this.#count] = policy
    this.#marks[this.#count] = mark
    this.#count += 1
  }

  #refuse(policy: Policy, refusal: Refuse, nowMs: number): Verdict {
    this.#tally.refused(policy)
    this.leave('ignored', nowMs)
    this.by = policy
    this.refusal = refusal
    return 'refuse'
  }

  /** Tells each policy that passed it how it ended. Exactly once: again, it does nothing. */
  leave(result: Result, nowMs: number): void {
    const outcome = this.#outcome
    outcome.result = result
    outcome.admittedMs = this.admittedMs
    outcome.tookMs = nowMs - this.admittedMs
    this.#asked = NONE
    this.#pacing = NONE
    while (this.#count > 0) {
      this.#count -= 1
      const policy = this.#entered[this.#count]!
      outcome.mark = this.#marks[this.#count]!
      if (policy.alive) policy.pattern.settle(policy.state, policy.settings, outcome, nowMs)
    }
  }

  /**
   * How long to wait, in ms, before more bytes are read. `in` are those on their way to the
   * target. Ask again with 0 bytes when that is over: a pause is bounded, a debt may not be.
   */
  pace(bytes: number, nowMs: number, way: 'in' | 'out' = 'in'): number {
    let longestMs = 0
    for (let index = 0; index < this.#pacing.length; index += 1) {
      const policy = this.#pacing[index]!
      const { pattern } = policy
      if (pattern.pace === undefined || !policy.picks(this.#chance) || !policy.alive) continue
      const waitMs = pattern.pace(policy.state, policy.settings, bytes, nowMs, way)
      if (waitMs > longestMs && !policy.observed) longestMs = waitMs
    }
    return longestMs
  }

  /**
   * A new plan while it is inside. Bandwidth applies to the rest of a transfer; and a limit that is
   * new counts what is already there, or it would let that many more in than it says.
   */
  follow(policies: readonly Policy[], call: Call, admittedMs: number): void {
    const before = this.#pacing
    this.#chance = call.chance
    this.admittedMs = admittedMs
    this.#pacing = policies
    for (let index = 0; index < policies.length; index += 1) {
      const policy = policies[index]!
      const { pattern } = policy
      if (pattern.adopt === undefined || !policy.picks(call.chance)) continue
      if (before.includes(policy) || this.#isIn(policy)) continue
      this.#take(policy, pattern.adopt(policy.state, policy.settings, call))
    }
  }

  /** It entered the same cells before, under an intent that went and came back. */
  #isIn({ key }: Policy): boolean {
    for (let index = 0; index < this.#count; index += 1) {
      if (this.#entered[index]!.key === key) return true
    }
    return false
  }

  /** It holds a slot that is to be freed only when the target has ended the exchange. */
  get holds(): boolean {
    for (let index = 0; index < this.#count; index += 1) {
      const policy = this.#entered[index]!
      if (policy.pattern.holds && !policy.observed && this.#marks[index] !== 0) return true
    }
    return false
  }

  /** Whether it is between `enter` and `leave` for some policy. */
  get inside(): boolean {
    return this.#count > 0
  }
}
