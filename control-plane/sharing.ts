/**
 * Every limit of the fleet that is in force, each with its allotment: an intent whose limit is
 * shared by all nodes has one for each field that is such a limit. While an intent is released its
 * shares stay as they are: the ramp opens them at each node.
 */
import { type Intent, readIntent } from '../policies/intent.ts'
import type { Shares } from '../policies/ramp.ts'
import { Allotment, type SharedUnit, type Wish } from './allot.ts'
import type { Standing } from './ledger.ts'

/** What is shown of one holder's part. */
export interface Part {
  readonly key: string
  readonly field: string
  readonly share: number
  /** Its holder is not heard; nobody else can have it. */
  readonly stranded: boolean
}

interface Shared {
  readonly version: number
  frozen: boolean
  /** By field. */
  readonly allotments: Map<string, Allotment>
  /** In flight by holder, as each said last. */
  readonly inFlight: Map<string, number>
}

/** The fields of an intent that the whole fleet shares, with what each amounts to. */
export function sharedLimits(intent: Intent): Map<string, { limit: number; unit: SharedUnit }> {
  const limits = new Map<string, { limit: number; unit: SharedUnit }>()
  if (intent.per !== 'policy') return limits
  for (const [name, field] of Object.entries(intent.pattern.fields)) {
    const limit = intent.settings[name]
    if (!('shared' in field) || !field.shared || typeof limit !== 'number') continue
    const unit =
      field.unit === 'perSecond' || field.unit === 'bytesPerSecond' ? field.unit : 'count'
    limits.set(name, { limit, unit })
  }
  return limits
}

export class Sharing {
  readonly #shared = new Map<string, Shared>()
  /** Processes that follow or are silent, and not known to be gone; true while they are heard. */
  readonly #holders = new Map<string, boolean>()
  #unheard: readonly string[]

  /** `unheard` may hold shares of what was in force when we began. */
  constructor(unheard: readonly string[]) {
    this.#unheard = unheard
  }

  /** What is in force now; an intent that is new is shared among those who are here. */
  reconcile(standings: readonly Standing[], edition: number): void {
    const live = new Set(standings.map(({ id }) => id))
    for (const id of this.#shared.keys()) if (!live.has(id)) this.#shared.delete(id)
    for (const standing of standings) {
      const known = this.#shared.get(standing.id)
      if (known) known.frozen = standing.state === 'releasing'
      if (known?.version !== standing.version) this.#take(standing, known, edition)
    }
  }

  /** From now on an intent that is new was never enforced by anybody. */
  begun(): void {
    this.#unheard = []
  }

  /** `held` is what the process says it holds, by intent and field. */
  join(key: string, held: ReadonlyMap<string, Shares>, edition: number): void {
    this.#holders.set(key, true)
    for (const [id, { allotments }] of this.#shared) {
      for (const [field, allotment] of allotments) {
        allotment.join(key, held.get(id)?.[field], edition)
      }
    }
  }

  setLive(key: string, live: boolean): void {
    // One that has said goodbye may still say a word on its way out.
    if (!this.#holders.has(key) || this.#holders.get(key) === live) return
    this.#holders.set(key, live)
    for (const allotment of this.#all()) allotment.setLive(key, live)
  }

  leave(key: string): void {
    this.#holders.delete(key)
    for (const allotment of this.#all()) allotment.leave(key)
    for (const { inFlight } of this.#shared.values()) inFlight.delete(key)
  }

  wish(key: string, id: string, wish: Wish, nowMs: number): void {
    const shared = this.#shared.get(id)
    if (!shared) return
    shared.inFlight.set(key, wish.inFlight)
    for (const allotment of shared.allotments.values()) allotment.wish(key, wish, nowMs)
  }

  /** The process took the plan of `edition`, and is within its share of this intent. */
  confirm(key: string, id: string, edition: number): void {
    const shared = this.#shared.get(id)
    for (const allotment of shared?.allotments.values() ?? []) allotment.confirm(key, edition)
  }

  /** True when some share is to be sent as part of `edition`. */
  deal(edition: number, nowMs: number): boolean {
    let changed = false
    for (const { frozen, allotments } of this.#shared.values()) {
      if (frozen) continue
      for (const allotment of allotments.values()) {
        if (allotment.deal(edition, nowMs)) changed = true
      }
    }
    return changed
  }

  sharesOf(key: string): Map<string, Shares> {
    const all = new Map<string, Shares>()
    for (const [id, { allotments }] of this.#shared) {
      if (allotments.size === 0) continue
      const shares: { [field: string]: number } = {}
      for (const [field, allotment] of allotments) shares[field] = allotment.share(key)
      all.set(id, shares)
    }
    return all
  }

  parts(id: string): Part[] {
    const allotments = [...(this.#shared.get(id)?.allotments ?? [])]
    return allotments.flatMap(([field, allotment]) =>
      allotment
        .shares()
        .map(({ key, share, live, bound }) =>
          live
            ? { key, field, share, stranded: false }
            : { key, field, share: bound, stranded: bound > 0 },
        ),
    )
  }

  /** Of all that said so; undefined for an intent that nobody shares. */
  inFlight(id: string): number | undefined {
    const shared = this.#shared.get(id)
    if (!shared || shared.allotments.size === 0) return undefined
    let sum = 0
    for (const inFlight of shared.inFlight.values()) sum += inFlight
    return sum
  }

  #take(standing: Standing, known: Shared | undefined, edition: number): void {
    const allotments = new Map<string, Allotment>()
    for (const [field, { limit, unit }] of sharedLimits(readIntent(standing.intent))) {
      const before = known?.allotments.get(field)
      before?.setLimit(limit)
      allotments.set(field, before ?? this.#allotment(limit, unit, edition))
    }
    this.#shared.set(standing.id, {
      version: standing.version,
      frozen: standing.state === 'releasing',
      allotments,
      inFlight: known?.inFlight ?? new Map(),
    })
  }

  #allotment(limit: number, unit: SharedUnit, edition: number): Allotment {
    const allotment = new Allotment(limit, unit, this.#unheard)
    for (const [key, live] of this.#holders) {
      if (!live) continue
      allotment.join(key, undefined, edition)
    }
    return allotment
  }

  *#all(): Iterable<Allotment> {
    for (const { allotments } of this.#shared.values()) yield* allotments.values()
  }
}
