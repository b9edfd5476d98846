/** One source's flood is not the others' concern, and all together keep the rate. */
import t from 'tap'
import { type Caller, excess, tell } from './crowd.ts'

const RATE = 200
const SHARE = RATE / 4
const SPACING_MS = 1000 / SHARE
const SECONDS = 20
const flood: Caller = { perSecond: 10 * SHARE }

const three = (caller: Caller): Caller[] => [caller, caller, caller]

for (const [name, given, polite, startMs] of [
  ['even callers at their share', {}, { perSecond: SHARE }, 0],
  ['even callers below it', {}, { perSecond: 0.6 * SHARE }, 0],
  ['uneven callers below it', {}, { perSecond: 0.8 * SHARE, uneven: true }, 0],
  ['callers that come when the flood is there', {}, { perSecond: 0.9 * SHARE }, 3000],
  ['even callers and no burst', { burst: 1 }, { perSecond: SHARE }, 0],
  ['late callers and no burst', { burst: 1 }, { perSecond: 0.9 * SHARE }, 3000],
  ['late callers and a small burst', { burst: 20 }, { perSecond: 0.9 * SHARE }, 3000],
  ['late callers and half a second of burst', { burst: 100 }, { perSecond: SHARE }, 3000],
  ['late callers that may not wait', { burst: 1, maxWaitMs: 0 }, { perSecond: 0.8 * SHARE }, 3000],
  ['even callers and long waits', { maxWaitMs: 5000 }, { perSecond: SHARE }, 0],
] as const) {
  t.test(`fairness: ${name} beside a flood of ten times its share`, async (t) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const callers = [flood, ...three({ ...polite, startMs })]
      const { fates } = tell({ ratePerSecond: RATE, ...given }, callers, SECONDS, seed)
      for (const { asked, passed, p99Ms } of fates.slice(1)) {
        const due = Math.min(asked, SHARE * SECONDS)
        t.ok(passed >= 0.9 * due, `seed ${seed}: ${passed} of ${due} passed`)
        t.ok(p99Ms <= 2 * SPACING_MS, `seed ${seed}: p99 ${p99Ms} ms`)
      }
    }
  })
}

t.test('fairness: what others leave unused is borrowed', async (t) => {
  for (const given of [{}, { burst: 1 }, { burst: 20 }]) {
    const callers = [flood, ...three({ perSecond: 10 })]
    const { fates } = tell({ ratePerSecond: RATE, ...given }, callers, SECONDS, 1)
    const passed = fates[0]!.passed / SECONDS
    t.ok(passed > 0.95 * (RATE - 30), `${passed}/s of the 170/s that are left`)
  }
})

t.test('fairness: a flood leaves room for those who are merely uneven', async (t) => {
  const uneven = { perSecond: 0.8 * SHARE, uneven: true }
  const p99s = [1, 2, 3].flatMap((seed) => {
    const callers = [flood, ...three(uneven)]
    const { fates } = tell({ ratePerSecond: RATE, burst: 1 }, callers, SECONDS, seed)
    return fates.slice(1).map(({ p99Ms }) => p99Ms)
  })
  const mean = p99s.reduce((sum, ms) => sum + ms, 0) / p99s.length
  t.ok(mean < 6 * SPACING_MS, `with no burst at all, p99 ${mean} ms on average`)
})

t.test('fairness: floods share alike', async (t) => {
  const { fates } = tell({ ratePerSecond: RATE }, [flood, ...three(flood)], SECONDS, 1)
  for (const { passed } of fates) {
    t.ok(Math.abs(passed / SECONDS - SHARE) < 0.15 * SHARE, `${passed / SECONDS}/s`)
  }
})

const twenty = Array.from({ length: 20 }, (_, at) => ({ perSecond: 100, startMs: at * 300 }))

t.test('fairness: the rate is never exceeded beyond the burst', async (t) => {
  for (const [name, burst, callers, allowed] of [
    ['alone', 1, [flood], 1],
    ['alone', 50, [flood], 50],
    ['alone', undefined, [flood], RATE],
    // Each of the four may have its turn while a fifth of maxWaitMs has been borrowed ahead.
    ['from the start', 1, [flood, ...three({ perSecond: 50 })], 1 + 4 + 0.1 * RATE],
    // Who waits has its time already: no more than maxWaitMs of the rate can be out of step.
    ['from the start', 1, [flood, ...three({ perSecond: 50, uneven: true })], RATE / 2],
    ['from the start', 50, [flood, ...three({ perSecond: 50, uneven: true })], 50],
    ['from the start', undefined, [flood, ...three({ perSecond: 50, uneven: true })], RATE],
    ['all floods', 1, [flood, ...three(flood)], 1 + 4],
    ['all floods', 50, [flood, ...three(flood)], 50 + 4],
    // None brings a burst of its own, and what has been promised is paid back by waiting for all.
    ['one after the other', undefined, twenty, RATE * 1.15],
    ['one after the other', 50, twenty, 50 * 1.6],
    ['one after the other', 1, twenty, 40],
    ['come and gone', 50, [flood, ...three({ perSecond: 50, endMs: 9000 })], 50],
  ] as const) {
    for (const seed of [1, 2, 3]) {
      const given = { ratePerSecond: RATE, burst, maxWaitMs: name.startsWith('one') ? 100 : 500 }
      const { departures } = tell(given, callers, SECONDS, seed)
      const most = excess(departures, RATE)
      t.ok(most <= allowed + 0.01, `${name}, burst ${burst}: ${most} of ${allowed}`)
      const within = departures.filter((ms) => ms < SECONDS * 1000).length
      t.ok(within <= RATE * SECONDS * 1.005 + (burst ?? RATE), `${name}: ${within} in all`)
    }
  }
})

t.test('fairness: what was promised before others came is kept, and no more', async (t) => {
  const callers = [flood, ...three({ perSecond: SHARE, startMs: 3000 })]
  const { departures } = tell({ ratePerSecond: RATE, burst: 1 }, callers, SECONDS, 1)
  const promised = RATE * 0.5 // in maxWaitMs
  t.ok(excess(departures, RATE) <= promised, `${excess(departures, RATE)} of ${promised}`)
  const all = departures.filter((ms) => ms < SECONDS * 1000).length
  t.ok(all <= RATE * SECONDS + promised, `${all} in the end`)
})

t.test('fairness: a thousand small sources keep the rate too', async (t) => {
  const crowd = Array.from({ length: 1000 }, () => ({ perSecond: 1, uneven: true }))
  const { departures } = tell({ ratePerSecond: RATE, burst: 1 }, crowd, SECONDS, 1)
  for (let second = 2; second < SECONDS; second += 1) {
    const here = departures.filter((ms) => Math.floor(ms / 1000) === second).length
    t.ok(here <= RATE * 1.2, `${here} in second ${second}`)
  }
  t.ok(departures.length >= 0.9 * RATE * SECONDS, `${departures.length} departed`)
})
