/**
 * A worker thread that hammers shared cells as it is told; what it saw goes into cells of its
 * own.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { edgeOf } from '../../landscape/edge.ts'
import { serviceNamed } from '../../landscape/service.ts'
import { Cells } from '../../policies/cells.ts'
import { type BoundIntentText, readBound } from '../../policies/plan.ts'
import { Policies } from '../../policies/policy.ts'
import { Passage, type Tally } from '../../proxy/gate.ts'

export interface Task {
  readonly worker: number
  readonly memory: SharedArrayBuffer
  readonly intents: readonly BoundIntentText[]
  /** See SEEN: counted by the test itself, independently of what it tests. */
  readonly seen: SharedArrayBuffer
  readonly what: 'slots' | 'rows' | 'pace' | 'fail' | 'hold'
  readonly rounds: number
  /** All of so many begin together. */
  readonly together: number
  readonly nowMs: number
}

export const SEEN = { inside: 0, peak: 1, passed: 2, refused: 3, stop: 4, started: 5 } as const
/** From here on: how often each worker has been inside. */
export const SEEN_WORKERS = 16

const none = () => {}
export const QUIET: Tally = {
  matched: none,
  refused: none,
  delayed: none,
  wouldRefuse: none,
  wouldDelay: none,
}

function callsOf(task: Task) {
  const cells = new Cells(task.memory, task.worker)
  const policies = new Policies(cells, { byName: serviceNamed })
  policies.apply(1, task.intents.map(readBound))
  return (source: string) => {
    const edge = edgeOf(source, 'payments')
    const chance = ((task.worker * 0.618) % 1) / 2
    const call = { edge, form: 'request', idempotent: true, patienceMs: Infinity, chance } as const
    return { call, policies: policies.on(edge) }
  }
}

/** Enters, says so by itself, does a little, says so again and leaves. */
function slots(task: Task): void {
  const seen = new Int32Array(task.seen)
  const { call, policies } = callsOf(task)(`source ${task.worker}`)
  const passage = new Passage(QUIET)
  for (let round = 0; round < task.rounds && Atomics.load(seen, SEEN.stop) === 0; round += 1) {
    if (passage.enter(policies, call, round) !== 'pass') {
      Atomics.add(seen, SEEN.refused, 1)
      continue
    }
    const inside = Atomics.add(seen, SEEN.inside, 1) + 1
    let peak = Atomics.load(seen, SEEN.peak)
    while (inside > peak) peak = Atomics.compareExchange(seen, SEEN.peak, peak, inside)
    Atomics.add(seen, SEEN_WORKERS + task.worker, 1)
    for (let spin = 0; spin < (round % 7) * 20; spin += 1) Atomics.load(seen, SEEN.peak)
    Atomics.sub(seen, SEEN.inside, 1)
    passage.leave('success', round)
    Atomics.add(seen, SEEN.passed, 1)
  }
}

/** Meets sources that the others meet at the same time. */
function rows(task: Task): number[] {
  const cells = new Cells(task.memory, task.worker)
  const found: number[] = []
  for (let round = 0; round < task.rounds; round += 1) {
    found.push(cells.row('policy', '', `source ${round}`, 0).index)
  }
  return found
}

/** Asks for departures of one source, at one moment after another: as many as there are rounds. */
function pace(task: Task): number[] {
  const { call, policies } = callsOf(task)('web')
  const departures: number[] = []
  for (let round = 0; round < task.rounds; round += 1) {
    const passage = new Passage(QUIET)
    const verdict = passage.enter(policies, call, task.nowMs)
    departures.push(verdict === 'refuse' ? -1 : passage.delayMs)
  }
  return departures
}

/** Calls that all fail, one after the other. Gives how many were let through. */
function fail(task: Task): number[] {
  const { call, policies } = callsOf(task)('web')
  const passage = new Passage(QUIET)
  let passed = 0
  for (let round = 0; round < task.rounds; round += 1) {
    if (passage.enter(policies, call, task.nowMs) === 'refuse') continue
    passed += 1
    passage.leave('failure', task.nowMs)
  }
  return [passed]
}

/** Calls that go in and stay. Gives how many did. */
function hold(task: Task): number[] {
  const { call, policies } = callsOf(task)('web')
  let passed = 0
  for (let round = 0; round < task.rounds; round += 1) {
    if (new Passage(QUIET).enter(policies, call, task.nowMs) === 'pass') passed += 1
  }
  return [passed]
}

const DEEDS = { slots, rows, pace, fail, hold }

if (parentPort) {
  const task = workerData as Task
  const seen = new Int32Array(task.seen)
  let started = Atomics.add(seen, SEEN.started, 1) + 1
  Atomics.notify(seen, SEEN.started)
  for (; started < task.together; started = Atomics.load(seen, SEEN.started)) {
    Atomics.wait(seen, SEEN.started, started, 1000)
  }
  parentPort.postMessage(DEEDS[task.what](task) ?? [])
}
