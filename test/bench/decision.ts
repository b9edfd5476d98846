/**
 * P9: what a policy decision costs, in and out, with the state in cells that other threads share,
 * against one call through opossum; and how many bytes either leaves to the collector.
 */
import CircuitBreaker from 'opossum'
import { edgeOf } from '../../landscape/edge.ts'
import { serviceNamed } from '../../landscape/service.ts'
import { Cells, cellsBytes } from '../../policies/cells.ts'
import { type IntentText, readIntent } from '../../policies/intent.ts'
import type { Call } from '../../policies/pattern.ts'
import { bind } from '../../policies/plan.ts'
import { Policies, type Policy } from '../../policies/policy.ts'
import { Passage, type Tally } from '../../proxy/gate.ts'
import { clock } from '../../runtime/clock.ts'
import { five } from './five.ts'
import { type Report, ratios } from './report.ts'
import type { Stage } from './stage.ts'
import { type Timing, timeCalls, timeLoop } from './timing.ts'

const CALLS = 2_000_000
/** Points in time that are made beforehand. */
const HEAPED = 400_000
const bench = 'P9'
const edge = edgeOf('web', 'target')

/** As the meter does it: a plain add in a row of its own. */
class Counting implements Tally {
  readonly #counts = new Float64Array(8)
  matched(): void {
    this.#counts[0]! += 1
  }
  refused(): void {
    this.#counts[1]! += 1
  }
  delayed(_policy: Policy, delayMs: number): void {
    this.#counts[2]! += delayMs
  }
  wouldRefuse(): void {
    this.#counts[3]! += 1
  }
  wouldDelay(): void {
    this.#counts[4]! += 1
  }
}

const call: Call = {
  edge,
  form: 'request',
  idempotent: true,
  patienceMs: Number.POSITIVE_INFINITY,
  chance: 0.25,
}

/** The policies of these intents on the edge, as a worker compiles them. */
function compile(intents: readonly IntentText[]): readonly Policy[] {
  const cells = new Cells(new SharedArrayBuffer(cellsBytes()), 0, [0x1234, 0x5678])
  const policies = new Policies(cells, { byName: serviceNamed })
  const bound = intents.map((text) => {
    const holding = { version: 1, remainingMs: 60_000, shares: {} }
    return bind({ intent: readIntent(text), ...holding })!
  })
  policies.apply(1, bound)
  return policies.on(edge)
}

/** One passage after the other, fifty thousand a second by a clock that only goes on. */
function timePassages(policies: readonly Policy[], calls: number): Timing {
  const passage = new Passage(new Counting())
  let startMs = clock.nowMs()
  const pass = (nowMs: number, thenMs: number): void => {
    if (passage.enter(policies, call, nowMs) !== 'pass') throw new Error('it was to pass')
    passage.leave('success', thenMs)
  }
  const { ns } = timeLoop(calls, (count) => {
    let nowMs = startMs
    for (let done = 0; done < count; done += 1) {
      nowMs += 0.02
      pass(nowMs, nowMs + 1)
    }
    startMs = nowMs
  })
  // A number that is handed to a function may be put on the heap for it: these are there already,
  // so that what is counted is the policies' own. `undefined` keeps the list one of objects.
  const times: (number | undefined)[] = [undefined]
  for (let time = 1; time <= HEAPED; time += 1) times.push(startMs + time * 0.02)
  let at = 1
  const { bytes } = timeLoop(HEAPED / 2 - 1, (count) => {
    for (let done = 0; done < count; done += 1) {
      pass(times[at]!, times[at + 1]!)
      at += 1
    }
  })
  return { ns, bytes }
}

export async function benchDecision(stage: Stage, report: Report): Promise<void> {
  const calls = stage.quick ? 50_000 : CALLS
  const runs = new Map<string, Timing[]>()
  const take = (who: string, run: Timing) => runs.set(who, [...(runs.get(who) ?? []), run])
  const breaker = new CircuitBreaker(async () => 1, { volumeThreshold: 1e9 })
  for (let round = 0; round < stage.rounds; round += 1) {
    take('opossum', await timeCalls(Math.ceil(calls / 10), () => breaker.fire()))
    for (const intent of five) take(intent.kind, timePassages(compile([intent]), calls))
    take('all five', timePassages(compile(five), calls))
    take('none', timePassages([], calls))
  }
  breaker.shutdown()
  const of = (who: string, pick: (run: Timing) => number): number[] => runs.get(who)!.map(pick)
  for (const who of runs.keys()) {
    report.figure(
      bench,
      'a decision, in and out',
      who,
      'ns',
      of(who, ({ ns }) => ns),
    )
    report.figure(
      bench,
      'of it allocated',
      who,
      'B',
      of(who, ({ bytes }) => bytes),
    )
  }
  const less = { bench, better: 'less' } as const
  for (const { kind } of five) {
    const values = ratios(
      of(kind, ({ ns }) => ns),
      of('opossum', ({ ns }) => ns),
    )
    const what = `a decision, ${kind} / opossum`
    report.verdict({ ...less, what, unit: 'x', values, gate: 1 / 5, goal: 1 / 15 })
  }
  // The loop itself leaves less than a byte a call behind: what is beyond it is the policies'.
  const loop = of('none', ({ bytes }) => bytes)
  const values = of('all five', ({ bytes }) => bytes).map((sum, round) => beyond(sum, loop[round]!))
  const what = 'bytes allocated by all five'
  report.verdict({ ...less, what, unit: 'B', values, gate: 0, goal: 0 })
}

const beyond = (bytes: number, loop: number): number => Math.max(0, Math.round(bytes - loop))
