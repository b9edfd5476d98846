/**
 * bottleneck is the oracle of the paced schedule: with no burst and one source, calls depart when
 * its jobs start under `minTime`, in the same order.
 */
import Bottleneck from 'bottleneck'
import t, { type Test } from 'tap'
import { backpressure } from '../../policies/backpressure.ts'
import { chanceOf } from '../support/chance.ts'
import { callOn, stateOf } from './world.ts'

const CALLS = 60

/** Time in which a timer of 0 ms takes none: bottleneck hands each job on through three of them. */
class Moment {
  nowMs = 1_000_000
  #due: { atMs: number; run: () => void }[] = []

  install(t: Test): void {
    t.intercept(Date, 'now', { value: () => this.nowMs })
    t.intercept(globalThis, 'setTimeout', {
      value: (run: () => void, ms = 0) => this.#due.push({ atMs: this.nowMs + ms, run }),
    })
  }

  async settle(): Promise<void> {
    for (let idle = 0; idle < 3; idle += 1) {
      const due = this.#due.filter(({ atMs }) => atMs <= this.nowMs)
      this.#due = this.#due.filter(({ atMs }) => atMs > this.nowMs)
      for (const { run } of due) run()
      if (due.length > 0) idle = 0
      await new Promise((done) => setImmediate(done))
    }
  }
}

/** When bottleneck starts each job, in ms. */
async function theirs(moment: Moment, minTime: number, arrivals: readonly number[]) {
  const limiter = new Bottleneck({ minTime })
  const started: number[] = Array(arrivals.length).fill(-1)
  const startMs = moment.nowMs
  for (; started.includes(-1); moment.nowMs += 1) {
    for (const [at, arrival] of arrivals.entries()) {
      if (startMs + arrival !== moment.nowMs) continue
      void limiter.schedule(async () => {
        started[at] = moment.nowMs - startMs
      })
    }
    await moment.settle()
  }
  return started
}

function ours(spacingMs: number, arrivals: readonly number[], burst: number): number[] {
  const given = { ratePerSecond: 1000 / spacingMs, burst, maxWaitMs: 60_000 }
  const { state, settings } = stateOf(backpressure, given)
  const call = callOn(undefined, { chance: 0 })
  return arrivals.map((ms) => {
    const decision = backpressure.admit(state, settings, call, 1_000_000 + ms)
    return decision.verdict === 'pass' ? ms + decision.delayMs : NaN
  })
}

t.test('backpressure: departs as bottleneck starts jobs', async (t) => {
  const moment = new Moment()
  moment.install(t)
  for (const spacingMs of [4, 10, 25]) {
    for (const load of [0.5, 1, 2]) {
      const chance = chanceOf(spacingMs * 10 + load)
      const arrivals: number[] = []
      let ms = 0
      for (let i = 0; i < CALLS; i += 1) {
        ms += Math.floor((chance() * 2 * spacingMs) / load)
        arrivals.push(ms)
      }
      const expected = await theirs(moment, spacingMs, arrivals)
      for (const burst of [0, 1]) {
        t.same(ours(spacingMs, arrivals, burst), expected, `every ${spacingMs} ms, load ${load}`)
      }
    }
  }
})
