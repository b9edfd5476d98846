/** Seconds do not drift, and one that was missed is not made up for. */
import t from 'tap'
import { firstTickMs, nextTickMs, Tick } from '../../proxy/tick.ts'
import { clock } from '../../runtime/clock.ts'
import { logger } from '../../runtime/log.ts'

t.test('the next tick', async (t) => {
  const table: [string, number, number, number][] = [
    ['in time', 1000, 1000, 2000],
    ['a little late', 1000, 1013, 2000],
    ['almost the next', 1000, 1999, 2000],
    ['a second late', 1000, 2000, 2000],
    ['seconds late: those are gone', 1000, 4321, 5000],
    ['a little early', 1000, 999.5, 2000],
  ]
  for (const [name, dueMs, nowMs, wanted] of table) t.equal(nextTickMs(dueMs, nowMs), wanted, name)
})

t.test('the first tick is on a second of the wall clock', async (t) => {
  t.equal(firstTickMs(1_700_000_000_250, 40), 790)
  t.equal(firstTickMs(1_700_000_000_000, 40), 1040)
})

t.test('a tick that fails is logged, and does not end it', async (t) => {
  const lines: string[] = []
  let ticks = 0
  await new Promise<void>((resolve) => {
    const tick = new Tick(
      () => {
        ticks += 1
        if (ticks === 1) throw new Error('a mistake')
        tick.stop()
        resolve()
      },
      clock,
      logger('test', (line) => lines.push(line)),
    )
    tick.start()
  })
  t.match(lines.join(''), /a mistake/)
  t.equal(ticks, 2)
})
