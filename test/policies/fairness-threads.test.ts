/** Fairness again, with the calls of each source arriving at several workers that share cells. */
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { chanceOf } from '../support/chance.ts'
import { arrivalsOf, type Caller } from './crowd.ts'
import type { CrowdResult, CrowdTask } from './crowd-worker.ts'
import { cellsOf } from './world.ts'

const WORKERS = 3
const RATE = 200
const SHARE = RATE / 4
const SECONDS = 10
const CROWD = new URL('./crowd-worker.ts', import.meta.url)

async function tell(settings: CrowdTask['settings'], callers: readonly Caller[], seed: number) {
  const chance = chanceOf(seed)
  const { memory } = cellsOf()
  const steps = new SharedArrayBuffer(4)
  const all = arrivalsOf(callers, SECONDS, chance).map((one) => ({ ...one, chance: chance() }))
  const to = all.map(() => Math.floor(chance() * WORKERS))
  const results = await Promise.all(
    Array.from({ length: WORKERS }, (_, worker) => {
      const arrivals = all.filter((_call, at) => to[at] === worker)
      const same = { workers: WORKERS, memory, steps, settings, seconds: SECONDS }
      const task: CrowdTask = { ...same, worker, arrivals, sources: callers.length }
      const thread = new Worker(CROWD, { workerData: task, execArgv: [] })
      return new Promise<CrowdResult>((resolve, refuse) => {
        thread.on('message', resolve)
        thread.on('error', refuse)
      })
    }),
  )
  return callers.map((_, at) => {
    const waits = results.flatMap((result) => result[at]!)
    const passed = waits.filter((ms) => ms >= 0).sort((a, b) => a - b)
    const p99Ms = passed[Math.floor(passed.length * 0.99)] ?? 0
    return { asked: waits.length, passed: passed.length, p99Ms }
  })
}

for (const [name, settings, polite] of [
  ['at their share', {}, { perSecond: SHARE }],
  ['that come late, and no burst', { burst: 1 }, { perSecond: 0.9 * SHARE, startMs: 2000 }],
] as const) {
  t.test(`fairness: over threads, callers ${name}`, async (t) => {
    const flood = { perSecond: 10 * SHARE }
    const given = { ratePerSecond: RATE, ...settings }
    const fates = await tell(given, [flood, polite, polite, polite], 1)
    for (const { asked, passed, p99Ms } of fates.slice(1)) {
      const due = Math.min(asked, SHARE * SECONDS)
      t.ok(passed >= 0.9 * due, `${passed} of ${due} passed`)
      t.ok(p99Ms <= (2 * 1000) / SHARE, `p99 ${p99Ms} ms`)
    }
    const all = fates.reduce((sum, { passed }) => sum + passed, 0)
    const burst = 'burst' in settings ? settings.burst : RATE
    const promised = RATE / 2 // in maxWaitMs, when others came
    t.ok(all <= RATE * SECONDS * 1.01 + burst + promised, `${all} in all`)
    t.ok(all >= RATE * SECONDS * 0.95, `${all} in all`)
  })
}
