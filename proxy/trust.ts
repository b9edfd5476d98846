/**
 * A plan that kills workers is given back. Two deaths within a minute of a version's arrival make
 * it suspect: the node goes on with what it held before and refuses that version from then on, also
 * after a restart. The process goes back by itself rather than ending: on a laptop nobody would
 * start it again, and what is proven bad is the plan, not the process.
 */
import type { Plan } from '../policies/plan.ts'
import type { Complaint } from './follow.ts'
import { type Holdings, type Named, PROOF_MS } from './holdings.ts'

export const DEATHS_MAX = 2
/** Of more poisoned versions than this the oldest are forgotten. */
export const POISONED_MAX = 1_000

export class Trust {
  #deaths: number[] = []
  #poisoned: readonly Named[]

  constructor(poisoned: readonly Named[] = []) {
    this.#poisoned = poisoned.slice(-POISONED_MAX)
  }

  get poisoned(): readonly Named[] {
    return this.#poisoned
  }

  /** A worker has died: what is to be held from now on, if that is not what is held now. */
  died(holdings: Holdings, nowMs: number): Holdings | undefined {
    this.#deaths = [...this.#deaths, nowMs].filter((atMs) => nowMs - atMs < PROOF_MS)
    const suspects = holdings.suspects((sinceMs) => {
      const since = this.#deaths.filter((atMs) => atMs >= sinceMs && atMs - sinceMs < PROOF_MS)
      return since.length >= DEATHS_MAX
    })
    return suspects.length === 0 ? undefined : this.poison(holdings, suspects)
  }

  poison(holdings: Holdings, suspects: readonly Named[]): Holdings {
    this.#poisoned = [...this.#poisoned, ...suspects].slice(-POISONED_MAX)
    this.#deaths = []
    return holdings.reverting(suspects)
  }

  complaint({ holdings }: Plan): Complaint | undefined {
    const at = holdings.findIndex(({ intent, version }) =>
      this.#poisoned.some((one) => one.id === intent.id && one.version === version),
    )
    const found = holdings[at]
    if (!found) return undefined
    return {
      path: `holdings[${at}]`,
      reason:
        `${found.intent.id} of revision ${found.version} was new when ${DEATHS_MAX} workers ` +
        'died; release it, or apply it changed',
    }
  }
}
