/**
 * The landscape's numbers for Prometheus, read when they are asked for. Only this file knows the
 * library. Counts are since we began and only grow; edges beyond a bound are counted together.
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
import type { EdgeTotal } from './edge-totals.ts'

/** Powers of two of microseconds are bounds of our own buckets, so nothing is guessed. */
const LE_US = Array.from({ length: 18 }, (_, i) => 2 ** (i + 7)) // 128 us to 16.8 s

export interface InFlight {
  readonly source: string
  readonly target: string
  readonly inFlight: number
}

export interface Refused {
  readonly intent: string
  readonly pattern: string
  readonly refused: number
}

/** What is read at each scrape. */
export interface Numbers {
  edges(): Iterable<Readonly<EdgeTotal>>
  inFlight(): Iterable<InFlight>
  refused(): Iterable<Refused>
  /** Of the control plane itself, by what they are called. */
  facts(): { readonly [name: string]: number }
}

/** What each fact means; a fact without a word here is not shown. */
const FACTS: { readonly [name: string]: string } = {
  nodes_expected: 'nodes that ought to answer',
  nodes_following: 'nodes that are heard',
  streams: 'streams that plans go down',
  revision: 'entries in the ledger',
  edition: 'of the plans that are out',
  intents: 'intents in force or releasing',
  entries_unwritten: 'entries in force that wait for the disk',
  windows: 'windows taken since the start',
  windows_unkept: 'windows that found no room to wait for the disk',
  signals_left_out: 'signals that could not be so',
  edges: 'edges ever seen',
  edges_overflowed: 'windows of edges that share one row',
  events_untold: 'turns of verdicts that were too many to tell',
  unauthenticated: 'calls without a token that is known',
}

type Ends = 'source' | 'target'
const ENDS: Ends[] = ['source', 'target']
const LATENCY = 'airspace_edge_latency_seconds'
const LATENCY_HELP = 'from the gate to the last byte, of calls that the target answered'

/** A histogram that is not observed but read from our own, finer one. */
class EdgeLatency extends Histogram<Ends> {
  readonly #edges: Numbers['edges']

  constructor(registry: Registry, edges: Numbers['edges']) {
    super({ name: LATENCY, help: LATENCY_HELP, labelNames: ENDS, registers: [registry] })
    this.#edges = edges
  }

  /** What the registry asks of a histogram when it writes text. */
  async getForPromString() {
    const values = [...this.#edges()].flatMap(seriesOf)
    return { name: LATENCY, help: LATENCY_HELP, type: 'histogram', values }
  }
}

function seriesOf({
  source,
  target,
  buckets,
  latencySumUs,
}: Readonly<EdgeTotal>): MetricValueWithName<Ends>[] {
  const values: MetricValueWithName<Ends>[] = []
  const add = (metricName: string, labels: object, value: number): void => {
    values.push({ metricName, labels: { ...labels, source, target }, value })
  }
  let [sum, bucket] = [0, 0]
  for (const us of LE_US) {
    for (; bucket < BUCKETS && lowestOf(bucket) < us; bucket += 1) sum += buckets[bucket]!
    add(`${LATENCY}_bucket`, { le: us / 1e6 }, sum)
  }
  for (; bucket < BUCKETS; bucket += 1) sum += buckets[bucket]!
  add(`${LATENCY}_bucket`, { le: '+Inf' }, sum)
  add(`${LATENCY}_sum`, {}, latencySumUs / 1e6)
  add(`${LATENCY}_count`, {}, sum)
  return values
}

export class Metrics {
  readonly #registry = new Registry()

  constructor(numbers: Numbers) {
    collectDefaultMetrics({ register: this.#registry, prefix: 'airspace_control_plane_' })
    this.#edges(numbers)
    this.#refusals(numbers)
    this.#facts(numbers)
  }

  async read(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  #edges(numbers: Numbers): void {
    const registers = [this.#registry]
    new Counter({
      name: 'airspace_edge_requests_total',
      help: 'requests, or opaque connections, by how they ended',
      labelNames: [...ENDS, 'outcome'],
      registers,
      collect() {
        this.reset()
        for (const { source, target, ...counts } of numbers.edges()) {
          this.inc({ source, target, outcome: 'success' }, counts.succeeded)
          this.inc({ source, target, outcome: 'failure' }, counts.failed)
          this.inc({ source, target, outcome: 'ignored' }, counts.ignored)
          this.inc({ source, target, outcome: 'refused' }, counts.refused)
        }
      },
    })
    new Counter({
      name: 'airspace_edge_bytes_total',
      help: 'bytes to the target (in) and from it (out)',
      labelNames: [...ENDS, 'direction'],
      registers,
      collect() {
        this.reset()
        for (const { source, target, bytesIn, bytesOut } of numbers.edges()) {
          this.inc({ source, target, direction: 'in' }, bytesIn)
          this.inc({ source, target, direction: 'out' }, bytesOut)
        }
      },
    })
    new Gauge({
      name: 'airspace_edge_in_flight',
      help: 'requests, or opaque connections, that have entered and not left',
      labelNames: ENDS,
      registers,
      collect() {
        this.reset()
        for (const { source, target, inFlight } of numbers.inFlight()) {
          this.set({ source, target }, inFlight)
        }
      },
    })
    new EdgeLatency(this.#registry, numbers.edges)
  }

  #refusals(numbers: Numbers): void {
    new Counter({
      name: 'airspace_refused_total',
      help: 'calls that an intent refused, on all nodes',
      labelNames: ['intent', 'pattern'],
      registers: [this.#registry],
      collect() {
        this.reset()
        for (const { intent, pattern, refused } of numbers.refused()) {
          this.inc({ intent, pattern }, refused)
        }
      },
    })
  }

  #facts(numbers: Numbers): void {
    for (const [name, help] of Object.entries(FACTS)) {
      new Gauge({
        name: `airspace_control_plane_${name}`,
        help,
        registers: [this.#registry],
        collect() {
          this.set(numbers.facts()[name] ?? 0)
        },
      })
    }
  }
}
