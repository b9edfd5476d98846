/** Cells: rows found by key, counts that outlive plans, rows taken back, clocks moved along. */
import t from 'tap'
import {
  CLOCK_IDLE_MS,
  MAIN,
  ROWS_MAX,
  SUBJECT_ROWS_MAX,
  WORKERS_MAX,
} from '../../policies/cells.ts'
import { aheadOf } from '../../policies/departure.ts'
import { clockOf, HEADER, LINE_CELLS, ROW_CELLS } from '../../policies/row.ts'
import { cellsOf } from './world.ts'

t.test('cells: every worker finds the same row by its key', async (t) => {
  const one = cellsOf()
  const two = cellsOf(one.memory, 1)
  const row = one.row('b1', '', '', 0)
  t.equal(two.row('b1', '', '', 0).index, row.index)
  const others = [
    one.row('b2', '', '', 0),
    one.row('b1', 'web', '', 0),
    one.row('b1', '', 'web', 0),
    one.row('b1', 'web', 'web', 0),
  ]
  t.equal(new Set([row, ...others].map(({ index }) => index)).size, 5)
  t.equal(one.used, 5)

  row.count('a').store(7)
  t.equal(two.row('b1', '', '', 0).count('a').load(), 7)
})

t.test('cells: a gauge counts over workers, and each worker`s part', async (t) => {
  const one = cellsOf()
  const two = cellsOf(one.memory, 1)
  const [a, b] = [one, two].map((cells) => cells.row('b1', '', '', 0).gauge('inFlight'))
  t.ok(a!.tryAdd(2))
  t.ok(b!.tryAdd(2))
  t.notOk(a!.tryAdd(2))
  t.equal(b!.load(), 2)
  one.forgive(1)
  t.equal(a!.load(), 1, 'what the dead worker held is given back')
  one.forgive(1)
  t.equal(a!.load(), 1, 'once')
  t.notOk(a!.tryAdd(1))
  a!.add(-1)
  t.equal(a!.load(), 0)
})

t.test('cells: the last worker and the last line are within their row', async (t) => {
  const cells = cellsOf(undefined, WORKERS_MAX - 1)
  const row = cells.row('b1', '', '', 0)
  const gauges = [row.gauge('one'), row.gauge('two'), row.gauge('three')]
  for (const gauge of gauges) gauge.tryAdd(1)
  const all = new Int32Array(cells.memory)
  const ones = all.reduce((sum, cell, at) => sum + (cell === 1 && at > LINE_CELLS ? 1 : 0), 0)
  t.ok(ones >= 6, 'three totals and three parts')
  cells.forgive(WORKERS_MAX - 1)
  for (const gauge of gauges) t.equal(gauge.load(), 0)
  t.throws(() => row.gauge('four'), /row: no room for 'four' in 64 cells/)
})

t.test('cells: a row has so much room, and the pattern is told which cell had none', async (t) => {
  const row = cellsOf().row('b1', '', '', 0)
  row.gauge('inside')
  for (let i = 0; i < ROW_CELLS - LINE_CELLS - 11; i += 1) row.count(`count ${i}`)
  t.throws(() => row.count('one more'), /no room for 'one more'/)
})

t.test('cells: worker numbers are checked', async (t) => {
  for (const worker of [-1, MAIN + 1, 1.5 + MAIN, NaN]) {
    t.throws(() => cellsOf(undefined, worker), /is not between 0 and/)
  }
})

t.test('cells: beyond the rows for single subjects, a policy`s rest shares one', async (t) => {
  const cells = cellsOf()
  for (let i = 0; i < SUBJECT_ROWS_MAX; i += 1) cells.row('b1', `source ${i}`, '', 0)
  t.equal(cells.overflowed, 0)
  const rest = cells.row('b1', 'one more', '', 0)
  t.equal(cells.row('b1', 'and another', '', 0).index, rest.index)
  t.not(cells.row('b2', 'one more', '', 0).index, rest.index, 'each policy its own')
  t.equal(cells.overflowed, 3)
  t.equal(cells.row('b1', 'source 5', '', 0).index, cells.row('b1', 'source 5', '', 1).index)
  const before = cells.overflowed
  cells.row('b3', '', '', 0)
  t.equal(cells.overflowed, before, 'whole policies have room left')

  const own = cells.row('d1', '', 'source 1', 0)
  t.equal(cells.row('d1', '', 'source 2', 0).index, own.index, 'and so have its sources')
})

t.test('cells: when even policies have no room, those of a kind share one row', async (t) => {
  const cells = cellsOf()
  let policies = 0
  while (cells.overflowed === 0) {
    policies += 1
    cells.row(`policy ${policies}`, '', '', 3)
  }
  t.equal(policies, ROWS_MAX, 'one row is left free so that a search ends')
  const memory = new Int32Array(cells.memory)
  cells.row('x', '', '', 3).count('a').store(77)
  t.equal(cells.row('y', '', '', 3).count('a').load(), 77)
  t.equal(cells.row('y', '', '', 4).count('a').load(), 0)
  t.equal(memory.length, cells.memory.byteLength / 4)
})

t.test('cells: rows of policies that are gone are taken back, and start at nothing', async (t) => {
  const cells = cellsOf()
  const gone = cells.row('b1', '', '', 0)
  gone.count('a').store(5)
  gone.clock('c').store(clockOf(1))
  const kept = cells.row('b2', 'web', '', 0)
  kept.count('a').store(6)
  t.equal(cells.reclaim(['b2']), 1)
  t.equal(gone.alive, false)
  t.equal(kept.alive, true)
  t.equal(cells.used, 1)
  const again = cells.row('b1', '', '', 0)
  t.equal(again.alive, true)
  t.equal(again.count('a').load(), 0)
  t.equal(again.clock('c').load(), 0)
  t.equal(cells.row('b2', 'web', '', 0).count('a').load(), 6)
})

t.test('cells: a row where something is in flight is not taken back', async (t) => {
  const cells = cellsOf()
  const row = cells.row('b1', '', '', 0)
  const gauge = row.gauge('inFlight')
  gauge.tryAdd(1)
  t.equal(cells.reclaim([]), 0)
  t.equal(row.alive, true)
  gauge.add(-1)
  t.equal(cells.reclaim([]), 1)
})

t.test('cells: keys are found wherever rows before them were taken back', async (t) => {
  const cells = cellsOf()
  const policies = Array.from({ length: 9000 }, (_, at) => `policy ${at}`)
  for (const policy of policies) cells.row(policy, '', '', 0).count('a').store(1)
  const live = policies.filter((_, at) => at % 3 === 0)
  t.equal(cells.reclaim(live), 6000)
  for (const policy of live) {
    if (cells.row(policy, '', '', 0).count('a').load() !== 1) t.fail(`${policy} was lost`)
  }
  t.equal(cells.used, 3000)
  for (let round = 0; round < 20; round += 1) {
    for (let at = 0; at < 5000; at += 1) cells.row(`round ${round} ${at}`, '', '', 0)
    cells.reclaim(live)
  }
  t.equal(cells.used, 3000)
  t.equal(cells.overflowed, 0, 'what was taken back is used again')
})

t.test('cells: the lock of a worker that died is freed', async (t) => {
  const cells = cellsOf()
  cells.row('before', '', '', 0)
  const memory = new Int32Array(cells.memory)
  memory[2] = 4 + 1 // the lock, held by worker 4
  memory[3] = 99 // rows in use, as it was about to write it
  const waited = cells.row('b1', '', '', 0)
  t.equal(cells.overflowed, 1, 'waiting for it is bounded: the row of the kind is used meanwhile')
  cells.forgive(3)
  t.equal(memory[2], 5, 'another worker`s death does not free it')
  cells.forgive(4)
  t.equal(memory[2], 0)
  t.equal(cells.used, 1)
  t.not(cells.row('b1', '', '', 0).index, waited.index)
  t.equal(cells.overflowed, 1)
})

t.test('cells: clocks that stand still are moved along, others are left alone', async (t) => {
  const cells = cellsOf()
  const row = cells.row('d1', '', '', 0)
  const [idle, fresh, ahead, never] = ['a', 'b', 'c', 'd'].map((name) => row.clock(name))
  const count = row.count('not a clock')
  count.store(-5)
  let nowMs = 1_000_000
  idle!.store(clockOf(nowMs))
  for (let minute = 0; minute < 90; minute += 1) {
    nowMs += 60_000
    fresh!.store(clockOf(nowMs - 5000))
    ahead!.store(clockOf(nowMs + 60_000))
    cells.moveClocks(nowMs)
    const nowUs = clockOf(nowMs)
    const behind = -Math.min((minute + 1) * 60_000, CLOCK_IDLE_MS) * 1000
    t.equal(aheadOf(idle!.load(), nowUs), behind, `after ${minute} m`)
    t.equal(aheadOf(fresh!.load(), nowUs), -5_000_000)
    t.equal(aheadOf(ahead!.load(), nowUs), 60_000_000)
  }
  t.equal(never!.load(), 0)
  t.equal(count.load(), -5)
})

t.test('cells: a moment that falls on never is moved by a microsecond', async (t) => {
  const clock = cellsOf().row('d1', '', '', 0).clock('a')
  clock.store(0)
  t.equal(clock.load(), 1)
  t.ok(clock.cas(1, 0))
  t.equal(clock.load(), 1)
})

t.test('cells: main finds a policy`s rows and which of them share a scope', async (t) => {
  const cells = cellsOf()
  const shared = cells.row('d1', '', '', 0)
  const own = [cells.row('d1', '', 'web', 0), cells.row('d1', '', 'batch', 0)]
  cells.row('d2', 'payments', '', 0)
  cells.row('d2', 'payments', 'web', 0)
  cells.row('other', '', '', 0)
  const places = cells.places(['d1', 'd2', 'd3'])
  t.same([...places.keys()], ['d1', 'd2', 'd3'])
  const first = places.get('d1')!
  t.equal(new Set(first.map(({ scope }) => scope)).size, 1)
  t.same(
    first.filter((place) => place.shared).map(({ index }) => index),
    [shared.index],
  )
  t.same(
    first
      .filter((place) => !place.shared)
      .map(({ index }) => index)
      .sort(),
    own.map(({ index }) => index).sort(),
  )
  t.equal(places.get('d2')!.length, 2)
  t.same(places.get('d3'), [])
  t.ok(HEADER.clocks < ROW_CELLS)
})
