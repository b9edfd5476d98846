/**
 * Five policies, one of each pattern, on the edge web..target, with limits so high that they
 * never refuse: all of what a decision costs, and nothing else.
 */
import type { IntentText } from '../../policies/intent.ts'

const to = { from: '*', to: 'target' }

export const five: readonly IntentText[] = [
  { id: 'q', kind: 'quarantine', from: '*', to: 'target', settings: { allow: 'web' } },
  { id: 's', kind: 'segment', ...to, settings: { action: 'allow' } },
  { id: 'c', kind: 'breaker', ...to, settings: { state: 'auto' } },
  { id: 'p', kind: 'backpressure', ...to, settings: { ratePerSecond: 1_000_000 } },
  { id: 'b', kind: 'bulkhead', ...to, settings: { maxInFlight: 100_000 } },
]

export const deny: IntentText = {
  id: 'd',
  kind: 'segment',
  ...to,
  settings: { action: 'deny' },
  reason: 'bench',
}
