/** What the proxy itself says to a source: a policy's refusal, or that it could not understand. */
import type { Refuse } from '../../policies/pattern.ts'
import type { Policy } from '../../policies/policy.ts'
import { WORKER } from '../meter.ts'
import { complaintOf, type Manner, refusalOf } from '../refusal.ts'
import type { Conversation } from './conversation.ts'

/** A policy refuses the request whose head has been read; its body is not forwarded. */
export function refuse(of: Conversation, refusal: Refuse, by: Policy, nowMs: number): void {
  const { source, requests, around, endings } = of
  const draining = around.draining || of.deadlines.draining
  const close = !of.persists || draining || !requests.bounded
  source.say(refusalOf(refusal, by, untilOf(of, by), mannerOf(of, close)))
  if (close) {
    endings.finish(nowMs)
    return
  }
  requests.skip(nowMs)
}

/** A new policy ends what is under way: an answer if none has begun, else a visible cut. */
export function sever(of: Conversation, by: Policy, nowMs: number): void {
  const { exchange, responses, source, target, endings } = of
  if (exchange.state !== 'running') return
  const decision = by.pattern.admit(by.state, by.settings, exchange, nowMs)
  if (decision.verdict === 'pass' || responses.started) {
    endings.break(nowMs)
    return
  }
  source.say(refusalOf(decision, by, untilOf(of, by), mannerOf(of, true)))
  of.end('ignored', nowMs)
  target?.reset()
  endings.finish(nowMs)
}

/** The source sent what cannot be read; no exchange is under way. */
export function complain(of: Conversation, status: number, detail: string, nowMs: number): void {
  of.around.meter.add(WORKER.malformed, 1)
  of.source.say(complaintOf(status, detail, { bare: false, close: true, keep: false }))
  of.endings.finish(nowMs)
}

/** The source's body cannot be read on: what the target has of it must stay incomplete. */
export function spoiled(of: Conversation, nowMs: number): void {
  const { exchange, target, responses, source, requests, endings } = of
  if (exchange.state === 'running') {
    endings.aborted = true
    of.end('ignored', nowMs)
    target?.reset()
  }
  if (responses.started) source.reset()
  else complain(of, 400, 'the body is not unambiguously framed', nowMs)
  requests.drop()
}

/** The target's answer cannot be read: nothing of it that was not sent yet is. */
export function badAnswer(of: Conversation, nowMs: number): void {
  const { around, target, responses, source, endings } = of
  around.meter.add(WORKER.malformed, 1)
  of.end('failure', nowMs)
  target?.reset()
  if (responses.started) {
    source.reset()
    return
  }
  const detail = 'the answer of the target is not unambiguous HTTP/1.1'
  source.say(complaintOf(502, detail, mannerOf(of, true)))
  endings.finish(nowMs)
}

const untilOf = (of: Conversation, by: Policy): string => of.around.untils.get(by.id) ?? ''

const mannerOf = ({ requests }: Conversation, close: boolean): Manner => ({
  bare: requests.isHead,
  close,
  keep: requests.head.minor === 0,
})
