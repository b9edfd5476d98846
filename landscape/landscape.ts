/**
 * The last 15 minutes of all edges, merged from every node's windows: one slot a wall second of our
 * clock, each with the records that nodes sent for it. A slot is used again when its second is
 * 15 minutes past; a late window goes where it belongs as long as its slot is there.
 *
 *   second % 900 ->  [ ...812 | 813 | 814 ... ]    slot: { second, nodes, log: record record ... }
 */
import { Arrivals } from './arrivals.ts'
import { OVERFLOW, type Sighting, Sightings } from './sightings.ts'
import { addCounts, type EdgeCounts, emptyCounts } from './signal.ts'
import { Adding, type Stretch } from './stretch.ts'
import type { NodeWindow } from './window.ts'
import { WindowLog } from './window-log.ts'

/** Seconds held. */
export const WINDOWS_MAX = 900
export const EDGES_MAX = 50_000
export const NODES_MAX = 2000
/** Memory for records; beyond it the oldest second is forgotten before its time, and counted. */
export const BYTES_MAX = 256 * 1024 * 1024

/** All but `crowded` (more nodes than NODES_MAX) may be acknowledged: it will not come better. */
export type Taken = 'taken' | 'duplicate' | 'late' | 'crowded'

interface Slot {
  readonly second: number
  readonly log: WindowLog
  readonly nodes: Set<number>
}

export interface LandscapeLimits {
  readonly edgesMax?: number
  readonly nodesMax?: number
  readonly bytesMax?: number
}

export class Landscape {
  /** Seconds dropped because of bytesMax. */
  forgottenSeconds = 0
  readonly #slots: (Slot | undefined)[] = new Array(WINDOWS_MAX).fill(undefined)
  readonly #nodes = new Map<string, Arrivals>()
  readonly #names = new Map<number, string>()
  readonly #sightings: Sightings
  readonly #nodesMax: number
  readonly #bytesMax: number
  #bytes = 0
  /** The wall second it is, and the newest of which there is a window. */
  #now = 0
  #newest = 0
  #nextNode = 0

  constructor(limits: LandscapeLimits = {}) {
    this.#sightings = new Sightings(limits.edgesMax ?? EDGES_MAX)
    this.#nodesMax = limits.nodesMax ?? NODES_MAX
    this.#bytesMax = limits.bytesMax ?? BYTES_MAX
  }

  /** Windows of edges that shared `other..other`. */
  get overflowed(): number {
    return this.#sightings.overflowed
  }

  /** Memory held by records. */
  get bytes(): number {
    return this.#bytes
  }

  /** The end of the newest second of which there is a window; 0 before the first. */
  get newestMs(): number {
    return this.#newest === 0 ? 0 : (this.#newest + 1) * 1000
  }

  /** An edge seen before this process began, so that it is not taken for a new one. */
  recall(source: string, target: string, firstSeenMs: number): void {
    const number = this.#sightings.numberOf(source, target, 0)
    if (number !== OVERFLOW) this.#sightings.recall(number, firstSeenMs)
  }

  /** Takes a window once, whenever it comes. `nowUnixMs` is our wall clock. */
  take(node: string, window: NodeWindow, nowUnixMs: number): Taken {
    const arrivals = this.#arrivalsOf(node, nowUnixMs)
    if (arrivals === undefined) return 'crowded'
    arrivals.clocked(window.sentUnixMs ?? 0, nowUnixMs)
    const startMs = Math.min(arrivals.ours(window.startUnixMs), nowUnixMs)
    const endMs = Math.min(startMs + Math.max(0, window.lengthMs), nowUnixMs)
    const second = Math.floor(startMs / 1000)
    const now = Math.floor(nowUnixMs / 1000)
    this.#advance(now)
    if (!arrivals.accept(window, second)) return 'duplicate'
    // Not `<=`: a window without a time (NaN) is late for everything.
    if (!(second > now - WINDOWS_MAX)) {
      arrivals.late += 1
      return 'late'
    }
    arrivals.reached(window.epoch, endMs)
    this.#newest = Math.max(this.#newest, second)
    const slot = this.#slotOf(second)
    slot.nodes.add(arrivals.index)
    const before = slot.log.size
    for (const [edge, counts] of this.#numbered(window, startMs, endMs, nowUnixMs)) {
      slot.log.append(edge, arrivals.index, counts)
    }
    this.#bytes += slot.log.size - before
    this.#shed(second)
    return 'taken'
  }

  /** Sums of the whole seconds that begin at `fromMs` or later and before `toMs`. */
  between(fromMs: number, toMs: number): Stretch {
    const to = Math.ceil(toMs / 1000) - 1
    const last = Math.min(to, this.#newest)
    const from = Math.max(Math.ceil(fromMs / 1000), last - WINDOWS_MAX + 1)
    const adding = new Adding()
    for (let second = from; second <= last; second += 1) {
      const slot = this.#slots[second % WINDOWS_MAX]
      if (slot?.second !== second) continue
      for (const node of slot.nodes) adding.reported(node, second)
      slot.log.each((edge, node, counts) => adding.add(edge, node, counts, second))
    }
    const nameOf = (node: number): string => this.#names.get(node) ?? ''
    const at = (edge: number): Readonly<Sighting> => this.#sightings.at(edge)
    return {
      fromMs: from * 1000,
      toMs: (to + 1) * 1000,
      edges: [...adding.edges(to, at, nameOf)],
      reporting: adding.reporting(nameOf),
      gaps: this.gaps(from * 1000, (to + 1) * 1000),
    }
  }

  /** Windows known to be missing of that time, over all nodes. */
  gaps(fromMs: number, toMs: number): number {
    let gaps = 0
    for (const node of this.#nodes.values()) {
      gaps += node.gaps(Math.floor(fromMs / 1000), Math.ceil(toMs / 1000) - 1)
    }
    return gaps
  }

  /** Every edge that is remembered, those of long ago too. */
  edges(): Iterable<Readonly<Sighting>> {
    return this.#sightings.all()
  }

  edge(key: string): Readonly<Sighting> | undefined {
    return this.#sightings.find(key)
  }

  nodes(): Iterable<Readonly<Arrivals>> {
    return this.#nodes.values()
  }

  node(name: string): Readonly<Arrivals> | undefined {
    return this.#nodes.get(name)
  }

  #arrivalsOf(node: string, nowUnixMs: number): Arrivals | undefined {
    const known = this.#nodes.get(node)
    if (known !== undefined) return known
    if (this.#nodes.size >= this.#nodesMax && !this.#forgetNode(nowUnixMs)) return undefined
    const arrivals = new Arrivals(node, this.#nextNode)
    this.#nextNode += 1
    this.#nodes.set(node, arrivals)
    this.#names.set(arrivals.index, node)
    return arrivals
  }

  /** Makes room by a node of which no slot holds anything; false when there is none. */
  #forgetNode(nowUnixMs: number): boolean {
    for (const { node, index, heardMs } of this.#nodes.values()) {
      if (heardMs > nowUnixMs - WINDOWS_MAX * 1000) continue
      this.#names.delete(index)
      return this.#nodes.delete(node)
    }
    return false
  }

  /** A slot of another second is one our clock was set back from: it has no claim any more. */
  #slotOf(second: number): Slot {
    const found = this.#slots[second % WINDOWS_MAX]
    if (found?.second === second) return found
    this.#clear(second)
    const slot = { second, log: new WindowLog(), nodes: new Set<number>() }
    this.#slots[second % WINDOWS_MAX] = slot
    return slot
  }

  /** One record an edge: rows that share one (protocols, or the overflow edge) are added first. */
  #numbered(
    window: NodeWindow,
    startMs: number,
    endMs: number,
    nowUnixMs: number,
  ): Map<number, EdgeCounts> {
    const goneMs = nowUnixMs - WINDOWS_MAX * 1000
    const rows = new Map<number, EdgeCounts>()
    const sums = new Set<number>()
    for (const row of window.edges) {
      const edge = this.#sightings.numberOf(row.source, row.target, goneMs)
      this.#sightings.see(edge, row, row.protocol, startMs, endMs)
      const met = rows.get(edge)
      if (met === undefined) rows.set(edge, row)
      else if (sums.has(edge)) addCounts(met, row)
      else {
        const sum = emptyCounts()
        addCounts(sum, met)
        addCounts(sum, row)
        rows.set(edge, sum)
        sums.add(edge)
      }
    }
    return rows
  }

  /** Forgets the oldest seconds while records take more memory than they may. */
  #shed(current: number): void {
    for (let second = this.#now - WINDOWS_MAX + 1; this.#bytes > this.#bytesMax; second += 1) {
      if (second >= this.#now) return
      if (second === current || this.#slots[second % WINDOWS_MAX]?.second !== second) continue
      this.#clear(second)
      this.forgottenSeconds += 1
    }
  }

  /**
   * Our clock has come to another second: clears the slots that are out of time by it. They go
   * before their edges' numbers can be given to other edges, also when the clock is set.
   */
  #advance(now: number): void {
    const passed = Math.min(now - this.#now, WINDOWS_MAX)
    for (let second = now; second > now - passed; second -= 1) {
      if (this.#slots[second % WINDOWS_MAX]?.second !== second) this.#clear(second)
    }
    if (now < this.#now) this.#newest = Math.min(this.#newest, now)
    this.#now = now
  }

  #clear(second: number): void {
    this.#bytes -= this.#slots[second % WINDOWS_MAX]?.log.size ?? 0
    this.#slots[second % WINDOWS_MAX] = undefined
  }
}
