/**
 * The calls of the last while, so that a policy can be asked what it would have done to them. A
 * ring of fixed size in typed arrays: recording one call is a few stores, and the oldest is
 * forgotten and counted.
 */
import type { EdgeName, Recalled } from './thread.ts'

export const RING_MAX = 65_536
/** Names of edges kept; calls on later ones are recorded as of `other..other`. */
export const RING_EDGES_MAX = 65_536

/** How a call ended: bits 0-2 of its facts. */
export const RESULTS = ['success', 'failure', 'ignored', 'refused'] as const
export type Recorded = (typeof RESULTS)[number]
/** Bit 3: a connection, not a request. Bit 4: fit to be sent twice. */
export const CONNECTION_FACT = 8
export const IDEMPOTENT_FACT = 16

const CODE: Readonly<Record<Recorded, number>> = { success: 0, failure: 1, ignored: 2, refused: 3 }

/** What is recorded of a call; an exchange is one. */
export interface Past {
  readonly form: 'request' | 'connection'
  readonly idempotent: boolean
  readonly patienceMs: number
  readonly chance: number
  /** When it came to the gate. */
  readonly arrivedMs: number
}

export class Ring {
  readonly #max: number
  readonly #edges: EdgeName[] = [{ source: 'other', target: 'other' }]
  readonly #edge: Uint32Array<ArrayBuffer>
  readonly #startMs: Float64Array<ArrayBuffer>
  readonly #tookMs: Float64Array<ArrayBuffer>
  readonly #facts: Uint8Array<ArrayBuffer>
  readonly #patienceMs: Float64Array<ArrayBuffer>
  readonly #chance: Float32Array<ArrayBuffer>
  #recorded = 0

  constructor(max = RING_MAX) {
    this.#max = max
    this.#edge = new Uint32Array(max)
    this.#startMs = new Float64Array(max)
    this.#tookMs = new Float64Array(max)
    this.#facts = new Uint8Array(max)
    this.#patienceMs = new Float64Array(max)
    this.#chance = new Float32Array(max)
  }

  /** What an edge is called in this ring; asked once an edge. */
  edge(source: string, target: string): number {
    if (this.#edges.length >= RING_EDGES_MAX) return 0
    return this.#edges.push({ source, target }) - 1
  }

  record(edge: number, call: Past, result: Recorded, tookMs: number): void {
    const at = this.#recorded % this.#max
    this.#recorded += 1
    this.#edge[at] = edge
    this.#startMs[at] = call.arrivedMs
    this.#tookMs[at] = tookMs
    this.#patienceMs[at] = call.patienceMs
    this.#chance[at] = call.chance
    this.#facts[at] =
      CODE[result] |
      (call.form === 'connection' ? CONNECTION_FACT : 0) |
      (call.idempotent ? IDEMPOTENT_FACT : 0)
  }

  /** A copy, oldest first. */
  recall(id: number): Recalled {
    const kept = Math.min(this.#recorded, this.#max)
    const from = this.#recorded - kept
    const order = <T extends Uint32Array | Float64Array | Float32Array | Uint8Array>(
      given: T,
      out: T,
    ): T => {
      for (let i = 0; i < kept; i += 1) out[i] = given[(from + i) % this.#max]!
      return out
    }
    return {
      type: 'recalled',
      id,
      edges: this.#edges,
      edge: order(this.#edge, new Uint32Array(kept)),
      startMs: order(this.#startMs, new Float64Array(kept)),
      tookMs: order(this.#tookMs, new Float64Array(kept)),
      facts: order(this.#facts, new Uint8Array(kept)),
      patienceMs: order(this.#patienceMs, new Float64Array(kept)),
      chance: order(this.#chance, new Float32Array(kept)),
      forgotten: from,
    }
  }
}
