/**
 * Traffic by chance from a seed, second by second, through a real landscape into the detectors:
 * what calls come is Poisson, how long they take is spread by factors, and a fault is a change of
 * either.
 */

import { SPAN_S } from '../../control-plane/detect/usual.ts'
import { type Turn, Verdicts } from '../../control-plane/detect/verdict.ts'
import { bucketOf, emptyBuckets, pack } from '../../landscape/histogram.ts'
import { Landscape } from '../../landscape/landscape.ts'
import { type EdgeCounts, emptyCounts } from '../../landscape/signal.ts'
import type { EdgeWindow } from '../../landscape/window.ts'
import { chanceOf } from '../support/chance.ts'
import { T0 } from '../support/windows.ts'

export interface Flow {
  readonly source: string
  readonly target: string
  readonly protocol?: 'http1' | 'opaque'
  /** Calls a second; may change with time. */
  perSecond: number
  tookMs: number
  /** The part that fails. */
  failing?: number
  /** Of the target: takes everything in and lets nothing out. */
  swallows?: boolean
  /** How long callers wait before they give up, in seconds. */
  patienceS?: number
  /** Opaque: bytes a second each way, and connections open. */
  bytesIn?: number
  bytesOut?: number
  connectionsOpen?: number
  /** Some target sheds load by our own hand. */
  refusing?: number
}

interface Inside {
  endMs: number
  readonly startMs: number
}

export class Traffic {
  readonly landscape = new Landscape()
  readonly verdicts = new Verdicts()
  readonly turns: (Turn & { readonly second: number })[] = []
  readonly flows: Flow[]
  second = 0
  /** Nodes that send their windows. */
  nodes = 1
  readonly #chance: () => number
  readonly #inside = new Map<Flow, Inside[]>()

  constructor(flows: Flow[], seed = 1) {
    this.flows = flows
    this.#chance = chanceOf(seed)
  }

  run(seconds: number): void {
    for (let i = 0; i < seconds; i += 1) this.#pass()
  }

  /** 'black-hole web..router began' of each turn so far. */
  said(): string[] {
    return this.turns.map(({ began, finding, edge }) => {
      return `${finding.kind} ${edge.key} ${began ? 'began' : 'over'}`
    })
  }

  word(key: string): string {
    return this.verdicts.wordOf(key).word
  }

  #pass(): void {
    const startMs = (T0 + this.second) * 1000
    const rows = this.flows.map((flow) => this.#window(flow, startMs)).filter((row) => isSeen(row))
    for (let node = 0; node < this.nodes; node += 1) {
      const edges = node === 0 ? rows : []
      const window = {
        ...{
          epoch: 1,
          sequence: this.second + 1,
          startUnixMs: startMs + 20,
          lengthMs: 1000,
          edges,
        },
      }
      this.landscape.take(`n-${node}`, window, startMs + 1_100)
    }
    const endMs = startMs + 1000
    const wide = this.landscape.between(endMs - SPAN_S * 1000, endMs)
    const sharp = this.landscape.between(endMs - 1000, endMs)
    for (const turn of this.verdicts.look(wide, sharp, this.second)) {
      this.turns.push({ ...turn, second: this.second })
    }
    this.second += 1
  }

  #window(flow: Flow, startMs: number): EdgeWindow {
    const { source, target, protocol = 'http1' } = flow
    const counts = protocol === 'opaque' ? this.#bytes(flow) : this.#calls(flow, startMs)
    return { ...counts, source, target, protocol }
  }

  #bytes(flow: Flow): EdgeCounts {
    const spread = 0.5 + this.#chance()
    return {
      ...emptyCounts(),
      connectionsOpen: flow.connectionsOpen ?? 1,
      inFlight: flow.connectionsOpen ?? 1,
      bytesIn: Math.round((flow.bytesIn ?? 0) * spread),
      bytesOut: flow.swallows ? 0 : Math.round((flow.bytesOut ?? 0) * spread),
    }
  }

  #calls(flow: Flow, startMs: number): EdgeCounts {
    const counts = emptyCounts()
    const inside = this.#inside.get(flow) ?? []
    const buckets = emptyBuckets()
    const patienceMs = (flow.patienceS ?? 60) * 1000
    counts.started = this.#poisson(flow.perSecond)
    counts.refused = this.#poisson(flow.refusing ?? 0)
    for (let i = 0; i < counts.started; i += 1) {
      const atMs = startMs + this.#chance() * 1000
      const tookMs = flow.tookMs * Math.exp((this.#chance() + this.#chance() - 1) * 1.2)
      const endMs = flow.swallows ? Number.POSITIVE_INFINITY : atMs + tookMs
      inside.push({ startMs: atMs, endMs })
    }
    const left: Inside[] = []
    for (const call of inside) {
      if (flow.swallows && call.endMs > startMs) call.endMs = Number.POSITIVE_INFINITY
      const gaveUpMs = call.startMs + patienceMs
      if (Math.min(call.endMs, gaveUpMs) >= startMs + 1000) left.push(call)
      else if (gaveUpMs < call.endMs) counts.ignored += 1
      else {
        const us = (call.endMs - call.startMs) * 1000
        if (this.#chance() < (flow.failing ?? 0)) counts.failed += 1
        else counts.succeeded += 1
        counts.latencySumUs += us
        counts.latencyMaxUs = Math.max(counts.latencyMaxUs, us)
        buckets[bucketOf(us)]! += 1
      }
    }
    this.#inside.set(flow, left)
    counts.inFlight = left.length
    counts.latencyBuckets = pack(buckets)
    counts.bytesIn = counts.started * 300
    counts.bytesOut = (counts.succeeded + counts.failed) * 900
    return counts
  }

  #poisson(mean: number): number {
    if (mean > 50) {
      const spread = (this.#chance() + this.#chance() + this.#chance() - 1.5) * 2
      return Math.max(0, Math.round(mean + spread * Math.sqrt(mean)))
    }
    let count = 0
    for (let left = Math.exp(-mean), product = this.#chance(); product > left; count += 1) {
      product *= this.#chance()
    }
    return count
  }
}

const isSeen = (row: EdgeWindow): boolean =>
  row.started + row.refused + row.inFlight + row.connectionsOpen + row.succeeded + row.failed > 0 ||
  row.bytesIn > 0
