/**
 * Windows: each second, what all workers counted since the second before, by edge and by policy.
 * Every count is in exactly one window: what a row gained before its name was known, or before its
 * worker died, is in the next one. The sums since the start stay here, for the node's own /metrics.
 */
import { create } from '@bufbuild/protobuf'
import { emptyBuckets, pack, quantileOf } from '../landscape/histogram.ts'
import {
  type EdgeSignal,
  EdgeSignalSchema,
  type PolicySignal,
  PolicySignalSchema,
  type Window,
  WindowSchema,
} from '../wire/gen/airspace_pb.ts'
import { EDGE, OTHER, POLICY } from './meter.ts'
import { EDGE_COUNTS, MeterReader, POLICY_COUNTS, WORKER_COUNTS } from './reader.ts'
import type { FromWorker } from './thread.ts'

/** Beyond these, edges and policies are counted together as one that says so. */
export const EDGES_MAX = 4_096
export const POLICIES_MAX = 8_192
/** Each second the recent latencies weigh a tenth less: a memory of about ten seconds. */
const RECENT_KEEP = 0.9

type RowMessage = Extract<FromWorker, { readonly type: 'row' }>

interface Row {
  readonly reader: MeterReader
  readonly row: number
}

/** One edge and protocol, over all workers. */
export interface EdgeTotal {
  readonly source: string
  readonly target: string
  readonly protocol: string
  /** Since the process started, by EDGE; gauges are of the last cut. */
  readonly counts: Float64Array
  readonly buckets: Float64Array
  /** Of about the last ten seconds. */
  readonly recent: Float64Array
}

export interface PolicyTotal {
  readonly id: string
  readonly source: string
  readonly target: string
  /** Since the process started, by POLICY. */
  readonly counts: Float64Array
  /** In the last window. */
  readonly latest: Float64Array
}

type Tally<T> = T & { readonly rows: Row[] }

export class Windows {
  readonly edges = new Map<string, Tally<EdgeTotal>>()
  readonly policies = new Map<string, Tally<PolicyTotal>>()
  /** Of the workers as wholes since the start, by WORKER; gauges are of the last cut. */
  readonly workers = new Float64Array(WORKER_COUNTS)
  readonly #epoch: bigint
  readonly #node: string
  readonly #readers = new Map<number, { reader: MeterReader; edges: number; policies: number }>()
  readonly #dead = new Set<MeterReader>()
  readonly #counts = new Float64Array(EDGE_COUNTS)
  readonly #buckets = emptyBuckets()
  #sequence = 0n
  #fromMs: number
  overflowed = 0

  constructor(node: string, epoch: bigint, nowMs: number) {
    this.#node = node
    this.#epoch = epoch
    this.#fromMs = nowMs
  }

  began(worker: number, memory: SharedArrayBuffer): void {
    const reader = new MeterReader(memory)
    this.#readers.set(worker, { reader, edges: 1, policies: 1 })
    this.#edge(OTHER, OTHER, OTHER).rows.push({ reader, row: 0 })
    this.#policy('', OTHER, OTHER).rows.push({ reader, row: 0 })
  }

  named(worker: number, message: RowMessage): void {
    const known = this.#readers.get(worker)
    if (!known) return
    const { reader } = known
    const { row, source, target } = message
    if (message.table === 'edge') {
      known.edges = Math.max(known.edges, row + 1)
      this.#edge(source, target, message.protocol).rows.push({ reader, row })
    } else {
      // A row whose intent is gone is given to another: from now on it is that one's alone.
      if (row < known.policies)
        for (const { rows } of this.policies.values()) drop(rows, reader, row)
      known.policies = Math.max(known.policies, row + 1)
      this.#policy(message.id, source, target).rows.push({ reader, row })
    }
  }

  died(worker: number): void {
    const known = this.#readers.get(worker)
    if (!known) return
    const { reader } = known
    reader.dead = true
    this.#readers.delete(worker)
    this.#dead.add(reader)
    // Rows whose names it took to its grave.
    for (const row of reader.usedEdges(known.edges)) {
      this.#edge(OTHER, OTHER, OTHER).rows.push({ reader, row })
    }
    for (const row of reader.usedPolicies(known.policies)) {
      this.#policy('', OTHER, OTHER).rows.push({ reader, row })
    }
  }

  cut(nowMs: number, wallMs: number): Window {
    this.workers.fill(0, 1, 3) // the gauges, WORKER.connections and WORKER.delayed
    for (const { reader } of this.#readers.values()) reader.addWorker(this.workers)
    for (const reader of this.#dead) reader.addWorker(this.workers)
    const edges: EdgeSignal[] = []
    for (const edge of this.edges.values()) {
      const signal = this.#cutEdge(edge, nowMs)
      if (signal) edges.push(signal)
    }
    const policies: PolicySignal[] = []
    for (const policy of this.policies.values()) {
      const signal = this.#cutPolicy(policy)
      if (signal) policies.push(signal)
    }
    this.#forgetDead()
    const lengthMs = nowMs - this.#fromMs
    this.#fromMs = nowMs
    this.#sequence += 1n
    return create(WindowSchema, {
      node: this.#node,
      epoch: this.#epoch,
      sequence: this.#sequence,
      startUnixMs: wallMs - lengthMs,
      lengthMs,
      edges,
      policies,
    })
  }

  /** The median latency of some edges in the last seconds, in ms; 0 while nothing is known. */
  medianMs(edges: Iterable<EdgeTotal>): number {
    const sum = emptyBuckets()
    for (const { recent } of edges) {
      for (let bucket = 0; bucket < sum.length; bucket++) sum[bucket]! += recent[bucket]!
    }
    const us = quantileOf(sum, 0.5)
    return Number.isNaN(us) ? 0 : us / 1000
  }

  #edge(source: string, target: string, protocol: string): Tally<EdgeTotal> {
    const key = `${source}\u0000${target}\u0000${protocol}`
    const known = this.edges.get(key)
    if (known) return known
    if (this.edges.size >= EDGES_MAX && protocol !== OTHER) {
      this.overflowed += 1
      return this.#edge(OTHER, OTHER, OTHER)
    }
    const counts = new Float64Array(EDGE_COUNTS)
    const [buckets, recent] = [emptyBuckets(), emptyBuckets()]
    const edge = { source, target, protocol, counts, buckets, recent, rows: [] }
    this.edges.set(key, edge)
    return edge
  }

  #policy(id: string, source: string, target: string): Tally<PolicyTotal> {
    const key = `${id}\u0000${source}\u0000${target}`
    const known = this.policies.get(key)
    if (known) return known
    if (this.policies.size >= POLICIES_MAX && id !== '') {
      this.overflowed += 1
      return this.#policy('', OTHER, OTHER)
    }
    const [counts, latest] = [new Float64Array(POLICY_COUNTS), new Float64Array(POLICY_COUNTS)]
    const policy = { id, source, target, counts, latest, rows: [] }
    this.policies.set(key, policy)
    return policy
  }

  #cutEdge(edge: Tally<EdgeTotal>, nowMs: number): EdgeSignal | undefined {
    const now = this.#counts.fill(0)
    const buckets = this.#buckets.fill(0)
    for (const { reader, row } of edge.rows) reader.addEdge(row, now, buckets)
    const { counts } = edge
    let busy = now[EDGE.inFlight]! > 0
    for (let i = 0; i < EDGE_COUNTS; i++) {
      if (i === EDGE.inFlight || i === EDGE.inFlightMax) counts[i] = now[i]!
      else if (i === EDGE.latencyMaxUs || i === EDGE.lastByteMs) {
        counts[i] = Math.max(counts[i]!, now[i]!)
      } else {
        counts[i]! += now[i]!
        busy ||= now[i] !== 0
      }
    }
    this.#remember(edge, buckets, now[EDGE.succeeded]! + now[EDGE.failed]! > 0)
    const connectionsOpen = counts[EDGE.connections]! - counts[EDGE.connectionsClosed]!
    if (!busy && connectionsOpen <= 0) return undefined
    return create(EdgeSignalSchema, {
      source: edge.source,
      target: edge.target,
      protocol: edge.protocol,
      started: BigInt(now[EDGE.started]!),
      succeeded: BigInt(now[EDGE.succeeded]!),
      failed: BigInt(now[EDGE.failed]!),
      ignored: BigInt(now[EDGE.ignored]!),
      refused: BigInt(now[EDGE.refused]!),
      connections: BigInt(now[EDGE.connections]!),
      bytesIn: now[EDGE.bytesIn]!,
      bytesOut: now[EDGE.bytesOut]!,
      inFlight: Math.max(0, now[EDGE.inFlight]!),
      inFlightMax: Math.max(0, now[EDGE.inFlightMax]!),
      connectionsOpen: Math.max(0, connectionsOpen),
      latencyMaxUs: Math.min(now[EDGE.latencyMaxUs]!, 0xffff_ffff),
      latencySumUs: now[EDGE.latencySumUs]!,
      latencyBuckets: pack(buckets),
      idleMs: Math.max(0, nowMs - counts[EDGE.lastByteMs]!),
    })
  }

  #remember(edge: EdgeTotal, buckets: Float64Array, any: boolean): void {
    if (!any && edge.counts[EDGE.latencySumUs] === 0) return
    for (let bucket = 0; bucket < buckets.length; bucket++) {
      edge.buckets[bucket]! += buckets[bucket]!
      edge.recent[bucket] = edge.recent[bucket]! * RECENT_KEEP + buckets[bucket]!
    }
  }

  #cutPolicy(policy: Tally<PolicyTotal>): PolicySignal | undefined {
    const now = policy.latest.fill(0)
    for (const { reader, row } of policy.rows) reader.addPolicy(row, now)
    for (let i = 0; i < POLICY_COUNTS; i++) policy.counts[i]! += now[i]!
    if (now.every((count) => count === 0)) return undefined
    return create(PolicySignalSchema, {
      id: policy.id,
      source: policy.source,
      target: policy.target,
      matched: BigInt(now[POLICY.matched]!),
      refused: BigInt(now[POLICY.refused]!),
      delayed: BigInt(now[POLICY.delayed]!),
      delayedMs: now[POLICY.delayedMs]!,
      wouldRefuse: BigInt(now[POLICY.wouldRefuse]!),
      wouldDelay: BigInt(now[POLICY.wouldDelay]!),
      cut: BigInt(now[POLICY.cut]!),
      wouldCut: BigInt(now[POLICY.wouldCut]!),
    })
  }

  #forgetDead(): void {
    if (this.#dead.size === 0) return
    for (const { rows } of [...this.edges.values(), ...this.policies.values()]) {
      const alive = rows.filter(({ reader }) => !this.#dead.has(reader))
      rows.splice(0, rows.length, ...alive)
    }
    this.#dead.clear()
  }
}

function drop(rows: Row[], reader: MeterReader, row: number): void {
  const at = rows.findIndex((one) => one.reader === reader && one.row === row)
  if (at >= 0) rows.splice(at, 1)
}
