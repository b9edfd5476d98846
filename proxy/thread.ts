/**
 * What the main thread and its workers say to each other. Plain objects: they are cloned on the
 * way. Counters do not travel here, they are read from shared memory (meter.ts, cells.ts).
 */
import type { BoundIntentText as Text } from '../policies/plan.ts'

/** One listening address and where what is accepted there was going. */
export interface ListenerSpec {
  /** A descriptor already bound, a duplicate for this worker alone; without it: reusePort. */
  readonly fd?: number
  readonly host: string
  readonly port: number
  readonly targetHost: string
  readonly targetPort: number
  /** The target's service, when said by hand; else the directory knows it, or nobody does. */
  readonly service?: string
  readonly family: 'ipv4' | 'ipv6'
}

/** Bounds of one worker that main chooses; worker.ts has the fallbacks. */
export interface Limits {
  readonly connectionsMax: number
  readonly headTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly connectTimeoutMs: number
}

/** An intent as this node enforces it now: shares merged in, its ramp applied. */
export interface BoundIntentText extends Text {
  /** When its lease ends by the wall clock, for `x-airspace-until`; nothing is timed by it. */
  readonly untilUnixMs?: number
}

/** Everything in force on this node; the epoch counts up by one with each. */
export interface Bound {
  readonly epoch: number
  readonly intents: readonly BoundIntentText[]
}

/** The `workerData` of proxy/worker.ts. */
export interface WorkerStart {
  /** 0 <= worker < WORKERS_MAX: its column in the cells. */
  readonly worker: number
  readonly cells: SharedArrayBuffer
  /** metersBytes() long, zeroed, this worker's alone: a replaced worker gets a new one. */
  readonly meters: SharedArrayBuffer
  readonly listeners: readonly ListenerSpec[]
  readonly limits?: Partial<Limits>
  /** As Directory.read takes it; it has been read once by main, so it is known to be right. */
  readonly directory?: unknown
  readonly bound?: Bound
}

export type ToWorker =
  | ({ readonly type: 'plan' } & Bound)
  | { readonly type: 'directory'; readonly directory: unknown }
  /** Stop accepting, let running work finish for so long, sever the rest, say `drained`. */
  | { readonly type: 'drain'; readonly graceMs: number }
  /** The ring of recorded calls, answered by `recalled` with the same id. */
  | { readonly type: 'recall'; readonly id: number }
  /** What is under way at this moment, answered by `living` with the same id. */
  | { readonly type: 'live'; readonly id: number }
  /** Heard only when AIRSPACE_FAULTS=1. */
  | { readonly type: 'crash'; readonly how: 'throw' | 'heap' }

export interface EdgeName {
  readonly source: string
  readonly target: string
}

/** Index i of every array is one call; edge[i] points into edges. */
export interface Recalled {
  readonly type: 'recalled'
  readonly id: number
  readonly edges: readonly EdgeName[]
  readonly edge: Uint32Array
  /** When it came to the gate, in ms of the monotonic clock. Oldest first by when it ended. */
  readonly startMs: Float64Array
  /** From when it passed the gate to its end, delays of ours left out; 0 for what was refused. */
  readonly tookMs: Float64Array
  /** How it ended (ring.ts, bits 0-2), its form (bit 3), whether idempotent (bit 4). */
  readonly facts: Uint8Array
  /** The caller's patience in ms, Infinity when it did not say. */
  readonly patienceMs: Float64Array
  /** The call's `chance`. */
  readonly chance: Float32Array
  /** Calls that were in the ring once and are no longer. */
  readonly forgotten: number
}

/** Exchanges and opaque connections that have passed the gate and not ended. */
export interface Living {
  readonly type: 'living'
  readonly id: number
  readonly edges: readonly EdgeName[]
  readonly edge: Uint32Array
  readonly ageMs: Float64Array
  /** 0 request, 1 connection. */
  readonly form: Uint8Array
  /** More were alive than are listed. */
  readonly unlisted: number
}

export type FromWorker =
  /** All listeners accept; ports in the order of `listeners`. */
  | { readonly type: 'listening'; readonly ports: readonly number[] }
  /** The epoch is in force in this worker, from the next request on. */
  | { readonly type: 'taken'; readonly epoch: number }
  /** From now on `row` of the meters is about this edge. Sent once a row. */
  | {
      readonly type: 'row'
      readonly table: 'edge'
      readonly row: number
      readonly source: string
      readonly target: string
      readonly protocol: 'http1' | 'opaque'
    }
  /** From now on `row` of the policies' meters is about this intent on this edge. */
  | {
      readonly type: 'row'
      readonly table: 'policy'
      readonly row: number
      readonly id: string
      readonly source: string
      readonly target: string
    }
  | Recalled
  | Living
  | { readonly type: 'drained'; readonly severed: number }
  | {
      readonly type: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly msg: string
      readonly fields?: Readonly<Record<string, string | number | boolean>>
    }
