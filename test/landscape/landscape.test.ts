/** The last fifteen minutes of every edge: what adds up, what is last said, and what has to go. */
import t from 'tap'
import { Landscape } from '../../landscape/landscape.ts'
import { latencyOf } from '../../landscape/signal.ts'
import { STALE_SECONDS } from '../../landscape/stretch.ts'
import { countsOf, edge, ms, startedIn, whole, windowOf } from '../support/windows.ts'

t.test('windows of one second from several nodes add up', async (t) => {
  const landscape = new Landscape()
  const seen = { latencyBuckets: [10, 3], latencyMaxUs: 10, idleMs: 7 }
  landscape.take('a', windowOf(1, [edge('web..db', { started: 3, inFlight: 2, ...seen })]), ms(2))
  landscape.take('b', windowOf(1, [edge('web..db', { started: 4, inFlight: 1 })]), ms(2))
  landscape.take('b', windowOf(2, [edge('web..api', { started: 9 })]), ms(3))
  const stretch = landscape.between(ms(1), ms(2))
  t.equal(stretch.edges.length, 1, 'of that second only')
  t.match(stretch.edges[0], { nodes: 2, protocol: 'http1', counts: { started: 7, inFlight: 3 } })
  t.match(countsOf(stretch, 'web..db'), { latencyMaxUs: 10, idleMs: 7 })
  t.equal(latencyOf(countsOf(stretch, 'web..db')!, 0.5), 10)
  t.strictSame(
    [...stretch.edges[0]!.inFlightAt],
    [
      ['a', 2],
      ['b', 1],
    ],
  )
  t.strictSame(stretch.reporting, ['a', 'b'])
  t.equal(landscape.newestMs, ms(3))
})

t.test('counts of several seconds add up, what is in flight is what was said last', async (t) => {
  const landscape = new Landscape()
  const said = [
    { started: 5, inFlight: 5, inFlightMax: 6, connectionsOpen: 2, idleMs: 900 },
    { started: 1, inFlight: 4, inFlightMax: 9, connectionsOpen: 3, idleMs: 4 },
    { started: 2, inFlight: 1, inFlightMax: 4, connectionsOpen: 1, idleMs: 5 },
  ]
  for (const [at, counts] of said.entries()) {
    landscape.take('a', windowOf(at, [edge('web..db', counts)]), ms(at + 1))
  }
  const sum = { started: 8, inFlight: 1, inFlightMax: 9, connectionsOpen: 1, idleMs: 5 }
  t.match(countsOf(whole(landscape, 3), 'web..db'), sum)
})

t.test('an edge left out of the newest window has nothing in flight there', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(1, [edge('web..db', { inFlight: 5, idleMs: 100 })]), ms(2))
  landscape.take('b', windowOf(1, [edge('web..db', { inFlight: 2, idleMs: 900 })]), ms(2))
  landscape.take('b', windowOf(2), ms(3))
  landscape.take('b', windowOf(3), ms(4))
  t.match(countsOf(whole(landscape, 4), 'web..db'), { inFlight: 5, idleMs: 100 }, 'a is behind')
  landscape.take('a', windowOf(3), ms(4))
  t.match(countsOf(whole(landscape, 4), 'web..db'), { inFlight: 0, idleMs: 2100 })
  t.match(countsOf(landscape.between(ms(1), ms(2)), 'web..db'), { inFlight: 7 }, 'then it had')
})

t.test('what a silent node had in flight is not known for long', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(1, [edge('web..db', { inFlight: 5 })]), ms(2))
  const at = (second: number) => countsOf(whole(landscape, second), 'web..db')?.inFlight
  t.equal(at(STALE_SECONDS), 5)
  t.equal(at(STALE_SECONDS + 1), 0)
})

t.test('a window older than the landscape is late: acknowledged, counted, not kept', async (t) => {
  const landscape = new Landscape()
  const started = [edge('web..db', { started: 1 })]
  landscape.take('a', windowOf(1000), ms(1001))
  t.equal(landscape.take('a', windowOf(101, started), ms(1001)), 'late')
  t.equal(landscape.take('a', windowOf(101, started), ms(1001)), 'duplicate')
  t.equal(landscape.take('a', windowOf(102, started), ms(1001)), 'taken')
  t.equal(
    landscape.take('a', windowOf(103, started, { startUnixMs: Number.NaN }), ms(1001)),
    'late',
  )
  t.equal(landscape.node('a')?.late, 2)
  t.equal(startedIn(whole(landscape, 1001)), 1)
})

t.test('a second leaves after fifteen minutes, and nothing of it stays', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(0, [edge('web..db', { started: 1 })]), ms(1))
  landscape.take('a', windowOf(899), ms(899))
  t.equal(startedIn(whole(landscape, 899)), 1)
  landscape.take('a', windowOf(900), ms(900))
  t.equal(startedIn(landscape.between(ms(0), ms(901))), 0)
  t.equal(landscape.bytes, 0)
  t.match(landscape.edge('web..db'), { firstSeenMs: ms(0) + 20 }, 'but the edge is remembered')
})

t.test('an edge tells when it was first seen, last busy and last answered', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(5, [edge('web..db', { started: 1, succeeded: 1 })]), ms(6))
  landscape.take('a', windowOf(6, [edge('web..db', { started: 1, inFlight: 1 })]), ms(7))
  landscape.take('a', windowOf(7, [edge('web..db', { inFlight: 1 })]), ms(8))
  const times = { firstSeenMs: 5, lastEndedMs: 6, lastStartedMs: 7, lastSeenMs: 8 }
  for (const [name, second] of Object.entries(times)) {
    const found = landscape.edge('web..db')?.[name as keyof typeof times] ?? 0
    t.ok(Math.abs(found - ms(second)) <= 20, name)
  }
  landscape.take('b', windowOf(2, [edge('web..db', { started: 1 })]), ms(8))
  t.equal(landscape.edge('web..db')?.firstSeenMs, ms(2) + 20, 'a late window may have been first')
  landscape.recall('web', 'db', 77)
  t.equal(landscape.edge('web..db')?.firstSeenMs, 77)
  t.strictSame(
    [...landscape.edges()].map((row) => row.edge.key),
    ['web..db'],
  )
})

t.test('edges beyond the bound share one, and totals stay exact', async (t) => {
  const landscape = new Landscape({ edgesMax: 3 })
  const edges = Array.from({ length: 8 }, (_, at) =>
    edge(`s${at}..db`, { started: 1, inFlight: 2 }),
  )
  landscape.take('a', windowOf(1, edges), ms(2))
  landscape.take('b', windowOf(1, [edge('other..other', { started: 10 })]), ms(2))
  const stretch = whole(landscape, 2)
  t.equal(stretch.edges.length, 4)
  t.match(countsOf(stretch, 'other..other'), { started: 15, inFlight: 10 })
  t.equal(startedIn(stretch), 18)
  t.equal(landscape.overflowed, 5)
})

t.test(
  'what is recalled beyond the bound is not laid upon the edge that others share',
  async (t) => {
    const landscape = new Landscape({ edgesMax: 1 })
    for (const source of ['s1', 's2']) landscape.recall(source, 'db', 77)
    t.strictSame(
      [...landscape.edges()].map((row) => row.edge.key),
      ['s1..db'],
    )
  },
)

t.test('an edge that is long gone makes room for a new one', async (t) => {
  const landscape = new Landscape({ edgesMax: 2 })
  landscape.take('a', windowOf(1, [edge('s1..db', { started: 1 })]), ms(2))
  landscape.take('a', windowOf(500, [edge('s2..db', { started: 2 })]), ms(501))
  landscape.take('a', windowOf(800, [edge('s3..db', { started: 4 })]), ms(801))
  landscape.take('a', windowOf(950, [edge('s4..db', { started: 8 })]), ms(951))
  const stretch = whole(landscape, 951)
  const found = stretch.edges.map(({ edge: { key }, counts }) => [key, counts.started])
  t.strictSame(found, [
    ['s2..db', 2],
    ['other..other', 4],
    ['s4..db', 8],
  ])
  t.equal(landscape.edge('s1..db'), undefined)
})

t.test('two protocols of one edge are one edge', async (t) => {
  const landscape = new Landscape()
  const rows = [1, 2, 4].map((started) => edge('web..db', { started, inFlight: started }))
  landscape.take('a', windowOf(1, [...rows, edge('web..api', { started: 8 })]), ms(2))
  t.match(countsOf(whole(landscape, 2), 'web..db'), { started: 7, inFlight: 7 })
})

t.test('a window from the future is of now', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(50, [edge('web..db', { started: 1 })]), ms(3))
  t.equal(startedIn(landscape.between(ms(3), ms(4))), 1)
  t.equal(landscape.newestMs, ms(4))
})

t.test('our clock may be set, forwards or back, and counts stay with their edges', async (t) => {
  const landscape = new Landscape({ edgesMax: 2 })
  landscape.take('a', windowOf(1, [edge('s1..db', { started: 1 })]), ms(2))
  landscape.take('a', windowOf(4000, [edge('s2..db', { started: 2 })]), ms(4001))
  landscape.take('a', windowOf(4001, [edge('s3..db', { started: 4 })]), ms(4002))
  landscape.take('b', windowOf(3, [edge('s4..db', { started: 8 })]), ms(4))
  const found = whole(landscape, 4).edges.map(({ edge: { key }, counts }) => [key, counts.started])
  t.strictSame(found, [['other..other', 8]], 's1 went with its second')
  t.equal(landscape.newestMs, ms(5))
  landscape.take('b', windowOf(5, [edge('s2..db', { started: 16 })]), ms(6))
  t.equal(countsOf(whole(landscape, 6), 's2..db')?.started, 16)
  t.equal(countsOf(whole(landscape, 6), 'other..other')?.started, 8, 'going on loses nothing')
})

t.test('a clock set back and forth a little forgets nothing', async (t) => {
  const landscape = new Landscape()
  const started = (sequence: number) => windowOf(sequence, [edge('web..db', { started: 1 })])
  for (let at = 1; at <= 20; at += 1) landscape.take('a', started(at), ms(at + 1))
  landscape.take('b', started(8), ms(9))
  landscape.take('b', started(21), ms(22))
  t.equal(startedIn(whole(landscape, 22)), 22)
})

t.test('a second is in a stretch when it begins in it', async (t) => {
  const landscape = new Landscape()
  for (const at of [1, 2, 3]) {
    landscape.take('a', windowOf(at, [edge('web..db', { started: 10 ** at })]), ms(at + 1))
  }
  t.equal(startedIn(landscape.between(ms(1), ms(3))), 110)
  t.equal(startedIn(landscape.between(ms(1) + 1, ms(3))), 100)
  t.equal(startedIn(landscape.between(ms(2), ms(3) + 1)), 1100)
})

t.test('when records take too much memory the oldest seconds go, and are counted', async (t) => {
  const landscape = new Landscape({ bytesMax: 20_000 })
  const edges = Array.from({ length: 20 }, (_, at) => edge(`s${at}..db`, { started: 1 }))
  for (let at = 1; at <= 100; at += 1) landscape.take('a', windowOf(at, edges), ms(at + 1))
  t.ok(landscape.bytes <= 20_000)
  t.ok(landscape.forgottenSeconds > 0)
  const kept = whole(landscape, 101)
  t.equal(startedIn(kept), (100 - landscape.forgottenSeconds) * 20)
  t.equal(startedIn(landscape.between(ms(100), ms(101))), 20, 'the newest stays')
})

t.test('asking for a time without end, or without a beginning, ends', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(1, [edge('web..db', { started: 1 })]), ms(2))
  t.equal(startedIn(landscape.between(Number.NEGATIVE_INFINITY, ms(2))), 1)
  t.equal(startedIn(landscape.between(ms(1), Number.POSITIVE_INFINITY)), 1)
  t.equal(startedIn(landscape.between(Number.NaN, Number.NaN)), 0)
  t.equal(startedIn(landscape.between(ms(2), ms(1))), 0)
})
