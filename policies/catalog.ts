/**
 * Every pattern there is, in the order it is asked. Final answers first, then health, then pace;
 * capacity last, so that a waiting call holds no slot. (`steer` and `fault` will follow it.)
 */
import { backpressure } from './backpressure.ts'
import { breaker } from './breaker.ts'
import { bulkhead } from './bulkhead.ts'
import type { Pattern } from './pattern.ts'
import { quarantine } from './quarantine.ts'
import { segment } from './segment.ts'

export const catalog: readonly Pattern[] = [quarantine, segment, breaker, backpressure, bulkhead]

export const kinds: readonly string[] = catalog.map(({ kind }) => kind)

export const patternOf = (kind: string): Pattern | undefined =>
  catalog.find((pattern) => pattern.kind === kind)

/** Where a pattern stands in the order. */
export const orderOf = (pattern: Pattern): number => catalog.indexOf(pattern)
