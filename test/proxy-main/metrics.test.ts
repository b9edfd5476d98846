/** Prometheus reads what the windows hold: same counts, bounded series. */
import t from 'tap'
import { Meter, metersBytes } from '../../proxy/meter.ts'
import { EDGES_SHOWN_MAX, Metrics } from '../../proxy/metrics.ts'
import { Windows } from '../../proxy/window.ts'

const facts = {
  workersListening: 2,
  workerDeaths: 1,
  windowsBuffered: 3,
  windowsForgotten: 4,
  cellsUsed: 5,
  cellsOverflowed: 0,
  revision: 17,
  edition: 20,
  planKept: true,
  following: false,
}

function world() {
  const windows = new Windows('a', 1n, 0)
  const memory = new SharedArrayBuffer(metersBytes())
  windows.began(0, memory)
  const meter = new Meter(memory, (row) => windows.named(0, row))
  const metrics = new Metrics(
    windows,
    () => facts,
    (id) => (id === 'b1' ? 'bulkhead' : undefined),
  )
  const value = async (series: string): Promise<number | undefined> => {
    const { text } = await metrics.read()
    const line = text.split('\n').find((one) => one.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length + 1))
  }
  return { windows, meter, metrics, value }
}

function call(meter: Meter, row: number, tookMs: number): void {
  meter.started(row)
  meter.bytesIn(row, 10, 1)
  meter.bytesOut(row, 20, 1)
  meter.ended(row, 'success', tookMs)
}

t.test('counts, bytes and latencies by edge, protocols together', async (t) => {
  const { windows, meter, value } = world()
  const [http, opaque] = ['http1', 'opaque'] as const
  call(meter, meter.edgeRow('shop', 'web', http), 1)
  call(meter, meter.edgeRow('shop', 'web', opaque), 40)
  meter.refusedOn(1)
  meter.started(1)
  windows.cut(1000, 0)
  const ends = 'source="shop",target="web"'
  const table: [string, number][] = [
    [`airspace_edge_requests_total{${ends},outcome="success"}`, 2],
    [`airspace_edge_requests_total{${ends},outcome="refused"}`, 1],
    [`airspace_edge_requests_total{${ends},outcome="failure"}`, 0],
    [`airspace_edge_in_flight{${ends}}`, 1],
    [`airspace_edge_bytes_total{${ends},direction="in"}`, 20],
    [`airspace_edge_bytes_total{${ends},direction="out"}`, 40],
    [`airspace_edge_latency_seconds_count{${ends}}`, 2],
    [`airspace_edge_latency_seconds_sum{${ends}}`, 0.041],
    [`airspace_edge_latency_seconds_bucket{le="0.000512",${ends}}`, 0],
    [`airspace_edge_latency_seconds_bucket{le="0.001024",${ends}}`, 1],
    [`airspace_edge_latency_seconds_bucket{le="0.032768",${ends}}`, 1],
    [`airspace_edge_latency_seconds_bucket{le="0.065536",${ends}}`, 2],
    [`airspace_edge_latency_seconds_bucket{le="+Inf",${ends}}`, 2],
    ['airspace_proxy_plan_revision', 17],
    ['airspace_proxy_workers_listening', 2],
    ['airspace_proxy_following', 0],
  ]
  for (const [series, wanted] of table) t.equal(await value(series), wanted, series)
  windows.cut(2000, 0)
  t.equal(await value(`airspace_edge_requests_total{${ends},outcome="success"}`), 2, 'read twice')
})

t.test('refusals by intent and pattern', async (t) => {
  const { windows, value } = world()
  const counts = new Float64Array(8)
  counts[1] = 12
  const latest = new Float64Array(8)
  for (const [id, target] of [
    ['b1', 'web'],
    ['b1', 'db'],
    ['gone', 'web'],
  ] as const) {
    const policy = { id, source: 'shop', target, counts, latest, rows: [] }
    windows.policies.set(`${id} ${target}`, policy)
  }
  t.equal(await value('airspace_refused_total{intent="b1",pattern="bulkhead"}'), 24)
  t.equal(await value('airspace_refused_total{intent="gone",pattern="other"}'), 12)
})

t.test('series are bounded and their sum is exact', async (t) => {
  const { windows, meter, metrics } = world()
  const many = EDGES_SHOWN_MAX * 2
  for (let i = 0; i < many; i++) call(meter, meter.edgeRow('shop', `t${i}`, 'http1'), 1)
  windows.cut(1000, 0)
  const { text } = await metrics.read()
  const lines = text
    .split('\n')
    .filter((line) => /^airspace_edge_requests_total\{.*"success"/.test(line))
  t.ok(lines.length <= EDGES_SHOWN_MAX + 1, `${lines.length} series`)
  t.equal(
    lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0),
    many,
  )
})
