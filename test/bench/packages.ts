/**
 * What three packages cost where they would stand on the data path: http-proxy as forwarder,
 * opossum as breaker and bulkhead, bottleneck as pacer. The records in docs/decisions quote it.
 */
import { Worker } from 'node:worker_threads'
import Bottleneck from 'bottleneck'
import CircuitBreaker from 'opossum'
import { load, type Run } from './load.ts'
import { type Peer, strangers } from './peers.ts'
import { type Report, ratios } from './report.ts'
import type { Stage } from './stage.ts'
import { timeCalls } from './timing.ts'

export async function benchPackages(stage: Stage, report: Report): Promise<void> {
  await benchForwarders(stage, report)
  await benchBreaker(stage, report)
  await benchSharing(report)
  await benchPacer(stage, report)
}

async function benchForwarders(stage: Stage, report: Report): Promise<void> {
  const costs = new Map<string, number[]>()
  const peers: Peer[] = []
  for (const { name, start } of strangers) {
    const peer = await start(stage)
    if (peer) peers.push(peer)
    else report.note('packages', `${name} is missing: not compared with it.`)
  }
  const { processes, requests } = stage
  const run = ({ address, running }: Peer): Promise<Run> =>
    load(processes, address, running, Math.ceil(requests / 4))
  for (const peer of peers) await run(peer) // compilers warm up
  for (let round = 0; round < stage.rounds; round += 1) {
    for (const peer of peers) {
      const { totalUs } = await run(peer)
      costs.set(peer.name, [...(costs.get(peer.name) ?? []), totalUs])
    }
  }
  for (const [name, values] of costs) {
    report.figure('packages', 'CPU per forwarded request', name, 'us', values)
  }
  const what = 'CPU per request, http-proxy /'
  for (const peer of ['HAProxy', 'nginx']) {
    const values = ratios(costs.get('http-proxy') ?? [], costs.get(peer) ?? [])
    report.verdict({
      bench: 'packages',
      what: `${what} ${peer}`,
      unit: 'x',
      values,
      better: 'less',
    })
  }
}

async function benchBreaker(stage: Stage, report: Report): Promise<void> {
  const calls = stage.quick ? 5_000 : 100_000
  const fail = async (): Promise<never> => {
    throw failed
  }
  const failed = new Error('no')
  const closed = { errorThresholdPercentage: 100, volumeThreshold: 1e9 }
  const succeeding = new CircuitBreaker(async () => 1, closed)
  const failing = new CircuitBreaker(fail, closed)
  const lean = new CircuitBreaker(fail, { ...closed, rollingPercentilesEnabled: false })
  const kinds = [
    ['a call that succeeds', () => succeeding.fire()],
    ['a call that fails, percentiles off', () => lean.fire().catch(() => {})],
    ['a call that fails, as delivered', () => failing.fire().catch(() => {})],
    ['the same call without opossum', async () => 1],
  ] as const
  for (const [what, call] of kinds) {
    const ns: number[] = []
    const bytes: number[] = []
    for (let round = 0; round < stage.rounds; round += 1) {
      // A failure sorts all latencies of the window, so few of them are already slow.
      const run = await timeCalls(what.includes('delivered') ? Math.ceil(calls / 50) : calls, call)
      ns.push(run.ns)
      bytes.push(run.bytes)
    }
    report.figure('packages', what, 'opossum', 'ns', ns)
    report.figure('packages', `${what}, allocated`, 'opossum', 'B', bytes)
  }
  for (const breaker of [succeeding, failing, lean]) breaker.shutdown()
}

/** One capacity, two threads: each has a breaker of its own, so twice as many are in at once. */
async function benchSharing(report: Report): Promise<void> {
  const inside = new Int32Array(new SharedArrayBuffer(8)) // how many now, and the most
  const file = new URL('breaker-worker.ts', import.meta.url)
  const limit = 10
  const run = (): Promise<void> =>
    new Promise((resolve, fail) => {
      const worker = new Worker(file, { workerData: { inside, limit } })
      worker.once('error', fail).once('exit', () => resolve())
    })
  await Promise.all([run(), run()])
  const most = [Atomics.load(inside, 1)]
  report.figure('packages', `most at once, capacity ${limit}, two threads`, 'opossum', '', most)
}

async function benchPacer(stage: Stage, report: Report): Promise<void> {
  const jobs = stage.quick ? 100 : 500
  const each: number[] = []
  const burst: number[] = []
  const rate: number[] = []
  const gap: number[] = []
  const job = async (): Promise<number> => performance.now()
  for (let round = 0; round < Math.min(stage.rounds, 3); round += 1) {
    const free = new Bottleneck({ maxConcurrent: 100 })
    let startMs = performance.now()
    for (let done = 0; done < jobs; done += 1) await free.schedule(job)
    each.push((performance.now() - startMs) / jobs)
    startMs = performance.now()
    await Promise.all(Array.from({ length: 100 }, () => free.schedule(job)))
    burst.push((performance.now() - startMs) / 100)

    const paced = new Bottleneck({ minTime: 5 })
    const times = await Promise.all(Array.from({ length: 200 }, () => paced.schedule(job)))
    rate.push((199 * 1000) / (times.at(-1)! - times[0]!))
    const gaps = times.slice(1).map((time, index) => time - times[index]!)
    gap.push(gaps.sort((a, b) => a - b)[Math.floor(gaps.length * 0.99)]!)
  }
  const who = 'bottleneck'
  report.figure('packages', 'a job that does nothing, one after the other', who, 'ms', each)
  report.figure('packages', 'a job that does nothing, 100 at once', who, 'ms', burst)
  report.figure('packages', 'paced at 5 ms (200/s): rate kept', who, '/s', rate)
  report.figure('packages', 'paced at 5 ms: p99 between two jobs', who, 'ms', gap)
}
