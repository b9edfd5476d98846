/**
 * Who ought to answer, and what they answered. Three numbers side by side: expected (nodes ever
 * seen and not forgotten), desired (what a node was sent), reported (what it said it enforces). A
 * node may run two processes while it is upgraded: each is a holder of shares, and the node has
 * reported a revision when both have.
 */
import { Complaint } from './complaint.ts'

export const NODES_MAX = 2_000
/** Processes of one node that are not known to be gone: the oldest is dropped beyond it. */
export const PROCESSES_MAX = 8
/** A node says something each second; after this it is silent. */
export const SILENT_MS = 3_000
/** Acknowledgements whose times are remembered, of one process. */
const ACKS_MAX = 64

export interface Mark {
  readonly revision: number
  readonly edition: number
}

export interface Refusal extends Mark {
  readonly path: string
  readonly reason: string
}

/** What a process says of itself when it follows. */
export interface Greeting extends Mark {
  readonly node: string
  readonly epoch: number
  readonly version: string
  readonly kinds: readonly string[]
  readonly workers: number
}

export class Process {
  readonly node: string
  readonly epoch: number
  /** The holder of shares. */
  readonly key: string
  greeting: Greeting
  following = true
  heardMs: number
  desired: Mark = { revision: 0, edition: 0 }
  reported: Mark = { revision: 0, edition: 0 }
  nack: Refusal | undefined
  readonly #acks: { readonly revision: number; readonly atMs: number }[] = []

  constructor(greeting: Greeting, nowMs: number) {
    this.node = greeting.node
    this.epoch = greeting.epoch
    this.key = keyOf(greeting.node, greeting.epoch)
    this.greeting = greeting
    this.heardMs = nowMs
  }

  silent(nowMs: number): boolean {
    return !this.following || nowMs - this.heardMs > SILENT_MS
  }

  ack(mark: Mark, nowMs: number): void {
    // Reported never passes desired: a word about what it was never sent says nothing.
    if (mark.revision > this.desired.revision || mark.edition > this.desired.edition) return
    if (mark.revision > this.reported.revision) this.#acks.push({ ...mark, atMs: nowMs })
    if (this.#acks.length > ACKS_MAX) this.#acks.shift()
    if (mark.edition > this.reported.edition) this.reported = mark
    if (this.nack && this.nack.edition < mark.edition) this.nack = undefined
  }

  /** When it reported that revision or a later one; undefined when it has not, or long ago. */
  reachedMs(revision: number): number | undefined {
    return this.#acks.find((ack) => ack.revision >= revision)?.atMs
  }
}

export const keyOf = (node: string, epoch: number): string => `${node}/${epoch}`

export interface Roster {
  readonly [node: string]: readonly number[]
}

/** One node as an operator sees it. */
export interface NodeState {
  readonly node: string
  readonly silent: boolean
  readonly heardMs: number
  readonly desired: Mark
  readonly reported: Mark
  readonly nack: Refusal | undefined
  /** The newest process; absent when none was heard since we began. */
  readonly newest: Process | undefined
}

const ZERO: Mark = { revision: 0, edition: 0 }

export class Fleet {
  readonly #roster = new Map<string, number[]>()
  readonly #processes = new Map<string, Process>()
  readonly #sinceMs: number
  readonly #heardMs = new Map<string, number>()

  constructor(roster: Roster, nowMs: number) {
    for (const [node, epochs] of Object.entries(roster)) this.#roster.set(node, [...epochs])
    this.#sinceMs = nowMs
  }

  /** To be kept on disk. */
  get roster(): Roster {
    return Object.fromEntries(this.#roster)
  }

  get expected(): number {
    return this.#roster.size
  }

  expects(node: string): boolean {
    return this.#roster.has(node)
  }

  /** Holders that may have shares from before we began. */
  holders(): string[] {
    return [...this.#roster].flatMap(([node, epochs]) => epochs.map((epoch) => keyOf(node, epoch)))
  }

  process(key: string): Process | undefined {
    return this.#processes.get(key)
  }

  processes(): Iterable<Process> {
    return this.#processes.values()
  }

  /** A process follows. Returns it, and the holders that it crowded out of its node. */
  join(greeting: Greeting, nowMs: number): { process: Process; gone: string[] } {
    const { node, epoch } = greeting
    if (!this.#roster.has(node) && this.#roster.size >= NODES_MAX) {
      const would = 'forget one that is gone: airspace nodes forget NODE'
      throw new Complaint('full', `node ${node}: there are ${NODES_MAX} nodes already; ${would}`)
    }
    const epochs = this.#roster.get(node) ?? []
    if (!epochs.includes(epoch)) epochs.push(epoch)
    this.#roster.set(node, epochs)
    const gone = epochs.splice(0, Math.max(0, epochs.length - PROCESSES_MAX))
    for (const each of gone) this.#processes.delete(keyOf(node, each))
    const known = this.#processes.get(keyOf(node, epoch))
    const process = known ?? new Process(greeting, nowMs)
    process.greeting = greeting
    process.following = true
    process.heardMs = nowMs
    this.#heardMs.set(node, nowMs)
    this.#processes.set(process.key, process)
    return { process, gone: gone.map((each) => keyOf(node, each)) }
  }

  /** Anything at all was heard of a node. */
  heard(node: string, nowMs: number): void {
    if (this.#roster.has(node)) this.#heardMs.set(node, nowMs)
  }

  /** The process is known to be over. The node is expected still. True when it was one of its. */
  gone(node: string, epoch: number): boolean {
    const epochs = this.#roster.get(node)
    const at = epochs?.indexOf(epoch) ?? -1
    if (at < 0) return false
    epochs!.splice(at, 1)
    this.#processes.delete(keyOf(node, epoch))
    return true
  }

  /** No longer expected. Returns its holders. */
  forget(node: string, nowMs: number): string[] {
    const epochs = this.#roster.get(node)
    if (!epochs) throw new Complaint('missing', `no node '${node}'`)
    if (!this.state(node, nowMs).silent) {
      throw new Complaint('guarded', `node ${node} is following; only a silent one is forgotten`)
    }
    this.#roster.delete(node)
    this.#heardMs.delete(node)
    const keys = epochs.map((epoch) => keyOf(node, epoch))
    for (const key of keys) this.#processes.delete(key)
    return keys
  }

  state(node: string, nowMs: number): NodeState {
    const epochs = this.#roster.get(node) ?? []
    const processes = epochs
      .map((epoch) => this.#processes.get(keyOf(node, epoch)))
      .filter((process) => process !== undefined)
    const live = processes.filter((process) => !process.silent(nowMs))
    const newest = live.at(-1) ?? processes.at(-1)
    const slowest = live.length > 0 ? live.reduce(slower) : newest
    return {
      node,
      silent: live.length === 0,
      heardMs: nowMs - (this.#heardMs.get(node) ?? this.#sinceMs),
      desired: newest?.desired ?? ZERO,
      reported: slowest?.reported ?? ZERO,
      nack: live.find(({ nack }) => nack)?.nack,
      newest,
    }
  }

  /** Every expected node, by name. */
  states(nowMs: number): NodeState[] {
    return [...this.#roster.keys()].sort().map((node) => this.state(node, nowMs))
  }

  /** How far a revision has come. */
  progress(revision: number, nowMs: number): Progress {
    const lagging = this.states(nowMs).filter(({ reported }) => reported.revision < revision)
    let lastMs = Number.NEGATIVE_INFINITY
    for (const process of this.#processes.values()) {
      lastMs = Math.max(lastMs, process.reachedMs(revision) ?? lastMs)
    }
    // Whoever is silent or has refused it will not come by waiting.
    const awaited = lagging.filter(({ silent, nack }) => !silent && !refuses(nack, revision))
    return {
      expected: this.expected,
      reported: this.expected - lagging.length,
      lastMs,
      done: awaited.length === 0,
      lagging,
    }
  }
}

const slower = (a: Process, b: Process): Process =>
  b.reported.revision < a.reported.revision ? b : a

export const refuses = (nack: Refusal | undefined, revision: number): boolean =>
  nack !== undefined && nack.revision >= revision

export interface Progress {
  readonly expected: number
  readonly reported: number
  /** When the last of those that did reported it, on the monotonic clock. */
  readonly lastMs: number
  /** On every expected node that is neither silent nor has refused it. */
  readonly done: boolean
  readonly lagging: readonly NodeState[]
}
