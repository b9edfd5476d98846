/** A node: what it ought to enforce beside what it says it enforces. */
import type { NodeView } from '../../wire/gen/airspace_pb.ts'
import type { Column } from '../table.ts'
import { count, duration } from '../words.ts'

export interface NodeRow {
  readonly node: string
  readonly state: string
  readonly expected: boolean
  readonly desired: number
  readonly reported: number
  readonly editionDesired: number
  readonly editionReported: number
  readonly heardMs: number
  readonly windowMs: number
  readonly skewMs: number
  readonly version: string
  readonly workers: number
  readonly gaps: number
  readonly nack: string
}

export const nodeRow = (view: NodeView): NodeRow => ({
  node: view.node,
  state: view.state,
  expected: view.expected,
  desired: Number(view.desired),
  reported: Number(view.reported),
  editionDesired: Number(view.editionDesired),
  editionReported: Number(view.editionReported),
  heardMs: view.heardMs,
  windowMs: view.windowMs,
  skewMs: view.skewMs,
  version: view.version,
  workers: view.workers,
  gaps: Number(view.gaps),
  nack: view.nack,
})

/** '0.8 s old'; of what was never heard, 'never'. */
export const since = (ms: number, word: 'ago' | 'old'): string =>
  Number.isFinite(ms) ? `${duration(ms)} ${word}` : 'never'

export const isBehind = (row: NodeRow): boolean => row.reported < row.desired

export const NODE_COLUMNS: readonly Column<NodeRow>[] = [
  { title: 'NODE', cell: (row) => row.node },
  {
    title: 'STATE',
    cell: (row) => row.state,
    tone: (row) => (row.state === 'silent' ? 'bad' : undefined),
  },
  {
    title: 'REVISION',
    cell: (row) => `${row.reported} of ${row.desired}`,
    tone: (row) => (isBehind(row) ? 'warn' : undefined),
  },
  { title: 'HEARD', align: 'right', cell: (row) => since(row.heardMs, 'ago') },
  { title: 'SIGNALS', align: 'right', cell: (row) => since(row.windowMs, 'old') },
  { title: 'SKEW', align: 'right', cell: (row) => duration(row.skewMs) },
  { title: 'GAPS', align: 'right', cell: (row) => count(row.gaps) },
  { title: 'WORKERS', align: 'right', cell: (row) => count(row.workers) },
  { title: 'VERSION', cell: (row) => row.version },
  { title: 'REFUSED PLAN', cell: (row) => row.nack, widest: 60 },
]
