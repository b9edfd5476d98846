/**
 * What a worker counts, in shared memory that it alone writes: plain adds, no atomics, no
 * messages. The main thread reads it each second and takes differences; nothing is ever reset but
 * the two maxima, by main, where losing a race costs one second's maximum and no count.
 *
 *   header   64 x Float64   WORKER: counters of the worker as a whole
 *   edges    EDGE_ROWS_MAX rows of 2 KiB: 40 x Float64 (EDGE), 432 x Uint32 (latency in us)
 *   policies POLICY_ROWS_MAX rows of 64 B: 8 x Float64 (POLICY)
 *
 * Row 0 of a table is where what no longer fits is counted: edge `other..other`, policy ``. A row
 * may be counted in before its `row` message is read: whoever takes differences keeps them.
 */
import { BUCKETS, bucketOf } from '../landscape/histogram.ts'
import type { Result } from '../policies/pattern.ts'
import type { Policy } from '../policies/policy.ts'
import type { Tally } from './gate.ts'
import type { FromWorker } from './thread.ts'

export const EDGE_ROWS_MAX = 2048
export const POLICY_ROWS_MAX = 4096
/** What row 0 of the edges is called. */
export const OTHER = 'other'

/** Indexes of Float64 in the header. Gauges say so; all else only grows. */
export const WORKER = {
  accepted: 0,
  /** Gauge: client connections now. */
  connections: 1,
  /** Gauge: exchanges waiting in the wheel. */
  delayed: 2,
  /** Messages that were not HTTP as we read it, answered 400, 431 or 502. */
  malformed: 3,
  /** Turned away because connectionsMax was reached. */
  overloaded: 4,
  /** Exchanges and connections ended because a policy changed. */
  severed: 5,
  /** Edges and policies that found no row of their own. */
  edgesOverflowed: 6,
  policiesOverflowed: 7,
  /** Bytes copied because the kernel did not take them at once. */
  bytesCopied: 8,
} as const

/** Indexes of Float64 in an edge's row. Gauges: inFlight. Maxima that main resets: two. */
export const EDGE = {
  started: 0,
  succeeded: 1,
  failed: 2,
  ignored: 3,
  refused: 4,
  connections: 5,
  connectionsClosed: 6,
  bytesIn: 7,
  bytesOut: 8,
  inFlight: 9,
  /** Main sets it to `inFlight` after reading. */
  inFlightMax: 10,
  latencySumUs: 11,
  /** Main sets it to 0 after reading. */
  latencyMaxUs: 12,
  /** The monotonic time of the last byte either way. */
  lastByteMs: 13,
} as const

/** Indexes of Float64 in a policy's row. */
export const POLICY = {
  matched: 0,
  refused: 1,
  delayed: 2,
  delayedMs: 3,
  wouldRefuse: 4,
  wouldDelay: 5,
  cut: 6,
  wouldCut: 7,
} as const

const HEADER_BYTES = 64 * 8
const EDGE_FLOATS = 40
export const EDGE_ROW_BYTES = EDGE_FLOATS * 8 + BUCKETS * 4
export const POLICY_ROW_BYTES = 8 * 8
const POLICIES_AT = HEADER_BYTES + EDGE_ROWS_MAX * EDGE_ROW_BYTES

/** How much memory one worker's meters take; only rows in use are ever touched. */
export const metersBytes = (): number => POLICIES_AT + POLICY_ROWS_MAX * POLICY_ROW_BYTES

/** Where the Float64s of a row begin, as an index into a Float64Array over the whole memory. */
export const edgeFloatsAt = (row: number): number => (HEADER_BYTES + row * EDGE_ROW_BYTES) / 8
export const policyFloatsAt = (row: number): number => (POLICIES_AT + row * POLICY_ROW_BYTES) / 8
/** Where the buckets of a row begin, as an index into a Uint32Array over the whole memory. */
export const bucketsAt = (row: number): number =>
  (HEADER_BYTES + row * EDGE_ROW_BYTES) / 4 + EDGE_FLOATS * 2

/** How long a row whose intent is gone is left alone: main reads each second. */
export const RETIRED_MS = 5_000

export type Protocol = 'http1' | 'opaque'

/** The worker's side: the only writer. Also the `Tally` that the gate counts policies with. */
export class Meter implements Tally {
  readonly #floats: Float64Array
  readonly #buckets: Uint32Array
  readonly #announce: (row: FromWorker & { type: 'row' }) => void
  #edgeRows = 1
  #policyRows = 1
  readonly #edgeRowOf = new Map<string, number>()
  readonly #policyRowOf = new Map<string, number>()
  /** Whose a row of the policies is, by row. */
  readonly #idOf: string[] = []
  readonly #retired: { readonly row: number; readonly reuseMs: number }[] = []
  #nowMs = 0

  constructor(memory: SharedArrayBuffer, announce: (row: FromWorker & { type: 'row' }) => void) {
    this.#floats = new Float64Array(memory)
    this.#buckets = new Uint32Array(memory)
    this.#announce = announce
  }

  /** A row for an edge and protocol, the same one each time. */
  edgeRow(source: string, target: string, protocol: Protocol): number {
    const key = `${protocol}\u0000${source}\u0000${target}`
    const known = this.#edgeRowOf.get(key)
    if (known !== undefined) return known
    if (this.#edgeRows >= EDGE_ROWS_MAX) {
      this.add(WORKER.edgesOverflowed, 1)
      return 0
    }
    const row = this.#edgeRows++
    this.#edgeRowOf.set(key, row)
    this.#announce({ type: 'row', table: 'edge', row, source, target, protocol })
    return row
  }

  /** A row for an intent on an edge: the same one however often plans change. */
  policyRow(id: string, source: string, target: string): number {
    const key = `${id}\u0000${source}\u0000${target}`
    const known = this.#policyRowOf.get(key)
    if (known !== undefined) return known
    const row = this.#freeRow()
    if (row === 0) {
      this.add(WORKER.policiesOverflowed, 1)
      return 0
    }
    this.#policyRowOf.set(key, row)
    this.#idOf[row] = id
    this.#announce({ type: 'row', table: 'policy', row, id, source, target })
    return row
  }

  /** One whose intent is gone for long enough that main has read its last, or one never used. */
  #freeRow(): number {
    const retired = this.#retired[0]
    if (retired !== undefined && retired.reuseMs <= this.#nowMs) {
      this.#retired.shift()
      return retired.row
    }
    return this.#policyRows < POLICY_ROWS_MAX ? this.#policyRows++ : 0
  }

  /** A plan holds these intents and no others: the rows of others are for who comes. */
  retire(held: ReadonlySet<string>, nowMs: number): void {
    this.#nowMs = nowMs
    for (const [key, row] of this.#policyRowOf) {
      const id = this.#idOf[row]!
      if (held.has(id)) continue
      this.#policyRowOf.delete(key)
      this.#idOf[row] = ''
      this.#retired.push({ row, reuseMs: nowMs + RETIRED_MS })
    }
  }

  /** Adds to a counter of the worker as a whole (WORKER). */
  add(counter: number, n: number): void {
    this.#floats[counter]! += n
  }

  /** Sets a gauge of the worker as a whole. */
  holds(gauge: number, value: number): void {
    this.#floats[gauge] = value
  }

  connected(row: number): void {
    this.#floats[edgeFloatsAt(row) + EDGE.connections]! += 1
  }

  disconnected(row: number): void {
    this.#floats[edgeFloatsAt(row) + EDGE.connectionsClosed]! += 1
  }

  started(row: number): void {
    const at = edgeFloatsAt(row)
    const floats = this.#floats
    floats[at + EDGE.started]! += 1
    const inFlight = (floats[at + EDGE.inFlight]! += 1)
    if (inFlight > floats[at + EDGE.inFlightMax]!) floats[at + EDGE.inFlightMax] = inFlight
  }

  /** `tookMs` is from the gate to the last byte; what the source aborted has no latency. */
  ended(row: number, result: Result, tookMs: number): void {
    const at = edgeFloatsAt(row)
    const floats = this.#floats
    floats[at + EDGE.inFlight]! -= 1
    if (result === 'ignored') {
      floats[at + EDGE.ignored]! += 1
      return
    }
    floats[at + (result === 'success' ? EDGE.succeeded : EDGE.failed)]! += 1
    const tookUs = Math.round(tookMs * 1000)
    floats[at + EDGE.latencySumUs]! += tookUs
    if (tookUs > floats[at + EDGE.latencyMaxUs]!) floats[at + EDGE.latencyMaxUs] = tookUs
    this.#buckets[bucketsAt(row) + bucketOf(tookUs)]! += 1
  }

  /** More, or fewer, exchanges wait to be let in. */
  waits(more: number): void {
    this.#floats[WORKER.delayed]! += more
  }

  /** Aborted by its source before it was let in: never in flight, and not the target's doing. */
  gaveUp(row: number): void {
    const at = edgeFloatsAt(row)
    this.#floats[at + EDGE.started]! += 1
    this.#floats[at + EDGE.ignored]! += 1
  }

  refusedOn(row: number): void {
    this.#floats[edgeFloatsAt(row) + EDGE.refused]! += 1
  }

  /** Bytes from the source to the target. */
  bytesIn(row: number, bytes: number, nowMs: number): void {
    const at = edgeFloatsAt(row)
    this.#floats[at + EDGE.bytesIn]! += bytes
    this.#floats[at + EDGE.lastByteMs] = nowMs
  }

  /** Bytes from the target to the source. */
  bytesOut(row: number, bytes: number, nowMs: number): void {
    const at = edgeFloatsAt(row)
    this.#floats[at + EDGE.bytesOut]! += bytes
    this.#floats[at + EDGE.lastByteMs] = nowMs
  }

  // What follows is the gate's Tally, and what sever.ts counts.

  matched(policy: Policy): void {
    this.#floats[this.#rowOf(policy) + POLICY.matched]! += 1
  }

  refused(policy: Policy): void {
    this.#floats[this.#rowOf(policy) + POLICY.refused]! += 1
  }

  delayed(policy: Policy, delayMs: number): void {
    const at = this.#rowOf(policy)
    this.#floats[at + POLICY.delayed]! += 1
    this.#floats[at + POLICY.delayedMs]! += delayMs
  }

  wouldRefuse(policy: Policy): void {
    this.#floats[this.#rowOf(policy) + POLICY.wouldRefuse]! += 1
  }

  wouldDelay(policy: Policy): void {
    this.#floats[this.#rowOf(policy) + POLICY.wouldDelay]! += 1
  }

  cut(policy: Policy): void {
    this.#floats[this.#rowOf(policy) + POLICY.cut]! += 1
  }

  wouldCut(policy: Policy): void {
    this.#floats[this.#rowOf(policy) + POLICY.wouldCut]! += 1
  }

  /** Where a policy's Float64s begin. */
  #rowOf(policy: Policy): number {
    // A policy that was away for a plan may have lost its row. Row 0 is nobody's own.
    if (policy.meterRow !== 0 && this.#idOf[policy.meterRow] !== policy.id) {
      policy.meterRow = this.policyRow(policy.id, policy.edge.source, policy.edge.target)
    }
    return policyFloatsAt(policy.meterRow)
  }
}
