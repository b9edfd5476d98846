/**
 * What is in force on this node: plans come in here, and so do the passing of time, releases by
 * hand and the deaths of workers; what workers enforce goes out. A plan counts as taken when every
 * worker enforces it and the disk has it. If the disk does not take one that brings something new,
 * it is taken back and refused; one that only lets go or moves shares needs no disk to be right.
 */
import type { Cells } from '../policies/cells.ts'
import type { BoundIntent, Plan } from '../policies/plan.ts'
import { liveKeys } from '../policies/tend.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Crew } from './crew.ts'
import type { Complaint } from './follow.ts'
import { Holdings, type PlanName } from './holdings.ts'
import type { Keep, Kept } from './keep.ts'
import type { Bound } from './thread.ts'
import { Trust } from './trust.ts'

/** setTimeout counts to 2^31: for what is later it looks again in between. */
const SLEEP_MAX_MS = 24 * 3_600_000

/** Ids whose pattern is remembered. */
const KINDS_NAMED_MAX = 20_000

export interface EnforceOptions {
  readonly kept: Kept | undefined
  readonly keep: Keep
  readonly cells: Cells
  readonly clock: Clock
  readonly log: Log
  /** A plan that had been acknowledged was given back. */
  readonly gaveBack: (name: PlanName, complaint: Complaint) => void
}

export class Enforcement {
  readonly #keep: Keep
  readonly #cells: Cells
  readonly #clock: Clock
  readonly #log: Log
  readonly #gaveBack: EnforceOptions['gaveBack']
  readonly #trust: Trust
  #holdings: Holdings
  #crew: Crew | undefined
  #bound: Bound = { epoch: 0, intents: [] }
  #said = '[]' // the intents of #bound, to see whether anything is new
  #bindings: readonly BoundIntent[] = []
  readonly #kinds = new Map<string, string>()
  #given: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** False while the disk does not take what is in force. */
  kept = true
  /** A plan is on its way to workers and disk: what is held is not yet what is enforced. */
  taking = false

  constructor({ kept, keep, cells, clock, log, gaveBack }: EnforceOptions) {
    this.#keep = keep
    this.#cells = cells
    this.#clock = clock
    this.#log = log
    this.#gaveBack = gaveBack
    this.#trust = new Trust(kept?.poisoned)
    const nowMs = clock.nowMs()
    this.#holdings = kept?.plan
      ? Holdings.restored(kept.plan, kept.released, nowMs)
      : Holdings.none()
    this.#compile(nowMs)
  }

  /** Of intents in force, and of those that have been: refusals are counted long after. */
  readonly kindOf = (id: string): string | undefined => this.#kinds.get(id)

  get holdings(): Holdings {
    return this.#holdings
  }

  get poisoned() {
    return this.#trust.poisoned
  }

  /** What workers were last told. */
  get bound(): Bound {
    return this.#bound
  }

  get bindings(): readonly BoundIntent[] {
    return this.#bindings
  }

  /** From here on the crew is told; before, it starts with `bound`. */
  command(crew: Crew): void {
    this.#crew = crew
    void this.#give() // time has gone by while the crew started
  }

  async take(plan: Plan): Promise<Complaint | undefined> {
    const poisoned = this.#trust.complaint(plan)
    if (poisoned) return poisoned
    this.taking = true
    const before = this.#holdings
    const taking = before.taking(plan, this.#clock.nowMs())
    this.#holdings = taking
    // Workers first: each millisecond until it is enforced counts, until it is written does not.
    const [, failure] = await Promise.all([this.#give(), this.#write()])
    this.taking = false
    if (failure !== undefined && !taking.addsNothingTo(before)) {
      return this.#takeBack(before, failure)
    }
    // Meanwhile two workers may have died of it.
    if (this.#holdings.name !== taking.name) return this.#trust.complaint(plan)
    return undefined
  }

  /** Ends an intent, or all, on this node alone and now. Returns the ids that were there. */
  async release(id: string | undefined): Promise<readonly string[]> {
    const { holdings, ids } = this.#holdings.releasing(id)
    if (ids.length === 0) return ids
    this.#log.warn('released by hand on this node', { ids: ids.join(' ') })
    this.#holdings = holdings
    // It needs no disk to be in force; should the disk fail, a restart brings the intent back.
    void this.#write()
    await this.#give()
    return ids
  }

  /** A worker has died: if what is new is to blame, it is given back. */
  died(): void {
    const name = this.#holdings.name
    const back = this.#trust.died(this.#holdings, this.#clock.nowMs())
    if (back) this.#revert(name, back)
  }

  /** No worker could even start with what was on disk. */
  distrust(): void {
    const name = this.#holdings.name
    this.#revert(
      name,
      this.#trust.poison(
        this.#holdings,
        this.#holdings.suspects(() => true),
      ),
    )
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#crew = undefined
  }

  #revert(name: PlanName, back: Holdings): void {
    const ids = this.#trust.poisoned.map(({ id }) => id)
    const reason = `workers died of it twice within a minute; given back: ${ids.join(' ')}`
    this.#holdings = back
    void this.#write()
    void this.#give()
    this.#log.error('a plan is given back', { revision: name.revision, ids: ids.join(' ') })
    this.#gaveBack(name, { path: 'holdings', reason })
  }

  #takeBack(before: Holdings, failure: Error): Complaint {
    // What was released by hand in the meantime stays released.
    let back = before
    for (const { id } of this.#holdings.released()) back = back.releasing(id).holdings
    this.#holdings = back
    void this.#give()
    return { path: '', reason: `this node cannot keep it on disk: ${failure.message}` }
  }

  /** Undefined when it is on disk. */
  async #write(): Promise<Error | undefined> {
    try {
      await this.#keep.write(() => {
        const holdings = this.#holdings.holdingTexts(this.#clock.nowMs())
        const { name } = this.#holdings
        const plan = name.ledger === '' ? undefined : { ...name, holdings }
        return { plan, released: this.#holdings.released(), poisoned: this.#trust.poisoned }
      })
      this.kept = true
      return undefined
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      this.kept = false
      this.#log.error('what is in force is not kept on disk', { error: failure })
      return failure
    }
  }

  /** Tells the workers what is in force now, if that is anything new. Resolves when all do so. */
  #give(): Promise<void> {
    // One reading for both: a lease that ends between two would be told by neither.
    const nowMs = this.#clock.nowMs()
    const changed = this.#compile(nowMs)
    this.#wake(nowMs)
    if (!changed || !this.#crew) return this.#given
    const bound = this.#bound
    const bindings = this.#bindings
    this.#given = this.#crew.give(bound).then(() => {
      // Every worker has left what was before: rows of what is gone may be used again.
      this.#cells.reclaim([...liveKeys(bindings), ...liveKeys(this.#bindings)])
    })
    return this.#given
  }

  /** True when it differs from what was told last. The end of a lease alone is no difference. */
  #compile(nowMs: number): boolean {
    const inForce = this.#holdings.inForce(nowMs)
    const intents = this.#holdings.bound(nowMs, this.#clock.wallMs())
    const said = JSON.stringify(intents.map((intent) => ({ ...intent, untilUnixMs: 0 })))
    this.#bindings = inForce.map(({ bound }) => bound)
    this.#nameKinds()
    if (said === this.#said) return false
    this.#said = said
    this.#bound = { epoch: this.#bound.epoch + 1, intents }
    return true
  }

  #nameKinds(): void {
    for (const { intent } of this.#bindings) this.#kinds.set(intent.id, intent.pattern.kind)
    for (const id of this.#kinds.keys()) {
      if (this.#kinds.size <= KINDS_NAMED_MAX) return
      this.#kinds.delete(id) // the oldest
    }
  }

  /** Leases end and ramps step by themselves. */
  #wake(nowMs: number): void {
    clearTimeout(this.#timer)
    const inMs = this.#holdings.nextMs(nowMs) - nowMs
    if (inMs === Infinity || !this.#crew) return
    this.#timer = setTimeout(() => void this.#give(), Math.min(Math.ceil(inMs), SLEEP_MAX_MS))
    this.#timer.unref()
  }
}
