/**
 * The workers. Main starts them, tells each the same, and replaces one that ends before it was
 * asked to: the others do not notice, what waits in the kernel's queue is accepted by whoever is
 * left, and the new one begins with the plan and the directory of now. A worker that does not
 * answer to a plan is ended too: what hangs carries no traffic.
 */
import { Worker } from 'node:worker_threads'
import { Backoff } from '../runtime/backoff.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Descriptor } from './descriptors.ts'
import { metersBytes } from './meter.ts'
import type { Bound, FromWorker, Limits, ListenerSpec, ToWorker, WorkerStart } from './thread.ts'

/** Buffers live outside: this bounds what our own mistakes may hold. */
export const WORKER_HEAP_MB = 256
/** A worker takes a plan within a turn of its loop: after so long it hangs. */
export const ANSWER_WAIT_MS = 10_000
/** Loading and listening takes a fraction of a second, more on a machine that is out of breath. */
const START_WAIT_MS = 30_000
/** One that lived this long may be replaced at once, however often others died. */
const SETTLED_MS = 1_000
const REPLACE_LEAST_MS = 50
const REPLACE_MOST_MS = 5_000
/** Beyond the grace of a drain, for the last words. */
const FAREWELL_MS = 1_000

/** A listener as every worker gets it, and the descriptor that theirs are duplicates of. */
export interface Listener {
  readonly descriptor: Descriptor
  readonly spec: Omit<ListenerSpec, 'fd'>
}

export interface CrewOptions {
  readonly workers: number
  readonly entry: URL
  readonly cells: SharedArrayBuffer
  readonly listeners: readonly Listener[]
  readonly limits?: Partial<Limits>
  readonly clock: Clock
  readonly log: Log
  /** ANSWER_WAIT_MS, unless a test is in a hurry. */
  readonly answerWaitMs?: number
  /** A worker has begun: its meters are read from now on. */
  readonly began: (worker: number, meters: SharedArrayBuffer) => void
  readonly said: (worker: number, message: FromWorker) => void
  /** A worker has ended that should not have. `asked`: a test made it do so. */
  readonly died: (worker: number, asked: boolean) => void
}

type Answer = Extract<FromWorker, { readonly id: number; readonly type: 'recalled' | 'living' }>

interface Member {
  readonly worker: number
  readonly thread: Worker
  readonly bornMs: number
  epoch: number
  listening: boolean
  drained: boolean
  asked: boolean
  why: string
}

interface Waiting {
  /** True when nothing is left to wait for. */
  readonly done: () => boolean
  readonly resolve: () => void
  timer?: NodeJS.Timeout
}

export class Crew {
  readonly #options: CrewOptions
  readonly #members: (Member | undefined)[] = []
  readonly #backoffs: Backoff[] = []
  readonly #answers = new Map<number, Map<number, Answer>>()
  readonly #waiting = new Set<Waiting>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #bound: Bound | undefined
  #directory: unknown
  #asked = 0 // ids of questions
  #started = false
  #draining = false
  #stopping = false
  deaths = 0
  lastDeath = ''

  constructor(options: CrewOptions) {
    this.#options = options
  }

  /** Workers that accept now. */
  get listening(): number {
    return this.#members.filter((member) => member?.listening).length
  }

  /** Resolves when all accept; false if one ended before it did. */
  async start(bound: Bound | undefined, directory: unknown): Promise<boolean> {
    this.#stopping = false
    this.#bound = bound
    this.#directory = directory
    for (let worker = 0; worker < this.#options.workers; worker++) {
      this.#backoffs[worker] = new Backoff(REPLACE_LEAST_MS, REPLACE_MOST_MS)
      this.#begin(worker)
    }
    let ended = false
    const began = await this.#until(() => {
      ended ||= this.#members.includes(undefined)
      return ended || this.listening === this.#options.workers
    }, START_WAIT_MS)
    if (!began) this.lastDeath = `no word for ${START_WAIT_MS} ms`
    this.#started = began && !ended
    return this.#started
  }

  /** Resolves when every worker enforces it. One that does not answer is replaced. */
  async give(bound: Bound): Promise<void> {
    this.#bound = bound
    this.#tell({ type: 'plan', ...bound })
    const all = () =>
      this.#draining ||
      this.#stopping ||
      (this.#members.every((member) => member !== undefined && member.epoch >= bound.epoch) &&
        this.#members.length === this.#options.workers)
    while (!all()) {
      if (await this.#until(all, this.#options.answerWaitMs ?? ANSWER_WAIT_MS)) continue
      for (const member of this.#members) {
        if (!member || member.epoch >= bound.epoch) continue
        // One that has only just begun is not deaf, it is still loading.
        const isNew = this.#options.clock.nowMs() - member.bornMs < START_WAIT_MS
        if (member.listening || !isNew) this.#end(member, 'took no plan in time')
      }
    }
  }

  direct(directory: unknown): void {
    this.#directory = directory
    this.#tell({ type: 'directory', directory })
  }

  /** Asks all for what they recorded, or what is alive; who is late with it is left out. */
  async ask<T extends Answer['type']>(
    type: T extends 'recalled' ? 'recall' : 'live',
    waitMs: number,
  ): Promise<readonly Extract<Answer, { type: T }>[]> {
    this.#asked += 1
    const id = this.#asked
    const answers = new Map<number, Answer>()
    this.#answers.set(id, answers)
    this.#tell({ type, id })
    await this.#until(
      () => this.#members.every((member) => !member || answers.has(member.worker)),
      waitMs,
    )
    this.#answers.delete(id)
    return [...answers.values()] as Extract<Answer, { type: T }>[]
  }

  /** Makes one die, for tests: see AIRSPACE_FAULTS. `asked` deaths are not held against a plan. */
  crash(worker: number, how: 'throw' | 'heap' | 'terminate', asked: boolean): boolean {
    const member = this.#members[worker]
    if (!member) return false
    member.asked = asked
    if (how === 'terminate') this.#end(member, 'terminated')
    else member.thread.postMessage({ type: 'crash', how } satisfies ToWorker)
    return true
  }

  /** Resolves when all have let go, or when the grace is over. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true
    this.#settle()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#tell({ type: 'drain', graceMs })
    await this.#until(
      () => this.#members.every((member) => !member || member.drained),
      graceMs + FAREWELL_MS,
    )
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#members.map((member) => member?.thread.terminate()))
    this.#settle()
  }

  #begin(worker: number): void {
    const { entry, cells, listeners, limits, clock } = this.#options
    const meters = new SharedArrayBuffer(metersBytes())
    const start: WorkerStart = {
      worker,
      cells,
      meters,
      listeners: listeners.map(({ descriptor, spec }) => {
        const fd = descriptor.duplicate()
        return fd === undefined ? spec : { ...spec, fd }
      }),
      ...(limits === undefined ? {} : { limits }),
      ...(this.#directory === undefined ? {} : { directory: this.#directory }),
      ...(this.#bound === undefined ? {} : { bound: this.#bound }),
    }
    const thread = new Worker(entry, {
      workerData: start,
      name: `airspace-${worker}`,
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
    })
    const member: Member = {
      worker,
      thread,
      bornMs: clock.nowMs(),
      epoch: 0,
      listening: false,
      drained: false,
      asked: false,
      why: '',
    }
    this.#members[worker] = member
    this.#options.began(worker, meters)
    thread.on('message', (message: FromWorker) => this.#heard(member, message))
    thread.on('error', (error) => {
      member.why = error instanceof Error ? error.message : String(error)
    })
    thread.on('exit', (code) => this.#ended(member, code))
  }

  #heard(member: Member, message: FromWorker): void {
    if (message.type === 'taken') member.epoch = Math.max(member.epoch, message.epoch)
    else if (message.type === 'listening') member.listening = true
    else if (message.type === 'drained') member.drained = true
    else if (message.type === 'recalled' || message.type === 'living') {
      this.#answers.get(message.id)?.set(member.worker, message)
    }
    this.#options.said(member.worker, message)
    this.#settle()
  }

  #ended(member: Member, code: number): void {
    const { worker } = member
    this.#members[worker] = undefined
    const why = member.why || `exit code ${code}`
    if (!this.#stopping) {
      this.deaths += 1
      this.lastDeath = why
      this.#options.log.error('a worker has ended', { worker, why })
    }
    this.#options.died(worker, member.asked || this.#stopping)
    this.#settle()
    if (this.#draining || this.#stopping || !this.#started) return
    const livedMs = this.#options.clock.nowMs() - member.bornMs
    const backoff = this.#backoffs[worker]
    const settled = livedMs >= SETTLED_MS
    if (settled) backoff?.succeeded()
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        if (!this.#draining && !this.#stopping) this.#begin(worker)
      },
      settled ? 0 : (backoff?.next() ?? 0),
    )
    this.#timers.add(timer)
  }

  #end(member: Member, why: string): void {
    member.why = why
    // The exit event does the rest; a worker that cannot even be ended is beyond our help.
    member.thread.terminate().catch(() => {})
  }

  #tell(message: ToWorker): void {
    for (const member of this.#members) member?.thread.postMessage(message)
  }

  /** True when `done`, false when the time was over first. */
  #until(done: () => boolean, waitMs?: number): Promise<boolean> {
    if (done()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const waiting: Waiting = { done, resolve: () => resolve(true) }
      this.#waiting.add(waiting)
      if (waitMs === undefined) return
      waiting.timer = setTimeout(() => {
        this.#waiting.delete(waiting)
        resolve(false)
      }, waitMs)
    })
  }

  #settle(): void {
    for (const waiting of this.#waiting) {
      if (!waiting.done()) continue
      this.#waiting.delete(waiting)
      clearTimeout(waiting.timer)
      waiting.resolve()
    }
  }
}
