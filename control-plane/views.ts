/**
 * What operators are shown, made of what is known: each answer says how whole and how old it is.
 * Nothing is kept here; a rate is for whoever shows it to compute.
 */
import { create } from '@bufbuild/protobuf'
import type { Directory } from '../landscape/directory.ts'
import type { Edge } from '../landscape/edge.ts'
import { OTHER } from '../landscape/service.ts'
import { EVERYTHING, type ServiceSet } from '../landscape/service-set.ts'
import { addCounts, emptyCounts, latencyOf } from '../landscape/signal.ts'
import type { EdgeSum, Stretch } from '../landscape/stretch.ts'
import type { Clock } from '../runtime/clock.ts'
import {
  type EdgeView,
  EdgeViewSchema,
  type Freshness,
  FreshnessSchema,
  type Landscape,
  LandscapeSchema,
  type NodeView,
  NodeViewSchema,
  type Services,
  ServicesSchema,
} from '../wire/gen/airspace_pb.ts'
import { edgeToWire } from '../wire/signals.ts'
import type { Coverage } from './coverage.ts'
import { VERDICTS } from './detect/finding.ts'
import type { Fleet, NodeState } from './fleet.ts'
import type { Signals } from './signals.ts'

/** Rows of one answer: what is beyond is added up in one row, so that sums stay exact. */
export const EDGES_MAX = 2_000
export const WINDOW_MS_MIN = 1_000
export const WINDOW_MS_MAX = 900_000
/** A node whose newest window is older does not report. */
const REPORTING_MS = 4_000
const TREND_PARTS = 8
/** A longer stretch is walked once, not once more for its parts. */
const TREND_MS_MAX = 300_000
const SERVICES_WINDOW_MS = 60_000

export interface Sources {
  readonly fleet: Fleet
  readonly signals: Signals
  readonly coverage: Coverage
  readonly directory: () => Directory
  readonly clock: Clock
}

export class Views {
  readonly #of: Sources

  constructor(sources: Sources) {
    this.#of = sources
  }

  /** The newest stretch of that length of which the nodes that are on time have sent all. */
  stretch(windowMs: number): Stretch {
    const { landscape } = this.#of.signals
    const toMs = (this.#of.signals.completeSecond() + 1) * 1_000
    return landscape.between(toMs - windowMs, toMs)
  }

  freshness(gaps = 0): Freshness {
    const { fleet, signals, clock } = this.#of
    const nowMs = clock.wallMs()
    let [oldestMs, skewMs, reporting] = [0, 0, 0]
    const silent: string[] = []
    for (const { node } of fleet.states(clock.nowMs())) {
      const arrivals = signals.landscape.node(node)
      const ageMs = arrivals ? nowMs - arrivals.newestMs : Number.POSITIVE_INFINITY
      if (ageMs > REPORTING_MS) silent.push(node)
      else {
        reporting += 1
        oldestMs = Math.max(oldestMs, ageMs)
      }
      if (arrivals && Math.abs(arrivals.skewMs) > Math.abs(skewMs)) skewMs = arrivals.skewMs
    }
    const expected = fleet.expected
    return create(FreshnessSchema, {
      ...{ expected, reporting, oldestMs, silent, skewMs, gaps: BigInt(gaps) },
    })
  }

  landscape(from: ServiceSet, to: ServiceSet, windowMs: number): Landscape {
    const stretch = this.stretch(windowMs)
    const sums = stretch.edges.filter(({ edge }) => this.#within(edge, from, to))
    const silent = this.#unseen(sums, from, to)
    const all = [...sums, ...silent].sort((a, b) => this.#worse(a, b))
    const trends = this.#trends(stretch, windowMs)
    const shown = all.slice(0, EDGES_MAX).map((sum) => this.edge(sum, trends))
    const rest = all.slice(EDGES_MAX)
    return create(LandscapeSchema, {
      freshness: this.freshness(stretch.gaps),
      fromUnixMs: stretch.fromMs,
      toUnixMs: stretch.toMs,
      edges: rest.length > 0 ? [...shown, restOf(rest)] : shown,
    })
  }

  edge(sum: EdgeSum, trends: ReadonlyMap<string, number[]> = new Map()): EdgeView {
    const { edge, counts, protocol, firstSeenMs, nodes } = sum
    const { word, why } = this.#of.signals.verdicts.wordOf(edge.key)
    return create(EdgeViewSchema, {
      signal: edgeToWire(counts, edge.source, edge.target, protocol),
      ...{ verdict: word, why, nodes, firstSeenUnixMs: firstSeenMs },
      patterns: [...this.#of.coverage.on(edge)],
      trend: trends.get(edge.key) ?? [],
    })
  }

  /** Those of which something bad is to be said, worst first. */
  trouble(most: number): EdgeView[] {
    const stretch = this.stretch(10_000)
    const bad = ({ edge }: EdgeSum): boolean =>
      VERDICTS.indexOf(this.#of.signals.verdicts.wordOf(edge.key).word) < VERDICTS.indexOf('new')
    const sums = [...stretch.edges, ...this.#unseen(stretch.edges, EVERYTHING, EVERYTHING)]
    const worst = sums.filter(bad).sort((a, b) => this.#worse(a, b))
    return worst.slice(0, most).map((sum) => this.edge(sum))
  }

  nodes(): NodeView[] {
    return this.#of.fleet.states(this.#of.clock.nowMs()).map((state) => this.#node(state))
  }

  services(set: ServiceSet): Services {
    const stretch = this.stretch(SERVICES_WINDOW_MS)
    const calls = new Map<string, { in: number; out: number }>()
    const at = (name: string) => {
      const found = calls.get(name) ?? { in: 0, out: 0 }
      calls.set(name, found)
      return found
    }
    for (const { edge } of stretch.edges) {
      at(edge.source).out += 1
      at(edge.target).in += 1
    }
    const services = this.#of.coverage.services().filter((service) => set.has(service))
    services.sort((a, b) => (a.name < b.name ? -1 : 1))
    return create(ServicesSchema, {
      freshness: this.freshness(stretch.gaps),
      services: services.slice(0, EDGES_MAX).map(({ name, labels, addresses, known }) => ({
        ...{ name, labels: { ...labels }, addresses: [...(addresses ?? [])], known },
        calledBy: calls.get(name)?.in ?? 0,
        calls: calls.get(name)?.out ?? 0,
      })),
    })
  }

  #node(state: NodeState): NodeView {
    const { node, silent, heardMs, desired, reported, nack, newest } = state
    const arrivals = this.#of.signals.landscape.node(node)
    const nowMs = this.#of.clock.wallMs()
    return create(NodeViewSchema, {
      ...{ node, heardMs, expected: true, state: silent ? 'silent' : 'following' },
      epoch: BigInt(newest?.epoch ?? 0),
      desired: BigInt(desired.revision),
      reported: BigInt(reported.revision),
      editionDesired: BigInt(desired.edition),
      editionReported: BigInt(reported.edition),
      windowMs: arrivals ? Math.max(0, nowMs - arrivals.newestMs) : Number.POSITIVE_INFINITY,
      skewMs: arrivals?.skewMs ?? 0,
      version: newest?.greeting.version ?? '',
      workers: newest?.greeting.workers ?? 0,
      nack: nack ? `revision ${nack.revision}: ${nack.path}: ${nack.reason}` : '',
      gaps: BigInt((arrivals?.lost ?? 0) + (arrivals?.gaps(0, nowMs / 1_000) ?? 0)),
    })
  }

  #within({ source, target }: Edge, from: ServiceSet, to: ServiceSet): boolean {
    const directory = this.#of.directory()
    return from.has(directory.byName(source)) && to.has(directory.byName(target))
  }

  /** An edge that has gone quiet is no row of any stretch, and is what one looks for. */
  #unseen(seen: readonly EdgeSum[], from: ServiceSet, to: ServiceSet): EdgeSum[] {
    const { verdicts, landscape } = this.#of.signals
    const keys = new Set(seen.map(({ edge }) => edge.key))
    const missing: EdgeSum[] = []
    for (const edge of verdicts.notable()) {
      const sighting = landscape.edge(edge.key)
      if (keys.has(edge.key) || !sighting || !this.#within(edge, from, to)) continue
      missing.push({ ...sighting, counts: emptyCounts(), nodes: 0, inFlightAt: new Map() })
    }
    return missing
  }

  #worse(a: EdgeSum, b: EdgeSum): number {
    const { verdicts } = this.#of.signals
    const gravity = ({ edge }: EdgeSum): number => VERDICTS.indexOf(verdicts.wordOf(edge.key).word)
    return gravity(a) - gravity(b) || b.counts.started - a.counts.started
  }

  /** p99 in ms of up to eight parts of the stretch, by edge; 0 where none ended. */
  #trends({ fromMs, toMs }: Stretch, windowMs: number): Map<string, number[]> {
    const trends = new Map<string, number[]>()
    if (windowMs > TREND_MS_MAX) return trends
    const parts = Math.min(TREND_PARTS, Math.floor(windowMs / 1_000))
    const partMs = Math.floor(windowMs / parts / 1_000) * 1_000
    for (let part = 0; part < parts; part += 1) {
      const endMs = toMs - (parts - 1 - part) * partMs
      const { edges } = this.#of.signals.landscape.between(Math.max(fromMs, endMs - partMs), endMs)
      for (const { edge, counts } of edges) {
        const trend = trends.get(edge.key) ?? new Array<number>(parts).fill(0)
        trend[part] = latencyOf(counts, 0.99) / 1_000 || 0
        trends.set(edge.key, trend)
      }
    }
    return trends
  }
}

function restOf(sums: readonly EdgeSum[]): EdgeView {
  const counts = emptyCounts()
  for (const sum of sums) addCounts(counts, sum.counts)
  return create(EdgeViewSchema, {
    signal: edgeToWire(counts, OTHER, OTHER, ''),
    verdict: 'normal',
    why: `${sums.length} edges that found no room in this answer`,
  })
}
