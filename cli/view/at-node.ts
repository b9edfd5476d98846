/** What a single node tells of itself: its counts since it started, and what it enforces. */

import { serviceNamed } from '../../landscape/service.ts'
import { readSet } from '../../landscape/service-set.ts'
import type { Ends } from '../ends.ts'
import { misused } from '../failure.ts'
import type { Column } from '../table.ts'
import { bytes, count, duration, edgeName, latency, percentCell, short } from '../words.ts'

/** As GET /edges has it. */
export interface NodeEdge {
  readonly source: string
  readonly target: string
  readonly started: number
  readonly succeeded: number
  readonly failed: number
  readonly refused: number
  readonly inFlight: number
  readonly connectionsOpen: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly idleMs: number | null
}

/** As GET /plan has it. */
export interface NodePlan {
  readonly revision: number
  readonly patterns: readonly NodePattern[]
}

export interface NodePattern {
  readonly id: string
  readonly kind: string
  readonly text: string
  readonly from: string
  readonly to: string
  readonly state: string
  readonly remainingMs: number
  readonly inFlight: number
  readonly reason: string
}

/** Names a node knows; labels are for the control plane's directory to say. */
export function between(edges: readonly NodeEdge[], { from, to }: Ends): NodeEdge[] {
  for (const set of [from, to]) {
    if (!set.includes('=')) continue
    throw misused(`'${set}': a single node is asked by names, not by labels`)
  }
  const [sources, targets] = [readSet(from), readSet(to)]
  return edges.filter(({ source, target }) => {
    return sources.has(serviceNamed(source)) && targets.has(serviceNamed(target))
  })
}

const milliseconds = (value: number | null): number => value ?? Number.NaN

export const NODE_EDGE_COLUMNS: readonly Column<NodeEdge>[] = [
  { title: 'SOURCE → TARGET', cell: (row) => edgeName(row.source, row.target) },
  { title: 'STARTED', align: 'right', cell: (row) => count(row.started) },
  { title: 'p50', align: 'right', cell: (row) => latency(milliseconds(row.p50Ms)) },
  { title: 'p99', align: 'right', cell: (row) => latency(milliseconds(row.p99Ms)) },
  { title: 'INFL', align: 'right', cell: (row) => short(row.inFlight) },
  { title: 'OPEN', align: 'right', cell: (row) => short(row.connectionsOpen) },
  { title: 'IN', align: 'right', cell: (row) => bytes(row.bytesIn) },
  { title: 'OUT', align: 'right', cell: (row) => bytes(row.bytesOut) },
  {
    title: 'FAIL',
    align: 'right',
    cell: (row) => percentCell(row.failed, row.succeeded + row.failed),
  },
  {
    title: 'REFUSED',
    align: 'right',
    cell: (row) => percentCell(row.refused, row.started + row.refused),
  },
  { title: 'IDLE', align: 'right', cell: (row) => duration(milliseconds(row.idleMs)) },
]

export const NODE_PATTERN_COLUMNS: readonly Column<NodePattern>[] = [
  { title: 'ID', cell: (row) => row.id },
  { title: 'PATTERN', cell: (row) => row.kind },
  { title: 'SOURCE → TARGET', cell: (row) => edgeName(row.from, row.to) },
  { title: 'WHAT', cell: (row) => row.text, widest: 72 },
  { title: 'STATE', cell: (row) => row.state },
  { title: 'INFL', align: 'right', cell: (row) => short(row.inFlight) },
  { title: 'LEFT', align: 'right', cell: (row) => duration(row.remainingMs) },
  { title: 'REASON', cell: (row) => row.reason, widest: 60 },
]
