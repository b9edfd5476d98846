/** What tests of policies need: cells, calls, intents in force, and somebody who counts. */
import { type Edge, edgeOf } from '../../landscape/edge.ts'
import { type Service, serviceNamed } from '../../landscape/service.ts'
import { Cells, cellsBytes } from '../../policies/cells.ts'
import { covers, type IntentText, readIntent } from '../../policies/intent.ts'
import type { Call, Pattern, Result } from '../../policies/pattern.ts'
import {
  type BoundIntent,
  bind,
  digestOf,
  type HoldingText,
  type PlanText,
} from '../../policies/plan.ts'
import { Policies, type Policy } from '../../policies/policy.ts'
import type { Shares } from '../../policies/ramp.ts'
import { type Fields, readSettings, type SettingsOf } from '../../policies/settings.ts'
import { Passage, type Tally } from '../../proxy/gate.ts'

export const cellsOf = (memory = new SharedArrayBuffer(cellsBytes()), worker = 0): Cells =>
  new Cells(memory, worker, [0x1234, 0x5678])

export const callOn = (edge: Edge = edgeOf('web', 'payments'), more: Partial<Call> = {}): Call => ({
  edge,
  form: 'request',
  idempotent: true,
  patienceMs: Infinity,
  chance: 0.5,
  ...more,
})

/** An intent with what a test does not care about filled in. */
export const intentText = (given: Partial<IntentText> & { kind: string }): IntentText => ({
  id: `${given.kind}-1`,
  from: '*',
  to: '*',
  settings: given.kind === 'bulkhead' ? { maxInFlight: 1 } : {},
  ...given,
})

export function boundOf(
  given: Partial<IntentText> & { kind: string },
  shares: Shares = {},
  releasingMs?: number,
): BoundIntent {
  const intent = readIntent(intentText(given))
  const holding = { intent, version: 1, remainingMs: 60_000, shares }
  const bound = bind(holding, releasingMs)
  if (bound === undefined) throw new Error('this intent has let go')
  return bound
}

/** The side on which each edge is covered, or '-': `in - out`. */
export function sidesOf(given: Partial<IntentText> & { kind: string }, edges: readonly string[]) {
  const intent = readIntent(intentText(given))
  const side = (edge: string) => {
    const [source, target] = edge.split('..')
    return covers(intent, serviceNamed(source!), serviceNamed(target!)) ?? '-'
  }
  return edges.map(side).join(' ')
}

export function planOf(...holdings: HoldingText[]): PlanText {
  const plan = { ledger: 'ledger-1', revision: 7, edition: 3, holdings }
  return { ...plan, digest: digestOf(plan) }
}

export const holdingOf = (id: string, more: Partial<HoldingText> = {}): HoldingText => ({
  intent: intentText({ kind: 'bulkhead', id, settings: { maxInFlight: 10 } }),
  version: 5,
  remainingMs: 60_000,
  shares: {},
  ...more,
})

/** A pattern's state and settings alone, for tests of its decisions. */
export function stateOf<F extends Fields, S>(
  pattern: Pattern<F, S>,
  given: { readonly [name: string]: unknown },
  cells: Cells = cellsOf(),
): { state: S; settings: SettingsOf<F>; of: (source: string) => S } {
  const row = () => cells.row('policy', '', '', 0)
  const of = (source: string) =>
    pattern.cells(row(), 'on', pattern.apart ? cells.row('policy', '', source, 0) : row())
  return { state: of('web'), settings: readSettings(pattern.fields, given), of }
}

/** Counts what it is told, by the policy's id. */
export class Counter implements Tally {
  readonly counts: { [what: string]: number } = {}

  #add(what: string, policy: Policy): void {
    const key = `${policy.id} ${what}`
    this.counts[key] = (this.counts[key] ?? 0) + 1
  }

  matched(policy: Policy): void {
    this.#add('matched', policy)
  }
  refused(policy: Policy): void {
    this.#add('refused', policy)
  }
  delayed(policy: Policy): void {
    this.#add('delayed', policy)
  }
  wouldRefuse(policy: Policy): void {
    this.#add('would refuse', policy)
  }
  wouldDelay(policy: Policy): void {
    this.#add('would delay', policy)
  }
}

/** One worker's view of some intents, with passages through it. */
export class World {
  readonly cells: Cells
  readonly policies: Policies
  readonly counter = new Counter()
  epoch = 0

  constructor(cells: Cells = cellsOf(), byName: (name: string) => Service = serviceNamed) {
    this.cells = cells
    this.policies = new Policies(cells, { byName })
  }

  apply(...given: (BoundIntent | (Partial<IntentText> & { kind: string }))[]): void {
    this.epoch += 1
    const bound = given.map((one) => ('intent' in one ? one : boundOf(one)))
    this.policies.apply(this.epoch, bound)
  }

  passage(): Passage {
    return new Passage(this.counter)
  }

  /** Enters and says what came of it; the passage is there to be left. */
  enter(call: Call = callOn(), nowMs = 1): { passage: Passage; verdict: string } {
    const passage = this.passage()
    const verdict = passage.enter(this.policies.on(call.edge), call, nowMs)
    return { passage, verdict }
  }
}

export const RESULTS: readonly Result[] = ['success', 'failure', 'ignored']

/** What a function throws. */
export function thrownBy(act: () => unknown): Error & { readonly path?: string } {
  try {
    act()
  } catch (error) {
    return error as Error
  }
  throw new Error('it threw nothing')
}
