/**
 * The contract of a pattern. One file, one exported Pattern, one line in the catalog.
 *
 * Deterministic: all a pattern knows is in its arguments. No clock, no timer, no I/O, no chance.
 * For each `admit` that passes there is exactly one `settle`, in any order, on the same state.
 */
import type { Edge } from '../landscape/edge.ts'
import type { Service } from '../landscape/service.ts'
import type { Row } from './row.ts'
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

/**
 * Go on, after `delayMs` (mostly 0). The gate keeps `mark` and hands it back with the outcome: it
 * tells `settle` what this very call took (which gauge, which turn of a circuit); 0 is nothing.
 */
export interface Pass {
  readonly verdict: 'pass'
  readonly delayMs: number
  readonly mark: number
}

/** No. `explain` says why in full; retryAfterMs < 0 means: do not come back, 0 is unknown. */
export interface Refuse {
  readonly verdict: 'refuse'
  readonly cause: Cause
  readonly reason: string
  readonly have: number
  readonly limit: number
  readonly retryAfterMs: number
}

/** The common answer, shared so that the hot path allocates nothing. */
export const PASS: Pass = Object.freeze({ verdict: 'pass', delayMs: 0, mark: 0 })

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
const passed: Mutable<Pass> = { verdict: 'pass', delayMs: 0, mark: 0 }
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
export function delay(delayMs: number, mark = 0): Pass {
  passed.delayMs = delayMs
  passed.mark = mark
  return passed
}

export const pass = (mark: number): Pass => delay(0, mark)

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

/** The reason in full: `3 of 3 in flight`. For an answer's text, not for every refusal. */
export function explain({ reason, have, limit }: Refuse): string {
  if (limit === 0) return reason
  return have === 0 ? `${reason} ${limit}` : `${have} of ${limit} ${reason}`
}

/** How a passed call ended. `ignored` means: give back what you hold, learn nothing from it. */
export type Result = 'success' | 'failure' | 'ignored'

/** Times are ms on the node's monotonic clock. */
export interface Outcome {
  readonly result: Result
  /** When the last policy had let it in: what a policy made it wait is not the target's time. */
  readonly admittedMs: number
  readonly tookMs: number
  /** What `admit` gave it: lets a pattern tell a late answer, from before its state changed. */
  readonly mark: number
}

/**
 * Who shares a row of cells. A fleet's limit is one row a node; 'node' is a row a node unshared.
 */
export type Per = 'policy' | 'node' | 'edge' | 'source' | 'target'

/** Which end of a set an edge touches: 'in' enters it, 'out' leaves it, 'on' is plainly covered. */
export type Side = 'on' | 'in' | 'out'

/** What happens to running work: it goes on, has a grace to end in, or is severed now. */
export type Existing = 'keep' | 'drain' | 'cut'

/** Selectors already read: each answers whether a service is a member. */
export interface Reach {
  from(service: Service): boolean
  to(service: Service): boolean
  /** The member test of a field of unit `set`; of an absent one, never. */
  set(field: string, service: Service): boolean
}

/** The selectors as written, for complaints that need them. */
export interface Ends {
  readonly from: string
  readonly to: string
}

export interface Pattern<F extends Fields = Fields, S = unknown> {
  /** The verb, the reason on a refusal and the metric label: one word. */
  readonly kind: string
  readonly help: string
  /** Unit, bound, fallback and help: flags, forms and validation come of it. */
  readonly fields: F
  readonly per: Per
  /** Besides the row that `per` shares, one for each source among those who share it. */
  readonly apart?: 'source'
  /** What happens to running work when an intent does not say. */
  readonly existing: Existing
  /** How long a drain lasts when an intent does not say, in ms; 5 s without it. */
  graceMs?(side: Side): number
  /** A passage holds a slot until the target has ended the exchange, whatever the source does. */
  readonly holds?: true
  /** Refuses whatever it covers: exchanges under way are ended too, as `existing` says. */
  severs?(settings: SettingsOf<F>): boolean
  /** Which edges it is about; without it, those from `from` to `to`. Once an edge and plan. */
  covers?(settings: SettingsOf<F>, reach: Reach, source: Service, target: Service): Side | undefined
  /** Complaints that no single field can make: what is wrong, or undefined. */
  check?(settings: SettingsOf<F>, ends: Ends): string | undefined
  /** Names int32 cells of the row, shared by every worker; `own` is the source's, if `apart`. */
  cells(row: Row, side: Side, own: Row): S
  admit(state: S, settings: SettingsOf<F>, call: Call, nowMs: number): Decision
  settle(state: S, settings: SettingsOf<F>, outcome: Outcome, nowMs: number): void
  /** A call was under way when the policy came: counted without being asked. Gives its mark. */
  adopt?(state: S, settings: SettingsOf<F>, call: Call): number
  /** How long to wait, in ms, before more bytes are read; 0 is none. `in` goes to the target. */
  pace?(state: S, settings: SettingsOf<F>, bytes: number, nowMs: number, way: 'in' | 'out'): number
  /** How much of its limits is in use, and whether that is within them (a limit was lowered). */
  inFlight?(state: S): number
  under?(state: S, settings: SettingsOf<F>): boolean
  /** Once a second, on the main thread alone, for all states that share a row. */
  tend?(states: readonly S[], settings: SettingsOf<F>, sight: Sight, nowMs: number): void
}

/** What main knows and a pure pattern cannot: it is written into cells each second. */
export interface Sight {
  /** The median latency of the edges this policy covers, in ms; 0 while unknown. */
  readonly medianMs: number
}
