/** What a node saw of all its edges in about a second. Sent until acknowledged, so seen twice. */
import type { EdgeCounts } from './signal.ts'

export interface EdgeWindow extends EdgeCounts {
  readonly source: string
  readonly target: string
  /** http1, opaque. */
  readonly protocol: string
}

/**
 * An edge on which nothing started, ended or is in flight is left out, so an edge that is missing
 * from a node's newer window has nothing in flight there.
 */
export interface NodeWindow {
  /** Of the node's process. */
  readonly epoch: number
  /** 1, 2, 3 ... in an epoch. */
  readonly sequence: number
  /** The node's clock. */
  readonly startUnixMs: number
  readonly lengthMs: number
  /** The node's clock again, as the window left: tells how far that clock is from ours. */
  readonly sentUnixMs?: number
  /** How many before this one the node had to drop from its buffer. */
  readonly forgottenWindows?: number
  readonly edges: readonly EdgeWindow[]
}
