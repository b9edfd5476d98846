/** One of several workers that a crowd's calls arrive at, all keeping one clock in step. */
import { parentPort, workerData } from 'node:worker_threads'
import { backpressure } from '../../policies/backpressure.ts'
import { Cells } from '../../policies/cells.ts'
import { readSettings } from '../../policies/settings.ts'
import { callOn } from './world.ts'

export interface CrowdTask {
  readonly worker: number
  readonly workers: number
  readonly memory: SharedArrayBuffer
  /** One cell: how many times a worker has come to the end of a step. */
  readonly steps: SharedArrayBuffer
  readonly settings: { readonly [name: string]: unknown }
  readonly arrivals: readonly {
    readonly ms: number
    readonly at: number
    readonly chance: number
  }[]
  readonly sources: number
  readonly seconds: number
}

/** By source: each call's wait in ms, or -1. */
export type CrowdResult = readonly (readonly number[])[]

const STEP_MS = 20
const START_MS = 5_000_000

function run(task: CrowdTask): CrowdResult {
  const cells = new Cells(task.memory, task.worker)
  const settings = readSettings(backpressure.fields, task.settings)
  const steps = new Int32Array(task.steps)
  const states = Array.from({ length: task.sources }, (_, at) =>
    backpressure.cells(
      cells.row('policy', '', '', 0),
      'on',
      cells.row('policy', '', `source ${at}`, 0),
    ),
  )
  const waits: number[][] = states.map(() => [])
  let next = 0
  for (let step = 1; step <= (task.seconds * 1000) / STEP_MS; step += 1) {
    const endMs = step * STEP_MS
    for (; next < task.arrivals.length && task.arrivals[next]!.ms < endMs; next += 1) {
      const { ms, at, chance } = task.arrivals[next]!
      const call = callOn(undefined, { chance })
      const decision = backpressure.admit(states[at]!, settings, call, START_MS + ms)
      waits[at]!.push(decision.verdict === 'pass' ? decision.delayMs : -1)
    }
    if (task.worker === 0 && endMs % 1000 === 0) {
      backpressure.tend?.(states, settings, { medianMs: 0 }, START_MS + endMs)
    }
    let come = Atomics.add(steps, 0, 1) + 1
    if (come === step * task.workers) Atomics.notify(steps, 0)
    for (; come < step * task.workers; come = Atomics.load(steps, 0)) {
      Atomics.wait(steps, 0, come, 100)
    }
  }
  return waits
}

parentPort?.postMessage(run(workerData as CrowdTask))
