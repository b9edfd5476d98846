/**
 * How an intent lets go. Opened at once, it would flood the target with its callers' backlog; so
 * a limit doubles every five seconds from where it was, and what has no limit is about fewer and
 * fewer calls. After `rampMs` it is gone. (Sentinel warms up alike, in 10 s; Envoy scales.)
 */
import type { Intent } from './intent.ts'
import type { Field, Fields, Setting, SettingsOf } from './settings.ts'

export const DOUBLING_MS = 5000
/** How often a release takes a step. */
export const RAMP_STEP_MS = 1000

/** What an intent comes to at a node now. */
export interface Effect {
  readonly settings: SettingsOf<Fields>
  readonly percent: number
}

export type Shares = { readonly [field: string]: number }

/** With the node's shares, and `releasingMs` into its ramp; undefined once that has ended. */
export function effectOf(intent: Intent, shares: Shares = {}, releasingMs?: number) {
  if (releasingMs !== undefined && releasingMs >= intent.rampMs) return undefined
  const { fields } = intent.pattern
  const growth = releasingMs === undefined ? 1 : 2 ** (releasingMs / DOUBLING_MS)
  const settings: { [name: string]: Setting | undefined } = { ...intent.settings }
  let limited = false
  for (const [name, field] of Object.entries(fields)) {
    const whole = settings[name]
    if (typeof whole !== 'number' || !isShared(field)) continue
    limited = true
    settings[name] = grown(field, shares[name] ?? whole, growth)
  }
  for (const [name, field] of Object.entries(fields)) {
    const whole = settings[name]
    if (typeof whole !== 'number' || !('follows' in field) || !field.follows) continue
    const all = intent.settings[field.follows]
    const part = settings[field.follows]
    if (typeof all === 'number' && typeof part === 'number') settings[name] = (whole * part) / all
  }
  const fading = releasingMs === undefined || limited ? 1 : 1 - releasingMs / intent.rampMs
  return { settings, percent: intent.percent * fading }
}

const isShared = (field: Field): boolean => 'shared' in field && field.shared === true

/** A share of nothing grows too: from one (a second) at the first step. */
function grown(field: Field, share: number, growth: number): number {
  if (growth === 1) return share
  const limit = Math.max(share, 1) * growth
  const max = 'max' in field ? field.max : limit
  return Math.min(max, field.unit === 'count' ? Math.floor(limit) : limit)
}
