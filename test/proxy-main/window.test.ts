/** Windows: what workers count is in exactly one of them, whatever becomes of the workers. */
import t from 'tap'
import { edgeOf } from '../../landscape/edge.ts'
import type { Policy } from '../../policies/policy.ts'
import { Meter, metersBytes, OTHER } from '../../proxy/meter.ts'
import { EDGES_MAX, Windows } from '../../proxy/window.ts'
import type { EdgeSignal, Window } from '../../wire/gen/airspace_pb.ts'

/** A worker as main knows it: its meter writes, its row messages are delivered or not. */
function worker(windows: Windows, index: number, { silent = false } = {}) {
  const memory = new SharedArrayBuffer(metersBytes())
  windows.began(index, memory)
  const late: (() => void)[] = []
  const meter = new Meter(memory, (row) => {
    if (silent) late.push(() => windows.named(index, row))
    else windows.named(index, row)
  })
  const deliver = () => {
    for (const act of late.splice(0)) act()
  }
  return { meter, deliver }
}

/** As much of a policy as a meter looks at. */
const policyOf = (id: string): Policy =>
  ({ id, edge: edgeOf('shop', 'web'), meterRow: -1 }) as unknown as Policy

const fresh = () => new Windows('a', 7n, 0)
const edgeIn = ({ edges }: Window, target = 'web'): EdgeSignal | undefined =>
  edges.find((edge) => edge.target === target)

function call(meter: Meter, row: number, tookMs: number): void {
  meter.started(row)
  meter.bytesIn(row, 100, 1)
  meter.bytesOut(row, 1000, 1)
  meter.ended(row, 'success', tookMs)
}

t.test('a window has what was counted since the one before, over all workers', async (t) => {
  const windows = fresh()
  const [one, two] = [worker(windows, 0).meter, worker(windows, 1).meter]
  const rows = [one.edgeRow('shop', 'web', 'http1'), two.edgeRow('shop', 'web', 'http1')] as const
  call(one, rows[0], 2)
  call(two, rows[1], 2)
  call(two, rows[1], 50)
  one.started(rows[0])
  one.refusedOn(rows[0])
  const first = windows.cut(1000, 50_000)
  t.match(first, { node: 'a', epoch: 7n, sequence: 1n, startUnixMs: 49_000, lengthMs: 1000 })
  t.match(edgeIn(first), {
    source: 'shop',
    protocol: 'http1',
    started: 4n,
    succeeded: 3n,
    refused: 1n,
    inFlight: 1,
    bytesIn: 300,
    bytesOut: 3000,
    latencySumUs: 54_000,
    latencyMaxUs: 50_000,
    idleMs: 999,
  })
  const { latencyBuckets } = edgeIn(first)!
  t.equal(
    latencyBuckets.filter((_, i) => i % 2 === 1).reduce((sum, n) => sum + n, 0),
    3,
  )

  one.ended(rows[0], 'failure', 10)
  const second = edgeIn(windows.cut(2500, 51_500))
  t.match(second, { started: 0n, succeeded: 0n, failed: 1n, inFlight: 0, latencyMaxUs: 10_000 })
  t.equal(edgeIn(windows.cut(3500, 52_500)), undefined, 'where nothing is, nothing is said')
  t.equal(windows.cut(4500, 53_500).sequence, 4n)
})

t.test('the most at once is a bound over workers, and begins anew each window', async (t) => {
  const windows = fresh()
  const { meter } = worker(windows, 0)
  const row = meter.edgeRow('shop', 'web', 'http1')
  for (let i = 0; i < 3; i++) meter.started(row)
  for (let i = 0; i < 2; i++) meter.ended(row, 'success', 1)
  t.match(edgeIn(windows.cut(1000, 0)), { inFlight: 1, inFlightMax: 3 })
  t.match(edgeIn(windows.cut(2000, 0)), { inFlight: 1, inFlightMax: 1 })
})

t.test('what is counted before its row is named is in the next window', async (t) => {
  const windows = fresh()
  const { meter, deliver } = worker(windows, 0, { silent: true })
  const row = meter.edgeRow('shop', 'web', 'http1')
  call(meter, row, 1)
  t.same(windows.cut(1000, 0).edges, [])
  deliver()
  call(meter, row, 1)
  t.match(edgeIn(windows.cut(2000, 0)), { started: 2n, succeeded: 2n })
})

t.test('a worker that dies leaves balanced books', async (t) => {
  const windows = fresh()
  const { meter } = worker(windows, 0)
  const row = meter.edgeRow('shop', 'web', 'http1')
  meter.connected(row)
  call(meter, row, 1)
  meter.started(row)
  windows.cut(1000, 0)
  call(meter, row, 1)
  windows.died(0)
  const last = edgeIn(windows.cut(2000, 0))
  t.match(last, { started: 1n, succeeded: 1n, ignored: 1n, inFlight: 0, connectionsOpen: 0 })
  t.same(windows.cut(3000, 0).edges, [], 'and is counted no more')

  const next = worker(windows, 0).meter
  const again = next.edgeRow('shop', 'web', 'http1')
  call(next, again, 1)
  t.match(edgeIn(windows.cut(4000, 0)), { started: 1n, succeeded: 1n })
  const [total] = [...windows.edges.values()].filter(({ target }) => target === 'web')
  t.equal(total?.counts[0], 4, 'the sum since the start is of all of them')
})

t.test('rows whose names died with their worker are counted as other', async (t) => {
  const windows = fresh()
  const { meter } = worker(windows, 0, { silent: true })
  call(meter, meter.edgeRow('shop', 'web', 'http1'), 1)
  meter.matched(policyOf('b1'))
  windows.died(0)
  const window = windows.cut(1000, 0)
  t.match(edgeIn(window, OTHER), { source: OTHER, succeeded: 1n })
  t.match(window.policies, [{ id: '', matched: 1n }])
})

t.test('policies are counted by intent and edge', async (t) => {
  const windows = fresh()
  const [one, two] = [worker(windows, 0).meter, worker(windows, 1).meter]
  for (const meter of [one, two]) {
    const policy = policyOf('b1')
    meter.matched(policy)
    meter.delayed(policy, 7)
    meter.wouldRefuse(policy)
  }
  two.refused(policyOf('b1'))
  const { policies } = windows.cut(1000, 0)
  t.match(policies, [
    {
      id: 'b1',
      source: 'shop',
      target: 'web',
      matched: 2n,
      refused: 1n,
      delayed: 2n,
      delayedMs: 14,
    },
  ])
  t.equal(policies[0]?.wouldRefuse, 2n)
  t.same(windows.cut(2000, 0).policies, [])
})

t.test('more edges than there is room for are counted together, and exactly', async (t) => {
  const windows = fresh()
  const many = EDGES_MAX + 10
  const perWorker = 1000
  for (let index = 0; index * perWorker < many; index++) {
    const { meter } = worker(windows, index)
    for (let i = index * perWorker; i < Math.min(many, (index + 1) * perWorker); i++) {
      call(meter, meter.edgeRow('shop', `t${i}`, 'http1'), 1)
    }
  }
  const { edges } = windows.cut(1000, 0)
  t.ok(edges.length <= EDGES_MAX + 1)
  t.equal(
    edges.reduce((sum, { succeeded }) => sum + Number(succeeded), 0),
    many,
  )
  t.ok(windows.overflowed > 0)
})

t.test('counts of 32 bits in the histogram may come round', async (t) => {
  const windows = fresh()
  const memory = new SharedArrayBuffer(metersBytes())
  windows.began(0, memory)
  const meter = new Meter(memory, (row) => windows.named(0, row))
  const row = meter.edgeRow('shop', 'web', 'http1')
  call(meter, row, 0.005)
  windows.cut(1000, 0)
  const buckets = new Uint32Array(memory)
  const at = buckets.findIndex((count, i) => count === 1 && i > 200)
  buckets[at] = 0xffff_fffe
  call(meter, row, 0.005)
  windows.cut(2000, 0)
  call(meter, row, 0.005)
  call(meter, row, 0.005)
  t.same(edgeIn(windows.cut(3000, 0))?.latencyBuckets, [5, 2])
})

t.test('the median is of the last seconds', async (t) => {
  const windows = fresh()
  const { meter } = worker(windows, 0)
  const row = meter.edgeRow('shop', 'web', 'http1')
  t.equal(windows.medianMs(windows.edges.values()), 0)
  for (let i = 0; i < 100; i++) call(meter, row, 10)
  windows.cut(1000, 0)
  const near = (ms: number, wanted: number) => Math.abs(ms - wanted) / wanted < 0.04
  t.ok(near(windows.medianMs(windows.edges.values()), 10))
  for (let second = 2; second < 12; second++) {
    for (let i = 0; i < 30; i++) call(meter, row, 100)
    windows.cut(second * 1000, 0)
  }
  t.ok(near(windows.medianMs(windows.edges.values()), 100))
})
