/** What each intent has done: since it was applied, and in the last ten seconds. Counts only. */
import { PLAN_MAX } from '../policies/plan.ts'
import type { PolicySignal } from '../wire/gen/airspace_pb.ts'

/** The stretch that counts as recent. */
export const RECENT_S = 10
/** Those of ended intents included. */
export const TOTALS_MAX = PLAN_MAX + 1_000

const FIELDS = [
  'matched',
  'refused',
  'delayed',
  'delayedMs',
  'wouldRefuse',
  'wouldDelay',
  'cut',
  'wouldCut',
] as const

export type PolicyCounts = { [field in (typeof FIELDS)[number]]: number }

export const noCounts = (): PolicyCounts => ({
  ...{ matched: 0, refused: 0, delayed: 0, delayedMs: 0 },
  ...{ wouldRefuse: 0, wouldDelay: 0, cut: 0, wouldCut: 0 },
})

interface Total {
  readonly all: PolicyCounts
  /** By second, newest last. */
  readonly seconds: { readonly second: number; readonly counts: PolicyCounts }[]
}

/** Beyond what any node can do in a window. */
const COUNT_MAX = 1e12

export class PolicyTotals {
  readonly #totals = new Map<string, Total>()
  /** Signals that were left out: a count that is none, or an intent too many. */
  leftOut = 0

  add(signal: PolicySignal, second: number): void {
    const counts = noCounts()
    for (const field of FIELDS) {
      const value = Number(signal[field])
      if (!(value >= 0 && value <= COUNT_MAX)) {
        this.leftOut += 1
        return
      }
      counts[field] = value
    }
    const total = this.#totalOf(signal.id)
    if (!total) return
    addTo(total.all, counts)
    const { seconds } = total
    const same = seconds.find((each) => each.second === second)
    if (same) addTo(same.counts, counts)
    else seconds.push({ second, counts })
    while (seconds.length > RECENT_S * 2) seconds.shift()
  }

  total(id: string): PolicyCounts {
    return this.#totals.get(id)?.all ?? noCounts()
  }

  /** Of the seconds after `second - RECENT_S`, up to and with `second`. */
  recent(id: string, second: number): PolicyCounts {
    const sum = noCounts()
    for (const each of this.#totals.get(id)?.seconds ?? []) {
      if (each.second > second - RECENT_S && each.second <= second) addTo(sum, each.counts)
    }
    return sum
  }

  ids(): Iterable<string> {
    return this.#totals.keys()
  }

  /** Intents that are not even shown any more. */
  keepOnly(shown: (id: string) => boolean): void {
    for (const id of this.#totals.keys()) if (!shown(id)) this.#totals.delete(id)
  }

  #totalOf(id: string): Total | undefined {
    const known = this.#totals.get(id)
    if (known) return known
    if (this.#totals.size >= TOTALS_MAX) {
      this.leftOut += 1
      return undefined
    }
    const total = { all: noCounts(), seconds: [] }
    this.#totals.set(id, total)
    return total
  }
}

function addTo(into: PolicyCounts, other: PolicyCounts): void {
  for (const field of FIELDS) into[field] += other[field]
}
