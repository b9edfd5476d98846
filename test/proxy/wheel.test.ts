/** The wheel against a list that is sorted, under a clock of the test's own. */
import t from 'tap'
import { Alarm, SLOTS, Wheel } from '../../proxy/wheel.ts'
import { chanceOf } from '../support/chance.ts'

class Time {
  nowMs = 1000.25
  readonly wheel = new Wheel(
    () => this.nowMs,
    (ms, wake) => this.#wakes.push({ atMs: this.nowMs + ms, wake }),
  )
  #wakes: { atMs: number; wake: () => void }[] = []

  /** Runs the wake-ups that are due, as Node would. */
  go(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      this.#wakes.sort((one, two) => one.atMs - two.atMs)
      const first = this.#wakes[0]
      if (!first || first.atMs > untilMs) break
      this.#wakes.shift()
      this.nowMs = Math.max(this.nowMs, first.atMs)
      first.wake()
    }
    this.nowMs = untilMs
  }
}

t.test('never too early, and at most two milliseconds late', async (t) => {
  const time = new Time()
  const chance = chanceOf(7)
  const late: number[] = []
  for (let i = 0; i < 3000; i += 1) {
    const dueMs = time.nowMs + chance() * 3 * SLOTS
    time.wheel.set(new Alarm((nowMs) => late.push(nowMs - dueMs)), dueMs)
    if (i % 3 === 0) time.go(chance() * 5)
  }
  time.go(4 * SLOTS)
  t.equal(late.length, 3000)
  t.equal(time.wheel.count, 0)
  t.ok(Math.min(...late) >= 0, `${Math.min(...late)} ms`)
  t.ok(Math.max(...late) <= 2, `${Math.max(...late)} ms`)
})

t.test('what is cancelled does not ring, also by one that rings', async (t) => {
  const time = new Time()
  const rung: string[] = []
  const two = new Alarm(() => rung.push('two'))
  const three = new Alarm(() => rung.push('three'))
  const one = new Alarm(() => {
    rung.push('one')
    time.wheel.cancel(two)
  })
  for (const alarm of [one, two, three]) time.wheel.set(alarm, time.nowMs + 10)
  time.go(20)
  t.same(rung, ['one', 'three'])
  t.equal(time.wheel.count, 0)
  t.notOk(two.set)
})

t.test('one that rings may be set again, also for now', async (t) => {
  const time = new Time()
  let rung = 0
  const alarm: Alarm = new Alarm((nowMs) => {
    rung += 1
    if (rung < 5) time.wheel.set(alarm, nowMs)
  })
  time.wheel.set(alarm, time.nowMs)
  time.go(0.5)
  t.equal(rung, 0, 'never at once')
  time.go(20)
  t.equal(rung, 5)
})

t.test('in the order in which they are due', async (t) => {
  const time = new Time()
  const rung: number[] = []
  for (const ms of [30, 10, 20, 10.2, 1500]) {
    time.wheel.set(new Alarm(() => rung.push(ms)), time.nowMs + ms)
  }
  time.go(2000)
  t.same(rung, [10, 10.2, 20, 30, 1500])
})
