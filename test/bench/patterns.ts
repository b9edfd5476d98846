/**
 * P14: what five policies on an edge cost each request, against none. Signals are on in both, as
 * they always are. One proxy, one control plane; the policies come and go between the turns, and
 * their limits are high enough never to refuse.
 */
import type { Control } from '../../cli/client.ts'
import type { IntentText } from '../../policies/intent.ts'
import { intentToWire } from '../../wire/codec.ts'
import { everywhere, operatorOf } from '../support/operator.ts'
import { five } from './five.ts'
import { load } from './load.ts'
import { type OwnPeer, startOurs } from './peers.ts'
import { type Report, ratios } from './report.ts'
import type { Stage } from './stage.ts'

/** An intent to apply: the control plane gives the id. */
export const wireOf = (intent: IntentText) => intentToWire({ ...intent, id: '' })

export async function applyAll(control: Control): Promise<void> {
  let revision = 0n
  for (const intent of five) {
    revision = (await control.ask('apply', { intent: wireOf(intent) })).revision
  }
  await everywhere(control, revision)
}

export async function releaseAll(control: Control): Promise<void> {
  const { revision } = await control.ask('release', { all: true, now: true, reason: 'bench' })
  await everywhere(control, revision)
}

export async function benchPatterns(stage: Stage, report: Report): Promise<void> {
  const ours = await startOurs(stage, true)
  const control = operatorOf(ours.fleet)
  try {
    await compare(stage, report, ours, control)
  } finally {
    control.close()
    await ours.fleet.end()
  }
}

async function compare(
  stage: Stage,
  report: Report,
  { address, running }: OwnPeer,
  control: Control,
): Promise<void> {
  const run = async (requests: number) =>
    (await load(stage.processes, address, running, requests)).totalUs
  const bare: number[] = []
  const five: number[] = []
  await run(stage.requests)
  for (let round = 0; round < stage.rounds; round += 1) {
    bare.push(await run(stage.requests))
    await applyAll(control)
    if (round === 0) await run(stage.requests) // compilers meet the policies
    five.push(await run(stage.requests))
    await releaseAll(control)
  }
  const what = 'CPU per request'
  report.figure('P14', what, 'signals, no policy', 'us', bare)
  report.figure('P14', what, 'signals, five policies', 'us', five)
  report.verdict({
    bench: 'P14',
    what: 'five policies on the edge / none',
    unit: 'x',
    values: ratios(five, bare),
    gate: 1.1,
    goal: 1.03,
    better: 'less',
  })
  report.note('P14', 'Signals cannot be turned off: they are in both figures.')
}
