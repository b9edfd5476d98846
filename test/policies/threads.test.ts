/** Several real worker threads on one memory: limits stay exact, and the dead are forgiven. */
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { edgeOf } from '../../landscape/edge.ts'
import { cellsBytes } from '../../policies/cells.ts'
import type { Circuit } from '../../policies/circuit.ts'
import { type BoundIntent, writeBound } from '../../policies/plan.ts'
import { SEEN, SEEN_WORKERS, type Task } from './hammer.ts'
import { boundOf, callOn, cellsOf, World } from './world.ts'

const HAMMER = new URL('./hammer.ts', import.meta.url)
const WORKERS = 4
const ROUNDS = 60_000
const DEATHS = 10

/** Memory that main has made ready, and the cells in which workers say what they saw. */
function stage() {
  const memory = new SharedArrayBuffer(cellsBytes())
  const seen = new SharedArrayBuffer(256)
  return { memory, seen, cells: cellsOf(memory), saw: new Int32Array(seen) }
}

function start(
  { memory, seen }: ReturnType<typeof stage>,
  worker: number,
  what: Task['what'],
  rounds: number,
  together: number,
  ...bound: BoundIntent[]
) {
  const intents = bound.map(writeBound)
  const nowMs = 1_000_000 + (what === 'hold' ? 1000 : 0)
  const task: Task = { worker, memory, seen, what, rounds, together, nowMs, intents }
  const thread = new Worker(HAMMER, { workerData: task, execArgv: [] })
  const done = new Promise<number[]>((resolve, refuse) => {
    thread.on('message', resolve)
    thread.on('error', refuse)
    thread.on('exit', () => resolve([]))
  })
  return { thread, done }
}

for (const maxInFlight of [1, 3]) {
  t.test(`threads: never more than ${maxInFlight} inside, as an outsider counts`, async (t) => {
    const place = stage()
    const bound = boundOf({ kind: 'bulkhead', settings: { maxInFlight } })
    const numbers = Array.from({ length: WORKERS }, (_, at) => at)
    await Promise.all(numbers.map((at) => start(place, at, 'slots', ROUNDS, WORKERS, bound).done))
    const { saw } = place
    t.ok(saw[SEEN.peak]! >= 1 && saw[SEEN.peak]! <= maxInFlight, `${saw[SEEN.peak]} at once`)
    t.equal(saw[SEEN.inside], 0)
    t.equal(saw[SEEN.passed]! + saw[SEEN.refused]!, WORKERS * ROUNDS)
    t.ok(saw[SEEN.passed]! > 1_000, `${saw[SEEN.passed]} passed`)

    const world = new World(place.cells)
    world.apply(bound)
    const { verdict } = world.enter(callOn(edgeOf('source 0', 'payments')))
    t.equal(verdict, 'pass', 'all slots are free in the end')
  })
}

t.test('threads: what a worker held when it was ended is given back, and no more', async (t) => {
  const place = stage()
  const bound = boundOf({ kind: 'bulkhead', settings: { maxInFlight: 2 } })
  const { cells, saw } = place
  const survivor = start(place, 1, 'slots', 2 ** 30, 1, bound)
  const world = new World(cells)
  world.apply(bound)
  for (let death = 1; death <= DEATHS; death += 1) {
    const enough = Atomics.load(saw, SEEN_WORKERS + 2) + 500 * death
    const { thread } = start(place, 2, 'slots', 2 ** 30, 1, bound)
    while (Atomics.load(saw, SEEN_WORKERS + 2) < enough) await new Promise(setImmediate)
    await thread.terminate()
    cells.forgive(2)
  }
  Atomics.store(saw, SEEN.stop, 1)
  await survivor.done
  const gauges = world.policies.on(edgeOf('a', 'payments'))[0]!.state as Record<string, Gauge>
  t.equal(gauges['requests']!.load(), 0)
  t.ok(saw[SEEN.passed]! > 1000, `${saw[SEEN.passed]} passed meanwhile`)
})

interface Gauge {
  load(): number
}

t.test('threads: workers that meet the same sources make one row of each', async (t) => {
  const place = stage()
  const numbers = Array.from({ length: WORKERS }, (_, at) => at)
  const found = await Promise.all(numbers.map((at) => start(place, at, 'rows', 4000, WORKERS).done))
  for (const rows of found) t.same(rows, found[0])
  t.equal(new Set(found[0]).size, 4000)
  t.equal(place.cells.used, 4000)
  t.equal(place.cells.overflowed, 0)
})

t.test('threads: no two workers give away the same time of departure', async (t) => {
  const place = stage()
  const settings = { ratePerSecond: 1000, burst: 1, maxWaitMs: 60_000, maxDelayed: 100_000 }
  const bound = boundOf({ kind: 'backpressure', settings })
  const numbers = Array.from({ length: WORKERS }, (_, at) => at)
  const given = await Promise.all(
    numbers.map((at) => start(place, at, 'pace', 5000, WORKERS, bound).done),
  )
  const all = given.flat().sort((a, b) => a - b)
  t.same(
    all,
    Array.from({ length: WORKERS * 5000 }, (_, ms) => ms),
    'one each millisecond',
  )
})

t.test('threads: workers agree on when a circuit opens, and on who tries it', async (t) => {
  const opens = { consecutive: 100, minRequests: 100_000 }
  const settings = { ...opens, probes: 3, openForMs: 1000, jitterRatio: 0 }
  const bound = boundOf({ kind: 'breaker', settings })
  const numbers = Array.from({ length: WORKERS }, (_, at) => at)
  for (let round = 0; round < 2; round += 1) {
    const place = stage()
    const all = (what: Task['what'], rounds: number) =>
      Promise.all(numbers.map((at) => start(place, at, what, rounds, WORKERS, bound).done))
    const failed = (await all('fail', 5000)).flat().reduce((sum, passed) => sum + passed, 0)
    // Each worker may have one call under way when the hundredth failure opens it.
    t.ok(failed >= 100 && failed < 100 + WORKERS, `${failed} failed`)
    const world = new World(place.cells)
    world.apply(bound)
    const circuit = world.policies.on(edgeOf('web', 'payments'))[0]!.state as Circuit
    t.equal(circuit.stateOf(circuit.load()), 'open')
    t.equal(circuit.load() >>> 2, 1, 'it was opened once')

    Atomics.store(place.saw, SEEN.started, 0)
    const probes = (await all('hold', 100)).flat().reduce((sum, passed) => sum + passed, 0)
    t.equal(probes, 3)
    t.equal(circuit.load() >>> 2, 2, 'and half-opened once')
  }
})
