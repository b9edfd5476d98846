/** Windows of nodes, second by second from T0, for tests of what is made of them. */
import { type Landscape, WINDOWS_MAX } from '../../landscape/landscape.ts'
import { type EdgeCounts, emptyCounts } from '../../landscape/signal.ts'
import type { Stretch } from '../../landscape/stretch.ts'
import type { EdgeWindow, NodeWindow } from '../../landscape/window.ts'

/** A wall second to begin at: no multiple of the ring's length. */
export const T0 = 1_700_000_123

export const edge = (key: string, counts: Partial<EdgeCounts> = {}): EdgeWindow => {
  const [source = '', target = ''] = key.split('..')
  return { ...emptyCounts(), source, target, protocol: 'http1', ...counts }
}

/** The window of second T0 + sequence, unless said otherwise. */
export const windowOf = (
  sequence: number,
  edges: readonly EdgeWindow[] = [],
  more: Partial<NodeWindow> = {},
): NodeWindow => ({
  epoch: 1,
  sequence,
  startUnixMs: (T0 + sequence) * 1000 + 20,
  lengthMs: 1000,
  edges,
  ...more,
})

export const ms = (second: number): number => (T0 + second) * 1000
/** All of the ring, as seen at second `now`. */
export const whole = (landscape: Landscape, now: number): Stretch =>
  landscape.between(ms(now - WINDOWS_MAX + 1), ms(now + 1))
export const countsOf = (stretch: Stretch, key: string): EdgeCounts | undefined =>
  stretch.edges.find(({ edge: { key: found } }) => found === key)?.counts
export const startedIn = (stretch: Stretch): number =>
  stretch.edges.reduce((sum, { counts }) => sum + counts.started, 0)
