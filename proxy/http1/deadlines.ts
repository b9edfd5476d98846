/** Limits of time on a conversation, looked at a few times a second: none is worth an alarm. */
import type { Limits } from '../thread.ts'
import type { Conversation } from './conversation.ts'

export class Deadlines {
  /** When the target was dialled. */
  dialledMs: number
  /** What the source still sends is not waited for any longer. */
  closeMs = Number.POSITIVE_INFINITY
  /** A policy wants it over: no other exchange follows this one. */
  draining = false
  #breakMs = Number.POSITIVE_INFINITY

  constructor(nowMs: number) {
    this.dialledMs = nowMs
  }

  /** The exchange is cut if it is not over by then; the earliest such time counts. */
  breakBy(untilMs: number): void {
    this.#breakMs = Math.min(this.#breakMs, untilMs)
  }

  check(of: Conversation, limits: Limits, nowMs: number): void {
    const { requests, source, target } = of
    if (nowMs >= this.closeMs) source.destroy()
    if (nowMs >= this.#breakMs) of.break(nowMs)
    if (requests.headSinceMs > 0 && nowMs - requests.headSinceMs > limits.headTimeoutMs) {
      of.complain(408, 'the head did not come in time', nowMs)
    }
    if (target?.socket.connecting && nowMs - this.dialledMs > limits.connectTimeoutMs) {
      target.fail()
    }
    if (of.resting && nowMs - of.activeMs > limits.idleTimeoutMs) of.finish(nowMs)
  }
}
