/**
 * How a no is said in HTTP: which status, who refused, and when to come back. The statuses are
 * chosen so that default retry policies stay quiet and 5xx-based breakers are not tripped by us;
 * `x-envoy-ratelimited` stops Envoy and Istio callers from retrying.
 */
import { STATUS_CODES } from 'node:http'
import type { Cause, Refuse } from '../policies/pattern.ts'
import type { Policy } from '../policies/policy.ts'
import { chance } from './surroundings.ts'

interface Saying {
  readonly status: number
  /** The pattern's word. */
  readonly reason: string
  /** Another try elsewhere would meet the same: callers are told not to. */
  readonly limited: boolean
}

const SAYINGS: Readonly<Record<Cause, Saying>> = {
  bulkhead: { status: 429, reason: 'bulkhead', limited: true },
  boundary: { status: 503, reason: 'boundary', limited: false },
  backpressure: { status: 429, reason: 'backpressure', limited: true },
  breaker: { status: 503, reason: 'breaker', limited: true },
  'breaker-cut': { status: 504, reason: 'breaker', limited: true },
  segment: { status: 403, reason: 'segment', limited: true },
  'quarantine-in': { status: 503, reason: 'quarantine', limited: false },
  'quarantine-out': { status: 403, reason: 'quarantine', limited: true },
  fault: { status: 503, reason: 'fault', limited: false },
  overload: { status: 503, reason: 'overload', limited: false },
}

/** Callers that were refused together do not all come back together. */
const JITTER = 0.2

/** How the connection is, which decides what an answer must say of it. */
export interface Manner {
  /** Answered without a body: a HEAD. */
  readonly bare: boolean
  /** Nothing more is read on this connection. */
  readonly close: boolean
  /** An HTTP/1.0 source that asked to keep it must be told that it is kept. */
  readonly keep: boolean
}

/** The whole answer of a policy; `until` is when its lease ends, if known. */
export function refusalOf(refusal: Refuse, by: Policy, until: string, manner: Manner): string {
  const { status, reason, limited } = SAYINGS[refusal.cause]
  const { retryAfterMs, have, limit } = refusal
  let head = `x-airspace-refused-by: ${by.id}\r\nx-airspace-reason: ${reason}\r\n`
  if (until !== '') head += `x-airspace-until: ${until}\r\n`
  if (limited) head += 'x-envoy-ratelimited: true\r\n'
  if (refusal.cause === 'breaker' || refusal.cause === 'overload') {
    head += 'x-envoy-overloaded: true\r\n'
  }
  const comeBack = (status === 429 || status === 503) && retryAfterMs >= 0
  if (comeBack) {
    const seconds = (retryAfterMs / 1000) * (1 + JITTER * chance())
    head += `retry-after: ${Math.max(1, Math.ceil(seconds))}\r\n`
  }
  const measured = limit > 0 ? ` (${have} of ${limit})` : ''
  return answer(status, head, manner, {
    type: `urn:airspace:${reason}`,
    detail: `${refusal.reason}${measured}, by ${by.id}`,
    ...(comeBack ? { retryAfterMs: Math.round(retryAfterMs) } : {}),
  })
}

/** An answer of the proxy itself, for what no policy is to blame. */
export const complaintOf = (status: number, detail: string, manner: Manner): string =>
  answer(status, '', manner, { type: 'about:blank', detail })

interface Problem {
  readonly type: string
  readonly detail: string
  readonly retryAfterMs?: number
}

/** RFC 9457. Every character is ASCII: what is not is escaped, so that its length is its bytes. */
function answer(status: number, fields: string, manner: Manner, problem: Problem): string {
  const title = STATUS_CODES[status] ?? 'Refused'
  const { type, detail, ...rest } = problem
  const body = ascii(JSON.stringify({ type, title, status, detail, ...rest }))
  const connection = manner.close ? 'connection: close\r\n' : manner.keep ? KEEP : ''
  const entity = `content-type: application/problem+json\r\n${connection}`
  const length = `content-length: ${body.length}\r\n\r\n`
  return `HTTP/1.1 ${status} ${title}\r\n${fields}${entity}${length}${manner.bare ? '' : body}`
}

const KEEP = 'connection: keep-alive\r\n'

const ascii = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
