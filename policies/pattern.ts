/**
 * The contract of a pattern. One file, one exported Pattern, one line in the catalog.
 *
 * Deterministic: all a pattern knows is in its arguments. No clock, no timer, no I/O, no chance.
 * For each `admit` that passes there is exactly one `settle`, in any order, on the same state.
 */
import type { Edge } from '../landscape/edge.ts'
import type { Row } from './cells.ts'
import type { Fields, SettingsOf } from './settings.ts'

/** What a policy may know of a request or a connection: facts, never the socket. */
export interface Call {
  readonly edge: Edge
  /** A request is one HTTP exchange; a connection is one opaque TCP session. */
  readonly form: 'request' | 'connection'
  /** Safe to send twice (RFC 9110 §9.2.2), hence fit to be a probe. */
  readonly idempotent: boolean
  /** How long the caller says it will still wait, in ms; Infinity when it did not say. */
  readonly patienceMs: number
  /** 0 <= chance < 1, fixed for the call: percent and jitter come of it. */
  readonly chance: number
}

/** Why a refusal is one; refusal.ts turns the cause into a status of the caller's own protocol. */
export type Cause =
  | 'bulkhead'
  | 'boundary'
  | 'backpressure'
  | 'breaker'
  | 'breaker-cut'
  | 'segment'
  | 'quarantine-in'
  | 'quarantine-out'
  | 'fault'
  | 'overload'

export type Decision = Pass | Refuse

/** Go on, after `delayMs` (mostly 0). */
export interface Pass {
  readonly verdict: 'pass'
  readonly delayMs: number
}

/** No. `have` of `limit` is what the reason quotes; retryAfterMs < 0 means: do not come back. */
export interface Refuse {
  readonly verdict: 'refuse'
  readonly cause: Cause
  readonly reason: string
  readonly have: number
  readonly limit: number
  readonly retryAfterMs: number
}

/** The common answer, shared so that the hot path allocates nothing. */
export const PASS: Pass = Object.freeze({ verdict: 'pass', delayMs: 0 })

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
const delayed: Mutable<Pass> = { verdict: 'pass', delayMs: 0 }
const refused: Mutable<Refuse> = {
  verdict: 'refuse',
  cause: 'bulkhead',
  reason: '',
  have: 0,
  limit: 0,
  retryAfterMs: 0,
}

/**
 * Decisions are read before the next is made, so each thread has one of each kind and fills it in:
 * nothing is allocated per request. Whoever keeps one keeps a copy.
 */
export function delay(delayMs: number): Pass {
  delayed.delayMs = delayMs
  return delayed
}

export function refuse(
  cause: Cause,
  reason: string,
  retryAfterMs: number,
  have = 0,
  limit = 0,
): Refuse {
  refused.cause = cause
  refused.reason = reason
  refused.retryAfterMs = retryAfterMs
  refused.have = have
  refused.limit = limit
  return refused
}

/** How a passed call ended. `ignored` means: give back what you hold, learn nothing from it. */
export type Result = 'success' | 'failure' | 'ignored'

/** Times are ms on the node's monotonic clock. */
export interface Outcome {
  readonly result: Result
  /** Lets a pattern tell a late answer, from before its state changed, from a fresh one. */
  readonly admittedMs: number
  readonly tookMs: number
}

/** Who shares a row of cells. */
export type Per = 'policy' | 'edge' | 'source' | 'target'

/** Which end of a set an edge touches: 'in' enters it, 'out' leaves it, 'on' is plainly covered. */
export type Side = 'on' | 'in' | 'out'

/** Selectors already read: each answers whether a service is a member. */
export interface Reach {
  from(service: string): boolean
  to(service: string): boolean
  /** The member test of a field of kind `set`; of an absent one, never. */
  set(field: string, service: string): boolean
}

export interface Pattern<F extends Fields = Fields, S = unknown> {
  /** The verb, the reason on a refusal and the metric label: one word. */
  readonly kind: string
  readonly help: string
  /** Unit, bound, fallback and help: flags, forms and validation come of it. */
  readonly fields: F
  /** Its refusal also ends exchanges that are under way, as the intent's `existing` says. */
  readonly severs?: true
  readonly per: Per
  /** What happens to running work when an intent does not say. */
  readonly existing: 'keep' | 'drain' | 'cut'
  /** Whether the policy is about this edge. Asked once an edge and plan, never per request. */
  covers?(settings: SettingsOf<F>, reach: Reach, edge: Edge): Side | undefined
  /** Complaints that no single field can make: returns what is wrong, or undefined. */
  check?(settings: SettingsOf<F>): string | undefined
  /** Names int32 cells of the row, shared by every worker. */
  cells(row: Row, side: Side): S
  admit(state: S, settings: SettingsOf<F>, call: Call, nowMs: number): Decision
  settle(state: S, settings: SettingsOf<F>, outcome: Outcome, nowMs: number): void
  /** How long to wait, in ms, before the next bytes of a running transfer are read; 0 is none. */
  pace?(state: S, settings: SettingsOf<F>, bytes: number, nowMs: number): number
  /** Once a second, on the main thread alone: what no single call can know. */
  tend?(states: readonly S[], settings: SettingsOf<F>, sight: Sight, nowMs: number): void
}

/** What main knows and a pure pattern cannot: it is written into cells each second. */
export interface Sight {
  /** The median latency of the edges this policy covers, in ms; 0 while unknown. */
  readonly medianMs: number
}
