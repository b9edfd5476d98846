/** Counters are true at their bounds: rows run out, and come back, and no count is lost. */
import t from 'tap'
import { edgeOf } from '../../landscape/edge.ts'
import type { Policy } from '../../policies/policy.ts'
import {
  EDGE,
  EDGE_ROWS_MAX,
  edgeFloatsAt,
  Meter,
  metersBytes,
  POLICY,
  POLICY_ROWS_MAX,
  policyFloatsAt,
  RETIRED_MS,
  WORKER,
} from '../../proxy/meter.ts'
import type { FromWorker } from '../../proxy/thread.ts'

type Row = Extract<FromWorker, { type: 'row' }>

function metered() {
  const memory = new SharedArrayBuffer(metersBytes())
  const rows: Row[] = []
  const floats = new Float64Array(memory)
  return { meter: new Meter(memory, (row) => rows.push(row)), rows, floats }
}

const policyOf = (id: string, meterRow = -1): Policy =>
  ({ id, edge: edgeOf('web', 'db'), meterRow }) as Policy

t.test('what no longer fits is counted in row 0, and said', async (t) => {
  const { meter, rows, floats } = metered()
  for (let i = 1; i < EDGE_ROWS_MAX; i += 1) t.equal(meter.edgeRow(`s${i}`, 'db', 'http1'), i)
  const over = meter.edgeRow('more', 'db', 'http1')
  t.equal(over, 0)
  meter.started(over)
  meter.ended(over, 'success', 1)
  t.equal(floats[edgeFloatsAt(0) + EDGE.succeeded], 1)
  t.equal(floats[WORKER.edgesOverflowed], 1)
  t.equal(rows.length, EDGE_ROWS_MAX - 1)
  t.equal(meter.edgeRow('s7', 'db', 'http1'), 7, 'those that are known stay')
})

t.test('rows of intents that are gone are given to others, once they have been read', async (t) => {
  const { meter, rows, floats } = metered()
  for (let i = 1; i < POLICY_ROWS_MAX; i += 1) meter.matched(policyOf(`old-${i}`))
  const crowded = policyOf('crowded')
  meter.matched(crowded)
  t.equal(crowded.meterRow, 0)
  t.equal(floats[policyFloatsAt(0) + POLICY.matched], 1)
  meter.retire(new Set(['old-1', 'new']), 1_000)
  const early = policyOf('new')
  meter.matched(early)
  t.equal(early.meterRow, 0, 'not at once')
  meter.retire(new Set(['old-1', 'new']), 1_000 + RETIRED_MS)
  const late = policyOf('new')
  meter.matched(late)
  t.ok(late.meterRow > 0)
  t.match(rows.at(-1), { table: 'policy', row: late.meterRow, id: 'new' })
  const [kept, lost] = [policyOf('old-1', 1), policyOf('old-2', late.meterRow)]
  meter.matched(kept)
  t.equal(kept.meterRow, 1, 'an intent that is held keeps its row')
  meter.matched(lost)
  t.not(lost.meterRow, late.meterRow, 'one that comes back has lost its own')
})

t.test('latency is of what the target ended, in microseconds', async (t) => {
  const { meter, floats } = metered()
  const row = meter.edgeRow('web', 'db', 'http1')
  const at = edgeFloatsAt(row)
  for (const [result, ms] of [
    ['success', 1.5],
    ['failure', 2],
    ['ignored', 100],
  ] as const) {
    meter.started(row)
    meter.ended(row, result, ms)
  }
  t.equal(floats[at + EDGE.latencySumUs], 3500)
  t.equal(floats[at + EDGE.latencyMaxUs], 2000)
  t.equal(floats[at + EDGE.inFlight], 0)
  t.equal(floats[at + EDGE.inFlightMax], 1)
})
