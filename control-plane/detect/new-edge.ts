/**
 * Somebody calls who never called: told once, when the landscape is known well enough to say so.
 */
import type { Finding } from './finding.ts'

/** For how long an edge is new. */
export const NEW_MS = 300_000
/** In its first minute a landscape is new as a whole. */
export const LEARNING_MS = 60_000

/** `learntMs`: since when there are signals at all. Times are Unix ms. */
export function newEdge(firstSeenMs: number, learntMs: number, nowMs: number): Finding | undefined {
  if (firstSeenMs - learntMs < LEARNING_MS || nowMs - firstSeenMs > NEW_MS) return undefined
  const seconds = Math.max(0, Math.round((nowMs - firstSeenMs) / 1_000))
  return { kind: 'new-edge', word: 'new', why: `first seen ${seconds} s ago` }
}
