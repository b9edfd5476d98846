/**
 * What this node holds of a plan, and what becomes of it as time goes by, with nobody's help: a
 * lease is counted on the monotonic clock from when its version was first seen, whatever is sent
 * again; at its end the intent lets go by its ramp, or at once. Taking a plan makes a new object
 * and leaves the old one as it was, so that going back is possible and forgets no time.
 *
 *      taken               lease ends            ramp ends
 *        |-- in force ---------|-- releasing --------|  gone, until its next version
 *        |-- in force ----| released by hand: gone
 */
import {
  type BoundIntent,
  type BoundIntentText,
  bind,
  digestOf,
  type Holding,
  type HoldingText,
  type Plan,
  writeBound,
} from '../policies/plan.ts'
import { RAMP_STEP_MS, type Shares } from '../policies/ramp.ts'

/** A version that has been in force so long is not what kills workers now. */
export const PROOF_MS = 60_000

/** An intent as it was at one revision. */
export interface Named {
  readonly id: string
  readonly version: number
}

/** Which plan: what acknowledgements and digests speak of. */
export type PlanName = Pick<Plan, 'ledger' | 'revision' | 'edition' | 'digest'>

export interface InForce {
  readonly holding: Holding
  /** With shares merged in and the ramp applied. */
  readonly bound: BoundIntent
  readonly endsMs: number
  readonly releasingMs: number | undefined
}

interface Held {
  readonly holding: Holding
  /** When this version was first seen. */
  readonly sinceMs: number
  readonly endsMs: number
  /** Known from before a restart: the wall clock had a part in `endsMs`, so the control plane may
   * correct it downwards, once. */
  readonly restored: boolean
  readonly releasingSinceMs: number | undefined
  readonly byHand: boolean
  /** The last version that had proven itself. */
  readonly before: Held | undefined
}

export const NO_PLAN: PlanName = { ledger: '', revision: 0, edition: 0, digest: '' }

export const nameOf = ({ ledger, revision, edition, digest }: PlanName): PlanName => ({
  ledger,
  revision,
  edition,
  digest,
})

export class Holdings {
  readonly name: PlanName
  /** The plan that was in force before there was anything here that has not proven itself. */
  readonly proven: PlanName
  readonly #held: ReadonlyMap<string, Held>

  private constructor(name: PlanName, proven: PlanName, held: ReadonlyMap<string, Held>) {
    this.name = name
    this.proven = proven
    this.#held = held
  }

  static none(): Holdings {
    return new Holdings(NO_PLAN, NO_PLAN, new Map())
  }

  /** A plan from disk, its times already corrected. It was in force before, so it is trusted. */
  static restored(plan: Plan, released: readonly Named[], nowMs: number): Holdings {
    const held = new Map<string, Held>()
    for (const holding of plan.holdings) {
      const { id } = holding.intent
      const byHand = released.some((r) => r.id === id && r.version === holding.version)
      held.set(id, { ...freshly(holding, nowMs), sinceMs: -Infinity, restored: true, byHand })
    }
    return new Holdings(nameOf(plan), nameOf(plan), held)
  }

  get size(): number {
    return this.#held.size
  }

  /** Whether each version was here before: a plan of nothing new may go without the disk. */
  addsNothingTo(before: Holdings): boolean {
    return [...this.#held].every(
      ([id, { holding }]) => before.#held.get(id)?.holding.version === holding.version,
    )
  }

  taking(plan: Plan, nowMs: number): Holdings {
    const held = new Map<string, Held>()
    for (const holding of plan.holdings) {
      const { id } = holding.intent
      const old = this.#held.get(id)
      if (old?.holding.version === holding.version) held.set(id, again(old, holding, nowMs))
      else {
        const before = old && (isProven(old, nowMs) ? { ...old, before: undefined } : old.before)
        held.set(id, { ...freshly(holding, nowMs), before })
      }
    }
    const young = [...this.#held.values()].some((one) => !isProven(one, nowMs))
    return new Holdings(nameOf(plan), young ? this.proven : this.name, held)
  }

  /** Ends an intent, or all, on this node alone and at once. Returns the ids that were there. */
  releasing(id: string | undefined): { readonly holdings: Holdings; readonly ids: string[] } {
    const held = new Map(this.#held)
    const ids: string[] = []
    for (const [key, one] of this.#held) {
      if (id !== undefined && key !== id) continue
      ids.push(key)
      held.set(key, { ...one, byHand: true })
    }
    return { holdings: new Holdings(this.name, this.proven, held), ids }
  }

  /** Versions by when they were first seen: see trust.ts. */
  suspects(isSuspect: (sinceMs: number) => boolean): readonly Named[] {
    return [...this.#held.values()]
      .filter(({ sinceMs }) => isSuspect(sinceMs))
      .map(({ holding }) => ({ id: holding.intent.id, version: holding.version }))
  }

  /** Without some of its versions: the proven ones before them instead, if there are any. */
  reverting(suspects: readonly Named[]): Holdings {
    const held = new Map(this.#held)
    for (const { id } of suspects) {
      const before = held.get(id)?.before
      if (before) held.set(id, before)
      else held.delete(id)
    }
    // Not quite the plan before: others may have been released since. Its digest says so.
    const holdings = [...held.values()].map(({ holding }) => holding)
    const name = { ...this.proven, digest: digestOf({ ...this.proven, holdings }) }
    return new Holdings(name, name, held)
  }

  /** What workers are told. */
  bound(nowMs: number, wallMs: number): readonly (BoundIntentText & { untilUnixMs: number })[] {
    return this.inForce(nowMs).map(({ bound, endsMs }) => ({
      ...writeBound(bound),
      untilUnixMs: wallMs + endsMs - nowMs,
    }))
  }

  /** When `bound` will next say something else; Infinity if only a plan can change it. */
  nextMs(nowMs: number): number {
    let next = Infinity
    for (const held of this.#held.values()) {
      if (isGone(held, nowMs)) continue
      const intoMs = releasingMs(held, nowMs)
      if (intoMs === undefined) next = Math.min(next, held.endsMs)
      else {
        const steps = Math.floor(intoMs / RAMP_STEP_MS) + 1
        const into = Math.min(steps * RAMP_STEP_MS, held.holding.intent.rampMs)
        next = Math.min(next, nowMs - intoMs + into)
      }
    }
    return next
  }

  /** In force or releasing now, as this node enforces it. */
  inForce(nowMs: number): readonly InForce[] {
    const found: InForce[] = []
    for (const held of this.#held.values()) {
      if (isGone(held, nowMs)) continue
      const into = releasingMs(held, nowMs)
      const bound = bind(held.holding, into)
      if (bound) {
        found.push({ holding: held.holding, bound, endsMs: held.endsMs, releasingMs: into })
      }
    }
    return found
  }

  /** Those that this node has a share of. */
  shares(): readonly { readonly id: string; readonly shares: Shares }[] {
    return [...this.#held.values()]
      .map(({ holding }) => ({ id: holding.intent.id, shares: holding.shares }))
      .filter(({ shares }) => Object.keys(shares).length > 0)
  }

  /** As it is to be written down: times as they stand now. */
  holdingTexts(nowMs: number): readonly HoldingText[] {
    return [...this.#held.values()].map((held) => {
      const intoMs = releasingMs(held, nowMs)
      const { holding } = held
      return {
        intent: holding.intent.text,
        version: holding.version,
        remainingMs: Math.max(0, held.endsMs - nowMs),
        shares: holding.shares,
        ...(intoMs === undefined ? {} : { releasingMs: intoMs }),
      }
    })
  }

  released(): readonly Named[] {
    return [...this.#held.values()]
      .filter(({ byHand }) => byHand)
      .map(({ holding }) => ({ id: holding.intent.id, version: holding.version }))
  }
}

const isProven = ({ sinceMs }: Held, nowMs: number): boolean => nowMs - sinceMs >= PROOF_MS

const freshly = (holding: Holding, nowMs: number): Held => ({
  holding,
  sinceMs: nowMs,
  endsMs: nowMs + holding.remainingMs,
  restored: false,
  releasingSinceMs: holding.releasingMs === undefined ? undefined : nowMs - holding.releasingMs,
  byHand: false,
  before: undefined,
})

/** The same version once more: shares may have moved and a release begun, the lease runs on. */
function again(old: Held, holding: Holding, nowMs: number): Held {
  const said = holding.releasingMs === undefined ? Infinity : nowMs - holding.releasingMs
  const since = Math.min(said, old.releasingSinceMs ?? Infinity)
  const saidEndsMs = nowMs + holding.remainingMs
  return {
    ...old,
    holding,
    endsMs: old.restored ? Math.min(old.endsMs, saidEndsMs) : old.endsMs,
    restored: false,
    releasingSinceMs: since === Infinity ? undefined : since,
  }
}

/** How far into its ramp; undefined while in force. */
function releasingMs(held: Held, nowMs: number): number | undefined {
  const ended = nowMs >= held.endsMs && held.holding.intent.onExpire === 'ramp'
  const since = Math.min(held.releasingSinceMs ?? Infinity, ended ? held.endsMs : Infinity)
  return since === Infinity ? undefined : nowMs - since
}

function isGone(held: Held, nowMs: number): boolean {
  if (held.byHand) return true
  const intoMs = releasingMs(held, nowMs)
  return intoMs === undefined ? nowMs >= held.endsMs : intoMs >= held.holding.intent.rampMs
}
