/**
 * What-if: the calls that this node remembers, put once more to a policy that is not in force. The
 * policy's own code decides, on cells of its own and by a clock that runs through the recording, so
 * the answer is what would have been refused, as far as callers would have come all the same.
 */
import { edgeOf } from '../landscape/edge.ts'
import { Cells, cellsBytes } from '../policies/cells.ts'
import type { Call, Result } from '../policies/pattern.ts'
import type { BoundIntent } from '../policies/plan.ts'
import { type Names, Policies, type Policy } from '../policies/policy.ts'
import { tend } from '../policies/tend.ts'
import { Agenda } from './agenda.ts'
import { Passage, type Tally } from './gate.ts'
import { CONNECTION_FACT, IDEMPOTENT_FACT, RESULTS } from './ring.ts'
import type { Living, Recalled } from './thread.ts'

/** So many calls are replayed before the rest of the main thread gets a turn. */
const TURN_CALLS = 2_000
const RESULT_BITS = 7
/** Of a longer recording the newest calls are replayed. */
export const REPLAYED_MAX = 200_000

/** A call of the recording. */
interface Past {
  readonly call: Call
  readonly policies: readonly Policy[]
  readonly startMs: number
  readonly tookMs: number
  /** How it ended; undefined for what was refused then, and never ran. */
  readonly result: Result | undefined
  readonly count: EdgeCount
}

export interface EdgeCount {
  readonly source: string
  readonly target: string
  calls: number
  refused: number
  delayed: number
}

export interface Outcome {
  readonly fromMs: number
  calls: number
  refused: number
  delayed: number
  delayedMsMax: number
  live: number
  oldestLiveMs: number
  forgotten: number
  inFlightPeak: number
  readonly edges: readonly EdgeCount[]
}

const QUIET: Tally = {
  matched: () => {},
  refused: () => {},
  delayed: () => {},
  wouldRefuse: () => {},
  wouldDelay: () => {},
}

export class Rehearsal {
  readonly #bound: BoundIntent
  readonly #cells = new Cells(new SharedArrayBuffer(cellsBytes()), 0, [1, 2])
  readonly #policies: Policies
  readonly #counts = new Map<string, EdgeCount>()
  readonly #spare: Passage[] = []
  readonly #agenda = new Agenda()
  readonly #outcome: Outcome
  readonly #medianMs: number
  readonly #past: readonly Past[]
  #tendedMs = -Infinity

  constructor(bound: BoundIntent, names: Names, recalled: readonly Recalled[]) {
    this.#bound = bound
    this.#policies = new Policies(this.#cells, names)
    this.#policies.apply(1, [bound])
    const fromMs = Math.max(commonStart(recalled), newestStart(recalled, REPLAYED_MAX))
    this.#past = recalled
      .flatMap((ring) => [...this.#read(ring, fromMs)])
      .sort((one, other) => one.startMs - other.startMs)
    this.#medianMs = medianOf(this.#past)
    this.#outcome = {
      fromMs: Math.max(fromMs, this.#past[0]?.startMs ?? fromMs),
      calls: this.#past.length,
      refused: 0,
      delayed: 0,
      delayedMsMax: 0,
      live: 0,
      oldestLiveMs: 0,
      forgotten: recalled.reduce((sum, { forgotten }) => sum + forgotten, 0),
      inFlightPeak: peakOf(this.#past),
      edges: [],
    }
  }

  /** Gives others a turn now and then; a recording may hold a million calls. */
  async run(pause: () => Promise<void>): Promise<void> {
    let calls = 0
    for (const past of this.#past) {
      this.#until(past.startMs)
      this.#arrive(past)
      calls += 1
      if (calls % TURN_CALLS === 0) await pause()
    }
    this.#until(Infinity)
  }

  /** What is under way now that would be ended if this came into force. */
  live(living: readonly Living[]): void {
    for (const { edges, edge, ageMs } of living) {
      const ended = edges.map(({ source, target }) =>
        this.#policies
          .on(edgeOf(source, target))
          .some((policy) => policy.severs && !policy.observed && policy.existing !== 'keep'),
      )
      for (let i = 0; i < edge.length; i++) {
        if (!ended[edge[i]!]) continue
        this.#outcome.live += 1
        this.#outcome.oldestLiveMs = Math.max(this.#outcome.oldestLiveMs, ageMs[i]!)
      }
    }
  }

  get outcome(): Outcome {
    return { ...this.#outcome, edges: [...this.#counts.values()] }
  }

  *#read(ring: Recalled, fromMs: number): Generator<Past> {
    const known = ring.edges.map(({ source, target }) => {
      const edge = edgeOf(source, target)
      const policies = this.#policies.on(edge)
      return { edge, policies }
    })
    for (let i = 0; i < ring.edge.length; i++) {
      const { edge, policies } = known[ring.edge[i]!]!
      const endMs = ring.startMs[i]! + ring.tookMs[i]!
      // What began before and still ran then holds its slot from the beginning.
      const startMs = Math.max(ring.startMs[i]!, fromMs)
      if (policies.length === 0 || endMs < startMs) continue
      const facts = ring.facts[i]!
      const call: Call = {
        edge,
        form: facts & CONNECTION_FACT ? 'connection' : 'request',
        idempotent: (facts & IDEMPOTENT_FACT) !== 0,
        patienceMs: ring.patienceMs[i]!,
        chance: ring.chance[i]!,
      }
      const recorded = RESULTS[facts & RESULT_BITS]
      const result = recorded === 'refused' ? undefined : recorded
      const count = this.#countOf(edge.key, edge.source, edge.target)
      count.calls += 1
      yield { call, policies, startMs, tookMs: endMs - startMs, result, count }
    }
  }

  #countOf(key: string, source: string, target: string): EdgeCount {
    const known = this.#counts.get(key)
    if (known) return known
    const count = { source, target, calls: 0, refused: 0, delayed: 0 }
    this.#counts.set(key, count)
    return count
  }

  #arrive(past: Past): void {
    const { startMs } = past
    if (startMs - this.#tendedMs >= 1000) {
      this.#tendedMs = startMs
      tend(this.#cells, [this.#bound], () => ({ medianMs: this.#medianMs }), startMs)
    }
    const passage = this.#spare.pop() ?? new Passage(QUIET)
    this.#walked(past, passage, passage.enter(past.policies, past.call, startMs), startMs)
  }

  #walked(past: Past, passage: Passage, verdict: string, atMs: number): void {
    const { count } = past
    if (verdict === 'refuse') {
      this.#outcome.refused += 1
      count.refused += 1
      this.#spare.push(passage)
    } else if (verdict === 'wait') {
      this.#outcome.delayed += 1
      count.delayed += 1
      this.#outcome.delayedMsMax = Math.max(this.#outcome.delayedMsMax, passage.delayMs)
      this.#agenda.add(atMs + passage.delayMs, (nowMs) =>
        this.#walked(past, passage, passage.resume(past.call, nowMs), nowMs),
      )
    } else {
      // What was refused then would have taken what others took, and nobody knows how it ended.
      const tookMs = past.result === undefined ? this.#medianMs : past.tookMs
      this.#agenda.add(atMs + tookMs, (nowMs) => {
        passage.leave(past.result ?? 'ignored', nowMs)
        this.#spare.push(passage)
      })
    }
  }

  #until(atMs: number): void {
    while (this.#agenda.size > 0 && this.#agenda.nextMs <= atMs) {
      const coming = this.#agenda.take()
      coming?.act(coming.atMs)
    }
  }
}

/**
 * What is under way now, as a recording of its own: a connection that has lasted for hours is in no
 * ring yet, and holds a slot all the same. How it will end is not known, so it teaches nothing.
 */
export function underWay({ id, edges, edge, ageMs, form }: Living, nowMs: number): Recalled {
  return {
    type: 'recalled',
    id,
    edges,
    edge,
    startMs: ageMs.map((age) => nowMs - age),
    tookMs: ageMs,
    facts: form.map((kind) => RESULTS.indexOf('ignored') | (kind === 1 ? CONNECTION_FACT : 0)),
    patienceMs: new Float64Array(edge.length).fill(Number.POSITIVE_INFINITY),
    chance: new Float32Array(edge.length).fill(0.5),
    forgotten: 0,
  }
}

/** Rings forget at different speeds: only from here on do all of them know all. */
const commonStart = (recalled: readonly Recalled[]): number =>
  recalled
    .filter(({ forgotten }) => forgotten > 0)
    .reduce((from, { startMs }) => Math.max(from, startMs[0] ?? from), 0)

/** From when on there are at most so many calls. */
function newestStart(recalled: readonly Recalled[], max: number): number {
  const starts = new Float64Array(recalled.reduce((sum, { startMs }) => sum + startMs.length, 0))
  let at = 0
  for (const { startMs } of recalled) {
    starts.set(startMs, at)
    at += startMs.length
  }
  return starts.length <= max ? 0 : starts.sort()[starts.length - max]!
}

function medianOf(past: readonly Past[]): number {
  const took = past
    .filter(({ result }) => result === 'success' || result === 'failure')
    .map(({ tookMs }) => tookMs)
  took.sort((one, other) => one - other)
  return took[took.length >> 1] ?? 0
}

function peakOf(past: readonly Past[]): number {
  const ends = past.map(({ startMs, tookMs }) => startMs + tookMs).sort((a, b) => a - b)
  let [inside, peak, ended] = [0, 0, 0]
  for (const { startMs } of past) {
    while (ended < ends.length && ends[ended]! <= startMs) {
      ended += 1
      inside -= 1
    }
    inside += 1
    peak = Math.max(peak, inside)
  }
  return peak
}
