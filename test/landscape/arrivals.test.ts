/**
 * Every window counts once, where its second was, however late it comes and whatever is missing.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Landscape } from '../../landscape/landscape.ts'
import type { Stretch } from '../../landscape/stretch.ts'
import { edge, ms, startedIn, whole, windowOf } from '../support/windows.ts'

t.test('a window sent twice counts once', async (t) => {
  const landscape = new Landscape()
  const window = windowOf(1, [edge('web..db', { started: 3 })])
  t.equal(landscape.take('a', window, ms(2)), 'taken')
  t.equal(landscape.take('a', window, ms(3)), 'duplicate')
  t.equal(landscape.take('b', window, ms(3)), 'taken', 'another node has its own count')
  t.equal(landscape.take('a', { ...window, epoch: 2 }, ms(3)), 'taken', 'so has a new process')
  t.equal(startedIn(whole(landscape, 3)), 9)
})

t.test('windows of an outage fill in where they belong', async (t) => {
  const landscape = new Landscape()
  const one = (sequence: number) => windowOf(sequence, [edge('web..db', { started: 1 })])
  landscape.take('a', one(1), ms(2))
  landscape.take('a', one(60), ms(61))
  t.equal(whole(landscape, 61).gaps, 58)
  t.equal(landscape.gaps(ms(10), ms(20)), 10, 'and it is known when they are missing')
  for (let sequence = 2; sequence < 60; sequence += 1) {
    t.equal(landscape.take('a', one(sequence), ms(62)), 'taken')
    t.equal(landscape.take('a', one(sequence), ms(62)), 'duplicate')
  }
  const filled = whole(landscape, 62)
  t.equal(filled.gaps, 0)
  t.equal(startedIn(filled), 60)
  t.equal(startedIn(landscape.between(ms(30), ms(40))), 10)
})

t.test('the newest first, and then what was before it, is no duplicate', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(100), ms(101))
  t.equal(whole(landscape, 101).gaps, 0, 'of a process met midway nothing is known to be missing')
  t.equal(landscape.take('a', windowOf(90), ms(102)), 'taken')
  t.equal(whole(landscape, 102).gaps, 9)
  t.equal(landscape.take('a', windowOf(90), ms(102)), 'duplicate')
  t.equal(landscape.take('a', windowOf(95), ms(102)), 'taken')
  t.equal(whole(landscape, 102).gaps, 8)
})

t.test('what a node says it forgot is a gap', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(100, [], { forgottenWindows: 7 }), ms(101))
  t.equal(whole(landscape, 101).gaps, 7)
  landscape.take('a', windowOf(103, [], { forgottenWindows: 2 }), ms(104))
  t.equal(whole(landscape, 104).gaps, 9, 'told once')
})

t.test('a leap of sequences is counted but not remembered one by one', async (t) => {
  const landscape = new Landscape()
  landscape.take('a', windowOf(1), ms(2))
  landscape.take('a', windowOf(2 ** 50, [], { startUnixMs: ms(3) }), ms(3))
  t.equal(landscape.node('a')?.lost, 2 ** 50 - 2 - 900)
})

t.test('a node whose clock is wrong is put right by what its clock said as it sent', async (t) => {
  const skewed = (aheadMs: number, transitMs = 5): [Stretch, number] => {
    const landscape = new Landscape()
    const times = { startUnixMs: ms(1) + 500 + aheadMs, sentUnixMs: ms(2) + 10 + aheadMs }
    const window = windowOf(1, [edge('web..db', { started: 1 })], times)
    landscape.take('a', window, ms(2) + 10 + transitMs)
    return [landscape.between(ms(1), ms(2)), landscape.node('a')?.skewMs ?? 0]
  }
  for (const aheadMs of [3_600_000, 5000, 0, -5000, -3_600_000]) {
    const [stretch, skewMs] = skewed(aheadMs)
    t.equal(startedIn(stretch), 1, `${aheadMs} ms ahead`)
    t.equal(skewMs, aheadMs - 5)
  }
  t.equal(startedIn(skewed(0, 900)[0]), 1, 'less than a second may as well be the way here')
})

t.test('nodes beyond the bound are refused until one has been silent for long', async (t) => {
  const landscape = new Landscape({ nodesMax: 2 })
  t.equal(landscape.take('a', windowOf(1), ms(2)), 'taken')
  t.equal(landscape.take('b', windowOf(800), ms(801)), 'taken')
  t.equal(landscape.take('c', windowOf(801), ms(802)), 'crowded')
  t.equal(landscape.take('c', windowOf(910), ms(911)), 'taken')
  t.strictSame(
    [...landscape.nodes()].map(({ node }) => node),
    ['b', 'c'],
  )
})

t.test('a window that was long on its way does not make the clock look slow', async (t) => {
  const landscape = new Landscape()
  const sent = (sequence: number, transitMs: number): void => {
    const window = windowOf(sequence, [], { sentUnixMs: ms(sequence + 1) + 5000 })
    landscape.take('a', window, ms(sequence + 1) + transitMs)
  }
  for (const [at, transitMs] of [30_000, 20, 9000].entries()) sent(at + 1, transitMs)
  t.equal(landscape.node('a')?.skewMs, 4980)
  for (let sequence = 4; sequence < 20; sequence += 1) sent(sequence, 300)
  t.equal(landscape.node('a')?.skewMs, 4700, 'and a clock that was set is followed')
})

t.test('whatever the order, with whatever sent again: each window counts once', async () => {
  const sending = fc.record({
    node: fc.constantFrom('a', 'b', 'c'),
    epoch: fc.constantFrom(1, 2),
    sequence: fc.integer({ min: 1, max: 40 }),
  })
  fc.assert(
    fc.property(fc.array(sending, { maxLength: 120 }), (sendings) => {
      const landscape = new Landscape({ edgesMax: 4 })
      const unique = new Map<string, number>()
      let expected = 0
      for (const { node, epoch, sequence } of sendings) {
        const id = `${node} ${epoch} ${sequence}`
        const started = sequence * 100 + epoch
        const key = `s${sequence % 7}..db`
        const window = windowOf(sequence, [edge(key, { started })], { epoch })
        const taken = landscape.take(node, window, ms(50))
        assert.equal(taken, unique.has(id) ? 'duplicate' : 'taken', id)
        if (!unique.has(id)) expected += started
        unique.set(id, sequence)
      }
      assert.equal(startedIn(whole(landscape, 50)), expected)
      const early = [...unique].filter(([, sequence]) => sequence < 20)
      const earlySum = early.reduce((sum, [id, at]) => sum + at * 100 + Number(id.split(' ')[1]), 0)
      assert.equal(startedIn(landscape.between(ms(0), ms(20))), earlySum)
    }),
    { numRuns: 200 },
  )
})

t.test(
  'gaps are exactly the sequences between the first and the last that never came',
  async () => {
    const sequences = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(sequences, (sent) => {
        const landscape = new Landscape()
        for (const sequence of sent) landscape.take('a', windowOf(sequence), ms(300))
        const [first, last] = [Math.min(...sent), Math.max(...sent)]
        assert.equal(landscape.gaps(ms(0), ms(300)), last - first + 1 - new Set(sent).size)
        const before = new Set(sent.filter((sequence) => sequence < 100)).size
        const ofThem = Math.min(99, last) - first + 1
        if (first < 100) assert.equal(landscape.gaps(ms(0), ms(100)), ofThem - before)
      }),
      { numRuns: 300 },
    )
  },
)
