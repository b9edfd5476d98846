/**
 * Five policies, one of each pattern, on the edge web..target: all of what a decision costs, and
 * every call passes. Quarantine and segment have no settings under which they are about an edge
 * and let it pass, so they are observed: asked and counted all the same.
 */
import type { IntentText } from '../../policies/intent.ts'

const edge = { from: '*', to: 'target' }
const observed = { ...edge, mode: 'observe' }

export const five: readonly IntentText[] = [
  { id: 'q', kind: 'quarantine', ...observed, settings: { direction: 'in' } },
  { id: 's', kind: 'segment', ...observed, settings: { action: 'deny' } },
  { id: 'c', kind: 'breaker', ...edge, settings: { state: 'auto' } },
  { id: 'p', kind: 'backpressure', ...edge, settings: { ratePerSecond: 100_000 } },
  { id: 'b', kind: 'bulkhead', ...edge, settings: { maxInFlight: 100_000 } },
]

/** Connections are kept: what is measured is when the next call on one is refused. */
export const deny: IntentText = {
  id: 'd',
  kind: 'segment',
  ...edge,
  settings: { action: 'deny' },
  existing: 'keep',
  reason: 'bench',
}
