/**
 * Main's view of one worker's meters: what has been added since it last looked. The worker never
 * stops for it; a row that is being written is read in part now and in part the next time, and
 * nothing is lost or read twice.
 */
import { BUCKETS } from '../landscape/histogram.ts'
import {
  bucketsAt,
  EDGE,
  EDGE_ROWS_MAX,
  edgeFloatsAt,
  POLICY,
  POLICY_ROWS_MAX,
  policyFloatsAt,
  WORKER,
} from './meter.ts'

export const EDGE_COUNTS = Object.keys(EDGE).length
export const POLICY_COUNTS = Object.keys(POLICY).length
export const WORKER_COUNTS = Object.keys(WORKER).length

/** Of an edge: all that is neither a gauge, a maximum nor a moment. */
const GROWING = [
  EDGE.started,
  EDGE.succeeded,
  EDGE.failed,
  EDGE.ignored,
  EDGE.refused,
  EDGE.connections,
  EDGE.connectionsClosed,
  EDGE.bytesIn,
  EDGE.bytesOut,
  EDGE.latencySumUs,
]

export class MeterReader {
  readonly #floats: Float64Array
  readonly #buckets: Uint32Array
  // What was there when it last looked; pages that no row uses are never touched.
  readonly #seenFloats: Float64Array
  readonly #seenBuckets: Uint32Array
  /** The worker has ended: what was under way there never ends by itself. */
  dead = false

  constructor(memory: SharedArrayBuffer) {
    this.#floats = new Float64Array(memory)
    this.#buckets = new Uint32Array(memory)
    const seen = new ArrayBuffer(memory.byteLength)
    this.#seenFloats = new Float64Array(seen)
    this.#seenBuckets = new Uint32Array(seen)
  }

  /** Adds what is new in a row of the edges to `counts` (by EDGE) and `buckets`. */
  addEdge(row: number, counts: Float64Array, buckets: Float64Array): void {
    const at = edgeFloatsAt(row)
    const floats = this.#floats
    const ended = counts[EDGE.succeeded]! + counts[EDGE.failed]!
    for (const counter of GROWING) counts[counter]! += this.#growth(at + counter)
    const inFlight = floats[at + EDGE.inFlight]!
    if (this.dead) this.#bury(at, counts, inFlight)
    else {
      counts[EDGE.inFlight]! += inFlight
      // Workers reach their maxima at different moments: the sum is a bound, not a measurement.
      counts[EDGE.inFlightMax]! += Math.max(floats[at + EDGE.inFlightMax]!, inFlight)
      floats[at + EDGE.inFlightMax] = inFlight
    }
    const latencyMaxUs = floats[at + EDGE.latencyMaxUs]!
    if (latencyMaxUs > counts[EDGE.latencyMaxUs]!) counts[EDGE.latencyMaxUs] = latencyMaxUs
    floats[at + EDGE.latencyMaxUs] = 0
    const lastByteMs = floats[at + EDGE.lastByteMs]!
    if (lastByteMs > counts[EDGE.lastByteMs]!) counts[EDGE.lastByteMs] = lastByteMs
    if (counts[EDGE.succeeded]! + counts[EDGE.failed]! !== ended) this.#addBuckets(row, buckets)
  }

  /** Adds what is new in a row of the policies to `counts` (by POLICY). */
  addPolicy(row: number, counts: Float64Array): void {
    const at = policyFloatsAt(row)
    for (let i = 0; i < POLICY_COUNTS; i++) counts[i]! += this.#growth(at + i)
  }

  /** Adds what the worker as a whole has counted anew; gauges as they are, of the dead none. */
  addWorker(counts: Float64Array): void {
    for (let i = 0; i < WORKER_COUNTS; i++) {
      if (i !== WORKER.connections && i !== WORKER.delayed) counts[i]! += this.#growth(i)
      else if (!this.dead) counts[i]! += this.#floats[i]!
    }
  }

  /** Rows from `from` on that something was counted in. */
  *usedEdges(from: number): Generator<number> {
    for (let row = from; row < EDGE_ROWS_MAX; row++) {
      const at = edgeFloatsAt(row)
      if (GROWING.some((counter) => this.#floats[at + counter] !== 0)) yield row
    }
  }

  *usedPolicies(from: number): Generator<number> {
    for (let row = from; row < POLICY_ROWS_MAX; row++) {
      if (this.#floats[policyFloatsAt(row) + POLICY.matched] !== 0) yield row
    }
  }

  #growth(at: number): number {
    const is = this.#floats[at]!
    const was = this.#seenFloats[at]!
    this.#seenFloats[at] = is
    return is - was
  }

  /** What a dead worker had under way has ended, and nobody knows how. */
  #bury(at: number, counts: Float64Array, inFlight: number): void {
    const floats = this.#floats
    const connections = floats[at + EDGE.connections]! - floats[at + EDGE.connectionsClosed]!
    counts[EDGE.ignored]! += inFlight
    counts[EDGE.connectionsClosed]! += connections
    floats[at + EDGE.inFlight] = 0
    floats[at + EDGE.connectionsClosed]! += connections
    this.#seenFloats[at + EDGE.connectionsClosed] = floats[at + EDGE.connectionsClosed]!
  }

  #addBuckets(row: number, buckets: Float64Array): void {
    const at = bucketsAt(row)
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const is = this.#buckets[at + bucket]!
      const was = this.#seenBuckets[at + bucket]!
      if (is === was) continue
      this.#seenBuckets[at + bucket] = is
      buckets[bucket]! += (is - was) >>> 0 // counts of 32 bits come round
    }
  }
}
