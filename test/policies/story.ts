/**
 * A random story of calls and plans, told from a seed to two workers that share cells: everything
 * that may happen to a passage, in any order. What was decided is written down line by line.
 */
import { edgeOf } from '../../landscape/edge.ts'
import type { Call } from '../../policies/pattern.ts'
import type { BoundIntent } from '../../policies/plan.ts'
import { liveKeys, tend } from '../../policies/tend.ts'
import type { Passage } from '../../proxy/gate.ts'
import { chanceOf } from '../support/chance.ts'
import { boundOf, callOn, cellsOf, RESULTS, World } from './world.ts'

const EDGES = [edgeOf('a', 'x'), edgeOf('b', 'x'), edgeOf('b', 'y'), edgeOf('c', 'y')]
const START_MS = 5_000_000

interface Inside {
  readonly world: World
  readonly passage: Passage
  readonly call: Call
  readonly number: number
  /** When its delay is over; undefined once it runs. */
  dueMs: number | undefined
}

export class Story {
  readonly lines: string[] = []
  readonly worlds: readonly World[]
  readonly #chance: () => number
  /** Observed intents draw from a chance of their own, so that a story is the same without them. */
  readonly #aside: () => number
  readonly #observing: boolean
  #inside: Inside[] = []
  #bound: readonly BoundIntent[] = []
  #calls = 0
  nowMs = START_MS

  constructor(seed: number, observing: boolean) {
    this.#chance = chanceOf(seed)
    this.#aside = chanceOf(seed + 1_000_000)
    this.#observing = observing
    const first = new World(cellsOf())
    this.worlds = [first, new World(cellsOf(first.cells.memory, 1))]
  }

  #pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.#chance() * of.length)]!
  }

  tell(steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      this.nowMs += this.#chance() < 0.02 ? 8000 : this.#chance() * 10
      const dice = this.#chance()
      if (dice < 0.04) this.#plan()
      else if (dice < 0.05) this.#second()
      else if (dice < 0.5) this.#enter()
      else this.#goOn()
    }
  }

  /** Everyone leaves, whatever they were doing. */
  end(): void {
    for (const { passage } of this.#inside) passage.leave('ignored', this.nowMs)
    this.#inside = []
  }

  #plan(): void {
    const bound: BoundIntent[] = []
    for (const id of ['one', 'two']) {
      for (const make of INTENTS) if (this.#chance() < 0.5) bound.push(make(id, this.#chance))
    }
    this.#bound = bound
    const aside = this.#observing ? INTENTS.map((make) => observed(make('aside', this.#aside))) : []
    for (const world of this.worlds) world.apply(...aside, ...bound)
    for (const one of this.#inside) this.#replanned(one)
    if (this.#chance() < 0.5) this.worlds[0]!.cells.reclaim(liveKeys([...aside, ...bound]))
  }

  #replanned(one: Inside): void {
    const policies = one.world.policies.on(one.call.edge)
    if (one.dueMs === undefined) one.passage.follow(policies, one.call, this.nowMs)
    else this.#heed(one, one.passage.restart(policies, one.call, this.nowMs))
  }

  #second(): void {
    const main = cellsOf(this.worlds[0]!.cells.memory, 15)
    tend(main, this.#bound, () => ({ medianMs: 10 * this.#chance() }), this.nowMs)
  }

  #enter(): void {
    const world = this.#pick(this.worlds)
    const form = this.#chance() < 0.7 ? 'request' : 'connection'
    const call = callOn(this.#pick(EDGES), {
      form,
      idempotent: this.#chance() < 0.7,
      patienceMs: this.#chance() < 0.8 ? Infinity : 20,
      chance: this.#chance(),
    })
    this.#calls += 1
    const passage = world.passage()
    const one: Inside = { world, passage, call, number: this.#calls, dueMs: undefined }
    this.#inside.push(one)
    this.#heed(one, passage.enter(world.policies.on(call.edge), call, this.nowMs))
  }

  #heed(one: Inside, verdict: string): void {
    const { passage, number } = one
    const { delayMs, by, refusal } = passage
    this.lines.push(
      `${number} ${verdict} ${delayMs} ${by?.id} ${refusal?.reason} ${refusal?.retryAfterMs}`,
    )
    one.dueMs = verdict === 'wait' ? this.nowMs + delayMs : undefined
    if (verdict === 'refuse') this.#inside = this.#inside.filter((other) => other !== one)
  }

  /** Something happens to one of those inside: it goes on, it ends, it gives up, it ends twice. */
  #goOn(): void {
    if (this.#inside.length === 0) return
    const one = this.#pick(this.#inside)
    if (one.dueMs !== undefined && this.#chance() < 0.7) {
      this.nowMs = Math.max(this.nowMs, one.dueMs)
      this.#heed(one, one.passage.resume(one.call, this.nowMs))
      return
    }
    this.#inside = this.#inside.filter((other) => other !== one)
    one.passage.leave(one.dueMs === undefined ? this.#pick(RESULTS) : 'ignored', this.nowMs)
    if (this.#chance() < 0.2) one.passage.leave('failure', this.nowMs) // an abort that races
  }
}

type Make = (id: string, chance: () => number) => BoundIntent

const pick = <T>(chance: () => number, ...of: T[]): T => of[Math.floor(chance() * of.length)]!

/** One of each pattern, tight enough to be felt. */
const INTENTS: readonly Make[] = [
  (id, chance) =>
    boundOf({
      kind: 'bulkhead',
      id: `bulkhead-${id}`,
      settings: { maxInFlight: pick(chance, 1, 2, 5), maxConnections: pick(chance, 1, 3) },
      per: pick(chance, 'policy', 'edge', 'source', 'target'),
      percent: pick(chance, 100, 50),
    }),
  (id, chance) =>
    boundOf({
      kind: 'backpressure',
      id: `backpressure-${id}`,
      settings: { ratePerSecond: pick(chance, 50, 300), burst: pick(chance, 0, 5), smoothMs: 1 },
      percent: pick(chance, 100, 50),
    }),
  (id, chance) =>
    boundOf({
      kind: 'breaker',
      id: `breaker-${id}`,
      settings: {
        state: pick(chance, 'auto', 'auto', 'auto', 'open', 'closed'),
        consecutive: pick(chance, 2, 5),
        minRequests: 5,
        slowMs: 20,
        openForMs: pick(chance, 100, 1000),
      },
    }),
  (id, chance) =>
    boundOf({
      kind: 'segment',
      id: `segment-${id}`,
      from: 'c',
      settings: { action: pick(chance, 'deny', 'isolate') },
      percent: pick(chance, 100, 20),
    }),
  (id, chance) =>
    boundOf({
      kind: 'quarantine',
      id: `quarantine-${id}`,
      to: 'y',
      settings: { direction: pick(chance, 'in', 'out') },
      percent: pick(chance, 100, 10),
    }),
]

const observed = (bound: BoundIntent): BoundIntent => ({
  ...bound,
  intent: { ...bound.intent, mode: 'observe' },
})
