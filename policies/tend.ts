/**
 * What main does for the policies each second: it tells patterns what no single call can know
 * (the median latency, the sources at work), and says how much of each limit is in use.
 */
import type { Cells, Place } from './cells.ts'
import type { Intent } from './intent.ts'
import type { Sight } from './pattern.ts'
import type { BoundIntent } from './plan.ts'
import { policyKey } from './policy.ts'

/** The keys of all rows that a plan's intents may have: for `Cells.reclaim`. */
export const liveKeys = (bound: readonly BoundIntent[]): string[] =>
  bound.map(({ intent }) => policyKey(intent))

export function tend(
  cells: Cells,
  bound: readonly BoundIntent[],
  sightOf: (intent: Intent) => Sight,
  nowMs: number,
): void {
  cells.moveClocks(nowMs)
  const tended = bound.filter(({ intent }) => intent.pattern.tend !== undefined)
  const places = cells.places(liveKeys(tended))
  for (const { intent, settings } of tended) {
    const sight = sightOf(intent)
    for (const states of scopesOf(cells, intent, places)) {
      intent.pattern.tend?.(states, settings, sight, nowMs)
    }
  }
}

/** How much of an intent's limits is used on this node. */
export interface Use {
  readonly id: string
  readonly inFlight: number
  /** What is in flight is within the limits: what a lowered share gave up may go to others. */
  readonly under: boolean
}

export function useOf(cells: Cells, bound: readonly BoundIntent[]): Use[] {
  const counted = bound.filter(({ intent }) => intent.pattern.inFlight !== undefined)
  const places = cells.places(liveKeys(counted))
  return bound.map(({ intent, settings }) => {
    const { pattern, id } = intent
    let inFlight = 0
    let under = true
    for (const states of scopesOf(cells, intent, places)) {
      for (const state of states) {
        inFlight += pattern.inFlight?.(state) ?? 0
        under &&= pattern.under?.(state, settings) ?? true
      }
    }
    return { id, inFlight, under }
  })
}

/** The states of a policy, those that share a row together. */
function scopesOf(cells: Cells, intent: Intent, places: Map<string, Place[]>): unknown[][] {
  const { pattern } = intent
  const found = places.get(policyKey(intent)) ?? []
  if (found.length === 0) return [] // no call has met it yet
  const scopes = new Map<string, Place[]>()
  for (const place of found) {
    const those = scopes.get(place.scope)
    if (those) those.push(place)
    else scopes.set(place.scope, [place])
  }
  return [...scopes.values()].map((those) => {
    const shared = those.find((place) => place.shared)
    if (shared === undefined) return [] // a worker is just about to make it
    const owns = pattern.apart ? those.filter((place) => place !== shared) : [shared]
    return owns.map((own) => pattern.cells(cells.at(shared.index), 'on', cells.at(own.index)))
  })
}
