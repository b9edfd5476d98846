/**
 * Windows from nodes: looked at, added to the landscape once, kept on disk, then acknowledged. One
 * source of numbers: what is shown, judged and exported is made of these and of nothing else.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { Landscape } from '../landscape/landscape.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { WireError } from '../wire/codec.ts'
import { type Window, WindowSchema } from '../wire/gen/airspace_pb.ts'
import { isNodeName, windowFromWire } from '../wire/signals.ts'
import { SPAN_S } from './detect/usual.ts'
import { type Turn, Verdicts } from './detect/verdict.ts'
import { EdgeTotals } from './edge-totals.ts'
import { PolicyTotals } from './policy-totals.ts'
import { KEPT_MS, SIGHTINGS_MAX, type WindowStore } from './window-store.ts'

/** A node whose newest window is older does not hold back what is shown of the others. */
const LATE_MS = 4_000
/** Of a node's nonsense, one line in so long. */
const COMPLAIN_MS = 60_000
/** How far back the detectors look when we begin, to know what is usual. */
const WARM_S = 180

export class Signals {
  readonly landscape = new Landscape()
  readonly verdicts = new Verdicts()
  readonly policies = new PolicyTotals()
  readonly edges = new EdgeTotals()
  readonly #store: WindowStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #sighted = new Set<string>()
  #complainedMs = Number.NEGATIVE_INFINITY
  #lookedS = 0
  /** Windows and edges in them that could not be taken. */
  leftOut = 0
  windows = 0

  constructor(store: WindowStore, clock: Clock, log: Log) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    for (const { source, target, firstSeenMs } of store.sightings()) {
      this.landscape.recall(source, target, firstSeenMs)
      this.#sighted.add(`${source}..${target}`)
    }
    for (const { node, bytes, receivedMs } of store.load(clock.wallMs() - KEPT_MS)) {
      this.#add(node, fromBinary(WindowSchema, bytes), receivedMs)
    }
    // What was usual is learnt from what was kept; what happened then has been told already.
    const second = this.completeSecond()
    this.#lookedS = Math.max(0, second - WARM_S)
    this.look()
  }

  /** Throws a WireError when it is no window of that node. `kept`: it may be acknowledged. */
  take(node: string, window: Window, kept: () => void): void {
    if (!isNodeName(node)) throw new WireError('node', 'is not the name of a node')
    const receivedMs = this.#clock.wallMs()
    const bytes = toBinary(WindowSchema, window)
    const taken = this.#add(node, window, receivedMs)
    if (taken === 'crowded') return
    // A duplicate was kept when it came first, or waits for the disk still.
    this.#store.keep({ receivedMs, node, bytes }, kept)
  }

  /** The newest second of which every node that is on time has sent its windows. */
  completeSecond(): number {
    const nowMs = this.#clock.wallMs()
    let newestMs = Number.POSITIVE_INFINITY
    for (const node of this.landscape.nodes()) {
      if (node.newestMs >= nowMs - LATE_MS) newestMs = Math.min(newestMs, node.newestMs)
    }
    // When nobody is on time there is nothing of now: what was last seen is not shown for it.
    return Math.floor(Math.min(newestMs, nowMs - 1_000) / 1_000) - 1
  }

  /** Judges every second that has become complete; tells what began and what is over. */
  look(): Turn[] {
    const second = this.completeSecond()
    const turns: Turn[] = []
    // A clock that was set back must not keep us from looking until it has caught up.
    if (second < this.#lookedS - WARM_S) this.#lookedS = second
    this.#lookedS = Math.max(this.#lookedS, second - WARM_S)
    while (this.#lookedS < second) {
      this.#lookedS += 1
      const endMs = (this.#lookedS + 1) * 1_000
      const wide = this.landscape.between(endMs - SPAN_S * 1_000, endMs)
      const sharp = this.landscape.between(endMs - 1_000, endMs)
      turns.push(...this.verdicts.look(wide, sharp, this.#lookedS))
    }
    return turns
  }

  flush(): void {
    this.#store.flush(this.#clock.wallMs())
  }

  #add(node: string, given: Window, receivedMs: number): string {
    const { window, complaints } = windowFromWire(given)
    this.windows += 1
    if (complaints.length > 0) this.#complain(node, complaints)
    const taken = this.landscape.take(node, window, receivedMs)
    if (taken !== 'taken' && taken !== 'late') return taken
    const second = Math.floor(window.startUnixMs / 1_000)
    for (const signal of given.policies) this.policies.add(signal, second)
    for (const edge of window.edges) {
      this.edges.add(edge)
      this.#sight(edge.source, edge.target, Math.min(window.startUnixMs, receivedMs))
    }
    return taken
  }

  #sight(source: string, target: string, firstSeenMs: number): void {
    const key = `${source}..${target}`
    if (this.#sighted.has(key) || this.#sighted.size >= SIGHTINGS_MAX) return
    this.#sighted.add(key)
    this.#store.sighted({ source, target, firstSeenMs })
  }

  #complain(node: string, complaints: readonly WireError[]): void {
    this.leftOut += complaints.length
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#complainedMs < COMPLAIN_MS) return
    this.#complainedMs = nowMs
    const [first] = complaints
    this.#log.warn('signals that cannot be so are left out', { node, why: first?.message })
  }
}
