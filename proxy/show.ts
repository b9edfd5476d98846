/** What a node tells of itself on its admin port: plain objects, in the operators' words. */
import { quantileOf } from '../landscape/histogram.ts'
import { describeIntent } from '../policies/intent.ts'
import type { Use } from '../policies/tend.ts'
import type { Enforcement } from './enforce.ts'
import { EDGE } from './meter.ts'
import type { Windows } from './window.ts'

const whole = (ms: number): number => Math.max(0, Math.round(ms))

/** What is in force here, and what was ended by hand or given back. */
export function showPlan(enforcement: Enforcement, uses: readonly Use[], nowMs: number): object {
  const { holdings, poisoned, kept, bound } = enforcement
  const useOf = new Map(uses.map((use) => [use.id, use]))
  return {
    ...holdings.name,
    kept,
    epoch: bound.epoch,
    patterns: holdings.inForce(nowMs).map(({ holding, bound, endsMs, releasingMs }) => {
      const { intent, version, shares } = holding
      return {
        id: intent.id,
        kind: intent.pattern.kind,
        text: describeIntent(intent),
        from: intent.from.text,
        to: intent.to.text,
        mode: intent.mode,
        state: releasingMs === undefined ? 'in force' : 'releasing',
        version,
        remainingMs: whole(endsMs - nowMs),
        ...(releasingMs === undefined ? {} : { releasingMs: whole(releasingMs) }),
        shares,
        settings: bound.settings,
        percent: bound.percent,
        inFlight: useOf.get(intent.id)?.inFlight ?? 0,
        reason: intent.reason,
        owner: intent.owner,
      }
    }),
    releasedHere: holdings.released(),
    givenBack: poisoned,
  }
}

/** Every edge since the start: counts, and latencies as quantiles in ms. */
export function showEdges(windows: Windows, nowMs: number): object {
  const edges = [...windows.edges.values()].filter(({ counts }) => counts.some((n) => n !== 0))
  const ms = (us: number): number | null => (Number.isNaN(us) ? null : us / 1000)
  return {
    edges: edges.map(({ source, target, protocol, counts, buckets }) => ({
      source,
      target,
      protocol,
      started: counts[EDGE.started],
      succeeded: counts[EDGE.succeeded],
      failed: counts[EDGE.failed],
      ignored: counts[EDGE.ignored],
      refused: counts[EDGE.refused],
      inFlight: counts[EDGE.inFlight],
      connections: counts[EDGE.connections],
      connectionsOpen: counts[EDGE.connections]! - counts[EDGE.connectionsClosed]!,
      bytesIn: counts[EDGE.bytesIn],
      bytesOut: counts[EDGE.bytesOut],
      p50Ms: ms(quantileOf(buckets, 0.5)),
      p99Ms: ms(quantileOf(buckets, 0.99)),
      maxMs: counts[EDGE.latencyMaxUs]! / 1000,
      idleMs: counts[EDGE.lastByteMs] === 0 ? null : whole(nowMs - counts[EDGE.lastByteMs]!),
    })),
  }
}
