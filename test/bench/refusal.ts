/**
 * P10: what a refusal costs, against what a forward costs the same proxy. HAProxy's own deny
 * against its own forward stands beside it. Ours is refused by a segment, named in the answer.
 */
import { everywhere, operatorOf } from '../support/operator.ts'
import { deny } from './five.ts'
import { load } from './load.ts'
import { releaseAll, wireOf } from './patterns.ts'
import { startOurs, strangers } from './peers.ts'
import { type Report, ratios } from './report.ts'
import type { Stage } from './stage.ts'

const bench = 'P10'

export async function benchRefusal(stage: Stage, report: Report): Promise<void> {
  await benchOurs(stage, report)
  const haproxy = await strangers[0].start(stage)
  if (!haproxy?.refusing) return report.note(bench, 'HAProxy is not installed: no anchor.')
  const { address, refusing, running } = haproxy
  const forward: number[] = []
  const refuse: number[] = []
  for (let round = 0; round < stage.rounds; round += 1) {
    const { processes, requests } = stage
    forward.push((await load(processes, address, running, requests)).totalUs)
    refuse.push((await load(processes, refusing, running, requests, '4xx')).totalUs)
  }
  tell(report, 'HAProxy', forward, refuse)
}

async function benchOurs(stage: Stage, report: Report): Promise<void> {
  const { processes, requests } = stage
  const { fleet, address, running } = await startOurs(stage, true)
  const control = operatorOf(fleet)
  const forward: number[] = []
  const refuse: number[] = []
  try {
    for (let round = -1; round < stage.rounds; round += 1) {
      const forwarded = await load(processes, address, running, requests)
      const { revision } = await control.ask('apply', { intent: wireOf(deny) })
      await everywhere(control, revision)
      const refused = await load(processes, address, running, requests, '4xx')
      await releaseAll(control)
      if (round < 0) continue // compilers warm up
      forward.push(forwarded.totalUs)
      refuse.push(refused.totalUs)
    }
  } finally {
    control.close()
    await fleet.end()
  }
  tell(report, 'airspace', forward, refuse)
}

function tell(report: Report, who: string, forward: number[], refuse: number[]): void {
  report.figure(bench, 'CPU per forward', who, 'us', forward)
  report.figure(bench, 'CPU per refusal', who, 'us', refuse)
  const what = `${who}: a refusal / a forward`
  const lines = who === 'airspace' ? { gate: 0.5, goal: 0.3 } : {}
  const values = ratios(refuse, forward)
  report.verdict({ bench, what, unit: 'x', values, ...lines, better: 'less' })
}
