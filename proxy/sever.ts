/**
 * A new plan meets what is already under way. Who waits at the gate is asked again; running
 * exchanges are paced by the new policies; and a policy that is new, or has changed, and that
 * refuses all it covers, ends what it covers as its `existing` says. Policies that were there
 * before have had their say: changing one intent cuts nothing that another covers.
 */
import type { BoundIntent } from '../policies/plan.ts'
import type { Policy } from '../policies/policy.ts'
import { WORKER } from './meter.ts'
import type { Connection, Surroundings } from './surroundings.ts'

/** The versions of a plan's intents, by id. */
export type Versions = ReadonlyMap<string, number>

export const versionsOf = (bound: readonly BoundIntent[]): Versions =>
  new Map(bound.map(({ intent, version }) => [intent.id, version]))

export function meetPlan(around: Surroundings, before: Versions, nowMs: number): void {
  const fresh = new Set<string>()
  for (const [id, version] of versionsOf(around.policies.intents)) {
    if (before.get(id) !== version) fresh.add(id)
  }
  // A copy: what is woken or severed leaves the set, and what turns to HTTP joins it.
  for (const connection of [...around.connections]) {
    if (fresh.size > 0) meetPolicies(around, connection, fresh, nowMs)
    connection.replanned(nowMs)
  }
}

function meetPolicies(
  around: Surroundings,
  connection: Connection,
  fresh: ReadonlySet<string>,
  nowMs: number,
): void {
  const { exchange } = connection
  if (exchange?.state !== 'running') return
  for (const policy of exchange.route.policies) {
    if (!fresh.has(policy.id) || !policy.severs || policy.existing === 'keep') continue
    if (policy.picks(exchange.chance) && end(around, connection, policy, nowMs)) return
  }
}

/** Whether it is severed, so that no other policy need be asked. */
function end(around: Surroundings, connection: Connection, policy: Policy, nowMs: number): boolean {
  const { meter } = around
  if (policy.observed) {
    meter.wouldCut(policy)
    return false
  }
  meter.cut(policy)
  if (policy.existing === 'drain') {
    connection.drainBy(policy, nowMs + policy.graceMs, nowMs)
    return false
  }
  meter.add(WORKER.severed, 1)
  connection.sever(policy, nowMs)
  return true
}
