/**
 * The node's numbers for Prometheus, read when they are asked for: nothing is counted twice, so
 * they cannot differ from what goes to the control plane. Only this file knows the library. Series
 * are bounded: edges beyond the first so many are counted together, and sums stay exact.
 */
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricValueWithName,
  Registry,
} from '@prometheus-io/client'
import { BUCKETS, lowestOf } from '../landscape/histogram.ts'
import { EDGE, OTHER, POLICY, WORKER } from './meter.ts'
import { EDGE_COUNTS } from './reader.ts'
import type { EdgeTotal, Windows } from './window.ts'

/** Four outcomes each: 2,000 series an instrument. */
export const EDGES_SHOWN_MAX = 500
export const INTENTS_SHOWN_MAX = 1_000
/** Powers of two of microseconds are bounds of our own buckets, so nothing is guessed. */
const LE_US = Array.from({ length: 18 }, (_, i) => 2 ** (i + 7)) // 128 us to 16.8 s

/** Numbers of the proxy itself that no meter holds, by what they are called. */
export interface Facts {
  readonly workersListening: number
  readonly workerDeaths: number
  readonly windowsBuffered: number
  readonly windowsForgotten: number
  readonly cellsUsed: number
  readonly cellsOverflowed: number
  readonly revision: number
  readonly edition: number
  readonly planKept: boolean
  readonly following: boolean
}

type Ends = 'source' | 'target'

interface Shown {
  readonly source: string
  readonly target: string
  readonly counts: Float64Array
  readonly buckets: Float64Array
}

const OUTCOMES = [
  ['success', EDGE.succeeded],
  ['failure', EDGE.failed],
  ['ignored', EDGE.ignored],
  ['refused', EDGE.refused],
] as const

/** Edges as they are shown: protocols together, and those beyond the bound as `other`. */
export function shownEdges(edges: Iterable<EdgeTotal>): readonly Shown[] {
  const shown = new Map<string, Shown>()
  for (const { source, target, counts, buckets } of edges) {
    const key = `${source}\u0000${target}`
    const own = shown.has(key) || shown.size < EDGES_SHOWN_MAX
    const name = own ? { source, target } : { source: OTHER, target: OTHER }
    const at = `${name.source}\u0000${name.target}`
    let into = shown.get(at)
    if (!into) {
      const fresh = { counts: new Float64Array(EDGE_COUNTS), buckets: new Float64Array(BUCKETS) }
      into = { ...name, ...fresh }
      shown.set(at, into)
    }
    for (let i = 0; i < EDGE_COUNTS; i++) into.counts[i]! += counts[i]!
    for (let i = 0; i < BUCKETS; i++) into.buckets[i]! += buckets[i]!
  }
  // What nothing was ever counted on is not worth a line.
  return [...shown.values()].filter(({ counts }) => counts.some((count) => count !== 0))
}

const LATENCY = 'airspace_edge_latency_seconds'
const LATENCY_HELP = 'from the gate to the last byte, of calls that the target answered'

/** A histogram that is not observed but read from our own, finer one. */
class EdgeLatency extends Histogram<Ends> {
  readonly #edges: () => readonly Shown[]

  constructor(registry: Registry, edges: () => readonly Shown[]) {
    const labelNames: Ends[] = ['source', 'target']
    super({ name: LATENCY, help: LATENCY_HELP, labelNames, registers: [registry] })
    this.#edges = edges
  }

  /** What the registry asks of a histogram when it writes text. */
  async getForPromString() {
    const values = this.#edges().flatMap(seriesOf)
    return { name: LATENCY, help: LATENCY_HELP, type: 'histogram', values }
  }
}

function seriesOf({ source, target, counts, buckets }: Shown): MetricValueWithName<Ends>[] {
  const values: MetricValueWithName<Ends>[] = []
  const add = (metricName: string, labels: object, value: number) =>
    values.push({ metricName, labels: { ...labels, source, target }, value })
  let [sum, bucket] = [0, 0]
  for (const us of LE_US) {
    for (; bucket < BUCKETS && lowestOf(bucket) < us; bucket++) sum += buckets[bucket]!
    add(`${LATENCY}_bucket`, { le: us / 1e6 }, sum)
  }
  for (; bucket < BUCKETS; bucket++) sum += buckets[bucket]!
  add(`${LATENCY}_bucket`, { le: '+Inf' }, sum)
  add(`${LATENCY}_sum`, {}, counts[EDGE.latencySumUs]! / 1e6)
  add(`${LATENCY}_count`, {}, sum)
  return values
}

export class Metrics {
  readonly #registry = new Registry()

  constructor(windows: Windows, facts: () => Facts, kindOf: (id: string) => string | undefined) {
    collectDefaultMetrics({ register: this.#registry, prefix: 'airspace_proxy_' })
    this.#edges(() => shownEdges(windows.edges.values()))
    this.#refusals(windows, kindOf)
    this.#workers(windows)
    this.#facts(facts)
  }

  async read(): Promise<{ type: string; text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  #edges(edges: () => readonly Shown[]): void {
    const registers = [this.#registry]
    new Counter({
      name: 'airspace_edge_requests_total',
      help: 'requests, or opaque connections, by how they ended',
      labelNames: ['source', 'target', 'outcome'],
      registers,
      collect() {
        this.reset()
        for (const { source, target, counts } of edges()) {
          for (const [outcome, at] of OUTCOMES) this.inc({ source, target, outcome }, counts[at]!)
        }
      },
    })
    new Counter({
      name: 'airspace_edge_bytes_total',
      help: 'bytes to the target (in) and from it (out)',
      labelNames: ['source', 'target', 'direction'],
      registers,
      collect() {
        this.reset()
        for (const { source, target, counts } of edges()) {
          this.inc({ source, target, direction: 'in' }, counts[EDGE.bytesIn]!)
          this.inc({ source, target, direction: 'out' }, counts[EDGE.bytesOut]!)
        }
      },
    })
    new Gauge({
      name: 'airspace_edge_in_flight',
      help: 'requests, or opaque connections, that have entered and not left',
      labelNames: ['source', 'target'],
      registers,
      collect() {
        this.reset()
        for (const { source, target, counts } of edges()) {
          this.set({ source, target }, counts[EDGE.inFlight]!)
        }
      },
    })
    new EdgeLatency(this.#registry, edges)
  }

  #refusals(windows: Windows, kindOf: (id: string) => string | undefined): void {
    new Counter({
      name: 'airspace_refused_total',
      help: 'calls that an intent refused on this node',
      labelNames: ['intent', 'pattern'],
      registers: [this.#registry],
      collect() {
        this.reset()
        const refused = new Map<string, number>()
        for (const { id, counts } of windows.policies.values()) {
          const own = refused.has(id) || refused.size < INTENTS_SHOWN_MAX
          const key = own && id !== '' ? id : OTHER
          refused.set(key, (refused.get(key) ?? 0) + counts[POLICY.refused]!)
        }
        for (const [intent, count] of refused) {
          const pattern = kindOf(intent) ?? OTHER
          if (intent !== OTHER || count > 0) this.inc({ intent, pattern }, count)
        }
      },
    })
  }

  #workers(windows: Windows): void {
    const registers = [this.#registry]
    const help = (name: string) => `${name.replaceAll('_', ' ')}, all workers`
    const totals = {
      connections_accepted: WORKER.accepted,
      malformed_messages: WORKER.malformed,
      overloaded: WORKER.overloaded,
      severed: WORKER.severed,
      edges_overflowed: WORKER.edgesOverflowed,
      policies_overflowed: WORKER.policiesOverflowed,
      bytes_copied: WORKER.bytesCopied,
    }
    for (const [name, at] of Object.entries(totals)) {
      new Counter({
        name: `airspace_proxy_${name}_total`,
        help: help(name),
        registers,
        collect() {
          this.reset()
          this.inc(windows.workers[at]!)
        },
      })
    }
    for (const [name, at] of [
      ['connections', WORKER.connections],
      ['delayed', WORKER.delayed],
    ] as const) {
      new Gauge({
        name: `airspace_proxy_${name}`,
        help: help(name),
        registers,
        collect() {
          this.set(windows.workers[at]!)
        },
      })
    }
  }

  #facts(facts: () => Facts): void {
    const gauges: { readonly [name: string]: readonly [string, (facts: Facts) => number] } = {
      workers_listening: ['workers that accept', (f) => f.workersListening],
      worker_deaths: ['workers that ended unasked, since the start', (f) => f.workerDeaths],
      windows_buffered: ['windows not yet acknowledged', (f) => f.windowsBuffered],
      windows_forgotten: ['windows dropped before they were sent', (f) => f.windowsForgotten],
      cells_used: ['rows of cells in use', (f) => f.cellsUsed],
      cells_overflowed: ['times that no row was left', (f) => f.cellsOverflowed],
      plan_revision: ['of the plan in force', (f) => f.revision],
      plan_edition: ['of the plan in force', (f) => f.edition],
      plan_kept: ['1 while what is in force is on disk', (f) => Number(f.planKept)],
      following: ['1 while the control plane is heard', (f) => Number(f.following)],
    }
    for (const [name, [help, read]] of Object.entries(gauges)) {
      new Gauge({
        name: `airspace_proxy_${name}`,
        help,
        registers: [this.#registry],
        collect() {
          this.set(read(facts()))
        },
      })
    }
  }
}
