/**
 * The absence of a message is a failure: an edge that was steadily busy goes quiet. Quiet means
 * longer than its own pauses, and longer than chance would have it at its own rate. Asked only
 * while every node reports: a silent node says nothing about an edge.
 */
import { type Finding, number } from './finding.ts'
import type { Seen, Usual } from './usual.ts'

/** Known for so long, with so many calls, and busy in nearly every second of it. */
const KNOWN_S = 60
const CALLS_MIN = 30
const BUSY = 0.5
/** Calls that should have come meanwhile: by chance alone none would come once in 160,000. */
const AWAITED = 12
const QUIET_S_MIN = 10
/** Times the longest pause that it ever made. */
const PAUSES = 3

export function silentEdge(usual: Usual, seen: Seen): Finding | undefined {
  const { seconds, calls, started, quietS, longestQuietS, busy } = usual
  if (quietS === 0 || seconds - quietS < KNOWN_S || busy < BUSY * (59 / 60) ** quietS) {
    return undefined
  }
  // What is under way is not silent; if it never ends, that is another finding.
  if (!seen.opaque && seen.counts.inFlight > 0) return undefined
  if (!seen.opaque && (calls < CALLS_MIN || started * quietS < AWAITED)) return undefined
  if (quietS < Math.max(QUIET_S_MIN, longestQuietS * PAUSES)) return undefined
  const before = seen.opaque
    ? `it carried ${number(usual.bytesIn)} B/s`
    : `it made ${number(started)} calls a second`
  return {
    kind: 'silent-edge',
    word: 'silent',
    why: `nothing for ${quietS} s; until then ${before}`,
  }
}
