/** What every connection of a worker shares: where it counts, asks, waits and is found. */
import type { Policies, Policy } from '../policies/policy.ts'
import type { Exchange } from './exchange.ts'
import type { Identify } from './identify.ts'
import type { Meter } from './meter.ts'
import type { Ring } from './ring.ts'
import type { Limits } from './thread.ts'
import type { Wheel } from './wheel.ts'

/** A connection accepted and not yet gone, whatever it speaks. */
export interface Connection {
  /** What is under way on it, if anything is. */
  readonly exchange: Exchange | null
  /** What paces it may have changed. */
  replanned(nowMs: number): void
  /** Called a few times a second: limits of time that are not worth an alarm each. */
  sweep(nowMs: number): void
  /** The worker lets go: what is idle ends now, what runs may finish. */
  drain(nowMs: number): void
  /** A policy wants what runs to be over by then. */
  drainBy(policy: Policy, untilMs: number, nowMs: number): void
  /** A policy ends what runs, now; the other end sees that it was cut. */
  sever(policy: Policy, nowMs: number): void
  /** The process ends: everything is closed. */
  destroy(): void
}

export interface Surroundings {
  readonly limits: Limits
  readonly meter: Meter
  readonly ring: Ring
  readonly wheel: Wheel
  readonly policies: Policies
  readonly identify: Identify
  readonly connections: Set<Connection>
  /** RFC 3339 ends of leases, by intent. */
  readonly untils: ReadonlyMap<string, string>
  draining: boolean
}

/** Chances for percent and jitter: fast, and good enough to pick calls evenly (xorshift32). */
let state = (Math.random() * 0xffff_ffff) | 1

export function chance(): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) / 0x1_0000_0000
}
