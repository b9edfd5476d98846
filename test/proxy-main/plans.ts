/** Plans for tests: only what a test is about needs to be said. */
import type { IntentText } from '../../policies/intent.ts'
import {
  digestOf,
  type HoldingText,
  type Plan,
  type PlanText,
  readPlan,
} from '../../policies/plan.ts'

type Holding = Partial<Omit<HoldingText, 'intent'>> & { readonly intent?: Partial<IntentText> }

export interface Sketch {
  readonly ledger?: string
  readonly revision?: number
  readonly edition?: number
  readonly holdings?: readonly Holding[]
}

export const MINUTE = 60_000

export function planText({ holdings = [], ...sketch }: Sketch = {}): PlanText {
  const revision = sketch.revision ?? 1
  const edition = sketch.edition ?? revision
  const full = holdings.map(({ intent, ...rest }, i) => ({
    intent: {
      id: `b${i + 1}`,
      kind: 'bulkhead',
      from: '*',
      to: 'web',
      settings: { maxInFlight: 10 },
      ...intent,
    },
    version: 1,
    remainingMs: 15 * MINUTE,
    shares: {},
    ...rest,
  }))
  const plan = { ledger: sketch.ledger ?? 'ledger', revision, edition, holdings: full }
  return { ...plan, digest: digestOf(plan) }
}

export const planOf = (sketch?: Sketch): Plan => readPlan(planText(sketch))
