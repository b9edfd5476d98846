/**
 * A fleet in a few lines, for the tests of allot.ts: processes that enforce the share they last
 * took, links that lose what is under way when they break, and a control plane that is told late.
 */
import { Allotment, type SharedUnit, type Wish } from '../../control-plane/allot.ts'

interface Plan {
  readonly edition: number
  readonly share: number
}

type Word =
  | { readonly type: 'ack'; readonly edition: number }
  | {
      readonly type: 'demand'
      readonly edition: number
      readonly under: boolean
      readonly wish: Wish
    }

export class Process {
  readonly key: string
  alive = true
  linked = false
  taken: Plan | undefined
  inFlight = 0
  /** Newest wins: a slow link never sees the plans between. */
  inbox: Plan | undefined
  /** On its way to the workers and the disk; goes on when the link breaks. */
  #taking: Plan | undefined
  outbox: Word[] = []
  wanted = 0
  refused = 0

  constructor(key: string) {
    this.key = key
  }

  get share(): number {
    return this.taken?.share ?? 0
  }

  start(): void {
    this.wanted += 1
    if (this.inFlight < this.share) this.inFlight += 1
    else this.refused += 1
  }

  end(): void {
    if (this.inFlight > 0) this.inFlight -= 1
  }

  /** What it says when it follows: not what runs still, nor the plan on its way to its workers. */
  get held(): number | undefined {
    return this.taken?.share
  }

  take(): void {
    if (this.#taking) {
      this.taken = this.#taking
      this.#taking = undefined
      this.outbox.push({ type: 'ack', edition: this.taken.edition })
    } else {
      this.#taking = this.inbox
      this.inbox = undefined
    }
  }

  say(): void {
    const wish = { inFlight: this.inFlight, wanted: this.wanted, refused: this.refused }
    const edition = this.taken?.edition ?? 0
    this.outbox.push({ type: 'demand', edition, under: this.inFlight <= this.share, wish })
    this.wanted = 0
    this.refused = 0
  }
}

export class SimulatedFleet {
  readonly limit: number
  readonly unit: SharedUnit
  readonly processes: Process[] = []
  allotment: Allotment
  nowMs = 0
  #edition = 1
  /** What each link has said, and the newest edition acknowledged. */
  readonly #acked = new Map<string, number>()
  /** Kept on disk: whoever ever followed and is not known to be gone. */
  readonly #roster = new Set<string>()

  constructor(limit: number, unit: SharedUnit = 'count') {
    this.limit = limit
    this.unit = unit
    this.allotment = new Allotment(limit, unit)
  }

  add(): Process {
    const process = new Process(`n${this.processes.length}`)
    this.processes.push(process)
    return process
  }

  link(process: Process): void {
    if (!process.alive || process.linked) return
    process.linked = true
    process.inbox = undefined
    process.outbox = []
    this.#acked.delete(process.key)
    this.#edition += 1
    this.#roster.add(process.key)
    this.allotment.join(process.key, process.held, this.#edition)
    this.#push(process)
    this.deal()
  }

  /** The link breaks; the control plane notices at once, or later. */
  cut(process: Process): void {
    process.linked = false
    this.allotment.setLive(process.key, false)
  }

  die(process: Process): void {
    process.alive = false
    process.inFlight = 0
    this.cut(process)
  }

  /** Known to be gone: it said goodbye, or the next process of its node said so. */
  forget(process: Process): void {
    if (process.alive) return
    this.#roster.delete(process.key)
    this.allotment.leave(process.key)
  }

  hear(process: Process): void {
    if (!process.linked) return
    const word = process.outbox.shift()
    if (!word) return
    if (word.type === 'ack') this.#acked.set(process.key, word.edition)
    else {
      this.allotment.wish(process.key, word.wish, this.nowMs)
      const acked = this.#acked.get(process.key) ?? 0
      if (word.under) this.allotment.confirm(process.key, Math.min(acked, word.edition))
    }
    this.deal()
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.deal()
  }

  deal(): void {
    if (!this.allotment.deal(this.#edition + 1, this.nowMs)) return
    this.#edition += 1
    for (const process of this.processes) if (process.linked) this.#push(process)
  }

  /** The control plane dies and begins anew, knowing only who may hold something. */
  restart(): void {
    this.allotment = new Allotment(this.limit, this.unit, this.#roster)
    this.#edition += 1_000
    for (const process of this.processes) process.linked = false
  }

  /** A second in which every message arrives at once and all ask for what they are asked to. */
  calmSecond(callsOf: (process: Process) => number): void {
    this.nowMs += 1_000
    for (const process of this.processes) {
      if (!process.alive) continue
      while (process.inFlight > 0) process.end()
      for (let i = 0; i < callsOf(process); i += 1) process.start()
      process.say()
    }
    for (let round = 0; round < 4; round += 1) {
      for (const process of this.processes) {
        process.take()
        process.take()
        while (process.outbox.length > 0 && process.linked) this.hear(process)
        if (process.alive && process.inFlight > process.share) {
          while (process.inFlight > process.share) process.end()
        }
        process.say()
        while (process.outbox.length > 0 && process.linked) this.hear(process)
      }
      this.deal()
    }
  }

  get inFlight(): number {
    return this.processes.reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  get enforced(): number {
    return this.processes.reduce((sum, { alive, share }) => sum + (alive ? share : 0), 0)
  }

  #push(process: Process): void {
    process.inbox = { edition: this.#edition, share: this.allotment.share(process.key) }
  }
}
