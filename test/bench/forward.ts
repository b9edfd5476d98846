/**
 * P1 and P2: what one forwarded HTTP/1.1 request costs, and how many a core forwards in a second.
 * Ours has its signals on, as it always has, and no policy. All contenders stand beside each other
 * and take turns, so that what else the machine does falls on all of them alike.
 */
import { load, type Run } from './load.ts'
import { type Peer, startOurs, strangers } from './peers.ts'
import { median, type Report, ratios } from './report.ts'
import type { Stage } from './stage.ts'

/** Below this the proxy's core had time to spare: somebody else was the limit. */
const BUSY_LEAST = 0.95

export async function benchForward(stage: Stage, report: Report): Promise<void> {
  const ours = await startOurs(stage, false)
  try {
    const peers: Peer[] = [ours]
    for (const { name, start } of strangers) {
      const peer = await start(stage)
      if (peer) peers.push(peer)
      else report.note('P1', `${name} is not installed: not compared with it.`)
    }
    const runs = await takeTurns(stage, peers)
    tell(report, runs)
    for (const peer of peers) await peer.running.stop()
  } finally {
    await ours.fleet.end()
  }
}

async function takeTurns(stage: Stage, peers: readonly Peer[]): Promise<Map<string, Run[]>> {
  const { processes, requests } = stage
  const runs = new Map<string, Run[]>()
  for (const { name, address, running } of peers) {
    runs.set(name, [])
    await load(processes, address, running, Math.ceil(requests / 2)) // compilers warm up
  }
  for (let round = 0; round < stage.rounds; round += 1) {
    for (const { name, address, running } of peers) {
      runs.get(name)!.push(await load(processes, address, running, requests))
    }
  }
  return runs
}

function tell(report: Report, runs: ReadonlyMap<string, readonly Run[]>): void {
  const of = (name: string, pick: (run: Run) => number): number[] =>
    (runs.get(name) ?? []).map(pick)
  for (const name of runs.keys()) {
    report.figure(
      'P1',
      'CPU per request',
      name,
      'us',
      of(name, (run) => run.totalUs),
    )
    report.figure(
      'P1',
      'of it user',
      name,
      'us',
      of(name, (run) => run.userUs),
    )
    report.figure(
      'P1',
      'of it system',
      name,
      'us',
      of(name, (run) => run.systemUs),
    )
    report.figure(
      'P2',
      'requests/s',
      name,
      '/s',
      of(name, (run) => run.perSecond),
    )
    const busy = of(name, (run) => run.busy)
    report.figure('P2', 'of its core in use', name, '', busy)
    if (median(busy) < BUSY_LEAST) {
      report.note('P2', `${name} did not fill its core: load, target or other work was the limit.`)
    }
  }
  const compare = (bench: string, peer: string, pick: (run: Run) => number) => ({
    bench,
    values: ratios(of('airspace', pick), of(peer, pick)),
  })
  const cost = (run: Run) => run.totalUs
  const less = { unit: 'x', better: 'less' } as const
  const cpu = 'CPU per request, airspace /'
  report.verdict({
    ...compare('P1', 'HAProxy', cost),
    what: `${cpu} HAProxy`,
    gate: 1.3,
    goal: 1,
    ...less,
  })
  report.verdict({ ...compare('P1', 'nginx', cost), what: `${cpu} nginx`, ...less })
  const third = { gate: 1 / 3, goal: 1 / 4 }
  report.verdict({
    ...compare('P1', 'http-proxy', cost),
    what: `${cpu} http-proxy`,
    ...third,
    ...less,
  })
  report.verdict({ ...compare('P1', 'http-proxy-3', cost), what: `${cpu} http-proxy-3`, ...less })
  const speed = (run: Run) => run.perSecond
  const more = { unit: 'x', better: 'more' } as const
  const rate = 'requests/s per core, airspace /'
  report.verdict({
    ...compare('P2', 'HAProxy', speed),
    what: `${rate} HAProxy`,
    gate: 0.75,
    goal: 1,
    ...more,
  })
  report.verdict({ ...compare('P2', 'nginx', speed), what: `${rate} nginx`, ...more })
}
