/**
 * An edge with its four signals: requests, latency, concurrency, bandwidth. What travels is counts
 * of a window; rates and percentiles are computed here.
 */
import { emptyBuckets, quantileOf, unpackInto } from '../../landscape/histogram.ts'
import type { EdgeSignal, EdgeView, Landscape } from '../../wire/gen/airspace_pb.ts'
import { iso } from '../output.ts'
import type { Tone } from '../printable.ts'
import type { Column } from '../table.ts'
import { bytes, edgeName, latency, percentCell, short, sparkline } from '../words.ts'

export interface Flow {
  readonly started: number
  readonly succeeded: number
  readonly failed: number
  readonly ignored: number
  readonly refused: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly inFlight: number
  readonly inFlightMax: number
  readonly connections: number
  readonly connectionsOpen: number
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
  readonly idleMs: number
}

export interface EdgeRow extends Flow {
  readonly source: string
  readonly target: string
  readonly protocol: string
  readonly verdict: string
  readonly why: string
  readonly patterns: readonly string[]
  readonly nodes: number
  readonly firstSeen: string | null
  /** p99 in ms, a point for each part of the stretch. */
  readonly trendMs: readonly number[]
}

/** Of counts over `seconds`. Requests asked for are those that entered and those refused. */
export function flowOf(signal: EdgeSignal | undefined, seconds: number): Flow {
  const counts = emptyBuckets()
  unpackInto(signal?.latencyBuckets ?? [], counts)
  const maxMs = (signal?.latencyMaxUs ?? 0) / 1e3
  const quantileMs = (q: number): number => {
    return quantileOf(counts, q, maxMs > 0 ? maxMs * 1e3 : undefined) / 1e3
  }
  const per = (value: number): number => (seconds > 0 ? value / seconds : Number.NaN)
  const started = Number(signal?.started ?? 0n)
  const refused = Number(signal?.refused ?? 0n)
  return {
    started,
    succeeded: Number(signal?.succeeded ?? 0n),
    failed: Number(signal?.failed ?? 0n),
    ignored: Number(signal?.ignored ?? 0n),
    refused,
    requestsPerSecond: per(started + refused),
    p50Ms: quantileMs(0.5),
    p99Ms: quantileMs(0.99),
    maxMs,
    inFlight: signal?.inFlight ?? 0,
    inFlightMax: signal?.inFlightMax ?? 0,
    connections: Number(signal?.connections ?? 0n),
    connectionsOpen: signal?.connectionsOpen ?? 0,
    bytesInPerSecond: per(signal?.bytesIn ?? 0),
    bytesOutPerSecond: per(signal?.bytesOut ?? 0),
    idleMs: signal?.idleMs ?? 0,
  }
}

export function edgeRow(view: EdgeView, seconds: number): EdgeRow {
  return {
    source: view.signal?.source ?? '',
    target: view.signal?.target ?? '',
    protocol: view.signal?.protocol ?? '',
    verdict: view.verdict,
    why: view.why,
    patterns: view.patterns,
    nodes: view.nodes,
    firstSeen: iso(view.firstSeenUnixMs),
    ...flowOf(view.signal, seconds),
    trendMs: view.trend,
  }
}

export function edgeRows(landscape: Landscape): EdgeRow[] {
  const seconds = (landscape.toUnixMs - landscape.fromUnixMs) / 1e3
  return landscape.edges.map((view) => edgeRow(view, seconds))
}

/** Worst first: what is stuck is worse than what is slow. */
const GRAVITY: readonly string[] = ['stuck', 'stressed', 'silent', 'new', 'normal']

export const verdictTone = (verdict: string): Tone | undefined => {
  if (verdict === 'stuck') return 'bad'
  if (verdict === 'stressed' || verdict === 'silent') return 'warn'
  return verdict === 'normal' ? undefined : 'strong'
}

const finite = (value: number): number => (Number.isFinite(value) ? value : -1)

type Order = (a: EdgeRow, b: EdgeRow) => number
const most =
  (of: (row: EdgeRow) => number): Order =>
  (a, b) =>
    finite(of(b)) - finite(of(a))

const gravity = ({ verdict }: EdgeRow): number => {
  const place = GRAVITY.indexOf(verdict)
  return place < 0 ? GRAVITY.length : place
}

/** What edges can be sorted by; ties fall to the name, so that rows do not jump about. */
export const EDGE_ORDERS: { readonly [name: string]: Order } = {
  verdict: (a, b) => gravity(a) - gravity(b) || finite(b.p99Ms) - finite(a.p99Ms),
  rps: most((row) => row.requestsPerSecond),
  p50: most((row) => row.p50Ms),
  p99: most((row) => row.p99Ms),
  inflight: most((row) => row.inFlight),
  bytes: most((row) => row.bytesInPerSecond + row.bytesOutPerSecond),
  fail: most((row) => row.failed / (row.succeeded + row.failed)),
  refused: most((row) => row.refused),
  name: () => 0,
}

export function sorted(rows: readonly EdgeRow[], by: string): EdgeRow[] {
  const order = EDGE_ORDERS[by]!
  const named: Order = (a, b) =>
    a.source.localeCompare(b.source, 'en') || a.target.localeCompare(b.target, 'en')
  return [...rows].sort((a, b) => order(a, b) || named(a, b))
}

export const EDGE_COLUMNS: readonly Column<EdgeRow>[] = [
  { title: 'SOURCE → TARGET', cell: (row) => edgeName(row.source, row.target) },
  { title: 'VERDICT', cell: (row) => row.verdict, tone: (row) => verdictTone(row.verdict) },
  { title: 'R/S', align: 'right', cell: (row) => short(row.requestsPerSecond) },
  { title: 'p50', align: 'right', cell: (row) => latency(row.p50Ms) },
  { title: 'p99', align: 'right', cell: (row) => latency(row.p99Ms) },
  { title: 'INFL', align: 'right', cell: (row) => short(row.inFlight) },
  {
    title: 'BYTES/S',
    align: 'right',
    cell: (row) => bytes(row.bytesInPerSecond + row.bytesOutPerSecond),
  },
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
  { title: 'PATTERN', cell: (row) => row.patterns.join(' ') },
]

export const trendColumn = (title: string): Column<EdgeRow> => ({
  title,
  cell: (row) => sparkline(row.trendMs.map((ms) => (ms > 0 ? ms : Number.NaN))),
})
