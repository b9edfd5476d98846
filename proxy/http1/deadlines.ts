/** Limits of time on a conversation, looked at a few times a second: none is worth an alarm. */
import { complain } from './answers.ts'
import type { Conversation } from './conversation.ts'

export class Deadlines {
  /** When the target was dialled. */
  dialledMs: number
  /** What the source still sends is not waited for any longer. */
  closeMs = Number.POSITIVE_INFINITY
  /** A policy wants it over: no other exchange follows this one. */
  draining = false
  #breakMs = Number.POSITIVE_INFINITY
  #finishMs = Number.POSITIVE_INFINITY

  constructor(nowMs: number) {
    this.dialledMs = nowMs
  }

  /** The exchange is cut if it is not over by then; the earliest such time counts. */
  breakBy(untilMs: number): void {
    this.#breakMs = Math.min(this.#breakMs, untilMs)
  }

  /** The exchange is over, and another may follow: what was set for it is not for that one. */
  met(): void {
    this.#breakMs = this.#finishMs = Number.POSITIVE_INFINITY
  }

  /** The end of the source is passed on to the target then. */
  finishBy(untilMs: number): void {
    this.#finishMs = Math.min(this.#finishMs, untilMs)
  }

  check(of: Conversation, nowMs: number): void {
    const { requests, source, target } = of
    const { limits } = of.around
    if (nowMs >= this.closeMs) source.destroy()
    if (nowMs >= this.#breakMs) of.endings.break(nowMs)
    if (nowMs >= this.#finishMs) target?.finish()
    if (requests.headSinceMs > 0 && nowMs - requests.headSinceMs > limits.headTimeoutMs) {
      complain(of, 408, 'the head did not come in time', nowMs)
    }
    if (target?.socket.connecting && nowMs - this.dialledMs > limits.connectTimeoutMs) {
      target.fail()
    }
    if (of.resting && nowMs - of.activeMs > limits.idleTimeoutMs) of.endings.finish(nowMs)
  }
}
