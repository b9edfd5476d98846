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

/**
 * The answer composed last. Under overload the same one is given over and over, but for the jitter:
 * composing it would cost more than all else about a refusal.
 */
const last = {
  by: null as Policy | null,
  reason: '',
  cause: '' as Cause | '',
  have: 0,
  limit: 0,
  retryAfterMs: 0,
  until: '',
  manner: 0,
  /** All of it, or what is before the seconds of retry-after and what is after them. */
  before: '',
  after: '',
}

/** The whole answer of a policy; `until` is when its lease ends, if known. */
export function refusalOf(refusal: Refuse, by: Policy, until: string, manner: Manner): string {
  if (!isLast(refusal, by, until, manner)) compose(refusal, by, until, manner)
  if (last.after === '') return last.before
  const seconds = (refusal.retryAfterMs / 1000) * (1 + JITTER * chance())
  return `${last.before}${Math.max(1, Math.ceil(seconds))}${last.after}`
}

const mannerOf = ({ bare, close, keep }: Manner): number =>
  (bare ? 1 : 0) | (close ? 2 : 0) | (keep ? 4 : 0)

const isLast = (refusal: Refuse, by: Policy, until: string, manner: Manner): boolean =>
  last.by === by &&
  last.have === refusal.have &&
  last.retryAfterMs === refusal.retryAfterMs &&
  last.limit === refusal.limit &&
  last.cause === refusal.cause &&
  last.reason === refusal.reason &&
  last.until === until &&
  last.manner === mannerOf(manner)

function compose(refusal: Refuse, by: Policy, until: string, manner: Manner): void {
  const { status, reason, limited } = SAYINGS[refusal.cause]
  const { retryAfterMs, have, limit } = refusal
  const overloaded = refusal.cause === 'breaker' || refusal.cause === 'overload'
  const fields =
    `x-airspace-refused-by: ${by.id}\r\nx-airspace-reason: ${reason}\r\n` +
    (until === '' ? '' : `x-airspace-until: ${until}\r\n`) +
    (limited ? 'x-envoy-ratelimited: true\r\n' : '') +
    (overloaded ? 'x-envoy-overloaded: true\r\n' : '')
  const comeBack = (status === 429 || status === 503) && retryAfterMs >= 0
  const measured = limit > 0 ? ` (${have} of ${limit})` : ''
  const rest = restOf(status, manner, {
    type: `urn:airspace:${reason}`,
    detail: `${refusal.reason}${measured}, by ${by.id}`,
    ...(comeBack ? { retryAfterMs: Math.round(retryAfterMs) } : {}),
  })
  const head = `${startOf(status)}${fields}`
  const { cause } = refusal
  const key = { by, cause, have, limit, retryAfterMs, until, manner: mannerOf(manner) }
  Object.assign(last, key, {
    reason: refusal.reason,
    before: comeBack ? `${head}retry-after: ` : `${head}${rest}`,
    after: comeBack ? `\r\n${rest}` : '',
  })
}

/** An answer of the proxy itself, for what no policy is to blame. */
export const complaintOf = (status: number, detail: string, manner: Manner): string =>
  `${startOf(status)}${restOf(status, manner, { type: 'about:blank', detail })}`

interface Problem {
  readonly type: string
  readonly detail: string
  readonly retryAfterMs?: number
}

const titleOf = (status: number): string => STATUS_CODES[status] ?? 'Refused'
const startOf = (status: number): string => `HTTP/1.1 ${status} ${titleOf(status)}\r\n`

/** RFC 9457. Every character is ASCII: what is not is escaped, so that its length is its bytes. */
function restOf(status: number, manner: Manner, problem: Problem): string {
  const { type, detail, ...rest } = problem
  const body = ascii(JSON.stringify({ type, title: titleOf(status), status, detail, ...rest }))
  const connection = manner.close ? 'connection: close\r\n' : manner.keep ? KEEP : ''
  const entity = `content-type: application/problem+json\r\n${connection}`
  return `${entity}content-length: ${body.length}\r\n\r\n${manner.bare ? '' : body}`
}

const KEEP = 'connection: keep-alive\r\n'

const ascii = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
