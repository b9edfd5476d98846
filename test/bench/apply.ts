/**
 * P11: how long an order takes. One node: from asking the control plane until the first request is
 * refused, a caller calling all the while. A hundred nodes: from asking until the last of them has
 * acknowledged; they are simulated on real control streams, in a process of their own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Control } from '../../cli/client.ts'
import { quantile } from '../support/callers.ts'
import { Connection, placeOf } from '../support/connection.ts'
import { Fleet } from '../support/fleet.ts'
import { everywhere, operatorOf } from '../support/operator.ts'
import { deny } from './five.ts'
import { wireOf } from './patterns.ts'
import type { Report } from './report.ts'
import type { Stage } from './stage.ts'

const NODES = 100
const APPLIES = 200
/** Compilers warm up: a fleet that is looked after has had its first order. */
const WARM = 5
const bench = 'P11'

export async function benchApply(stage: Stage, report: Report): Promise<void> {
  const applies = stage.quick ? 10 : APPLIES
  await withFleet(stage, async (fleet, control) => {
    const direct = [{ target: stage.target, service: 'target' }]
    const proxy = await fleet.startProxy({ node: 'real', direct })
    await timeRefusals(control, proxy.listens[0]!, WARM)
    const refused = await timeRefusals(control, proxy.listens[0]!, applies)
    tell(report, 'apply -> first refused request, 1 node', refused, { gate: 20, goal: 5 })
  })
  await withFleet(stage, async (fleet, control) => {
    await startNodes(fleet)
    await timeAcknowledgements(control, WARM)
    const acknowledged = await timeAcknowledgements(control, applies)
    const what = `apply -> acknowledged by all, ${NODES} nodes`
    tell(report, what, acknowledged, { gate: 100, goal: 10 })
    report.note(bench, `The ${NODES} nodes run in one process and share its core with the rest.`)
  })
}

/** A control plane of its own for each: a node that has left is still expected. */
async function withFleet(
  stage: Stage,
  run: (fleet: Fleet, control: Control) => Promise<void>,
): Promise<void> {
  const services = { web: { addresses: ['127.0.0.1'] }, target: { addresses: [stage.target] } }
  const fleet = new Fleet(JSON.stringify({ services }))
  try {
    await fleet.startControlPlane()
    const control = operatorOf(fleet)
    await run(fleet, control).finally(() => control.close())
  } finally {
    await fleet.end()
  }
}

async function timeRefusals(control: Control, address: string, applies: number): Promise<number[]> {
  const took: number[] = []
  for (let apply = 0; apply < applies; apply += 1) {
    const startMs = performance.now()
    const asked = control.ask('apply', { intent: wireOf(deny) })
    took.push((await callUntil(address, 403)) - startMs)
    const { ids } = await asked
    await control.ask('release', { ids, now: true, reason: 'bench' })
    await callUntil(address, 200)
  }
  return took
}

/** Calls on a kept connection until that status comes, and says when it came. */
async function callUntil(address: string, status: number): Promise<number> {
  const request = `GET / HTTP/1.1\r\nhost: ${address}\r\n\r\n`
  const connection = new Connection(placeOf(address))
  const startMs = performance.now()
  while (performance.now() - startMs < 10_000) {
    const answer = await connection.call(request)
    if (typeof answer === 'string') throw new Error(`a call was lost: ${answer}`)
    if (answer.status !== status) {
      // A call each millisecond is close enough, and leaves the machine to those it measures.
      await sleep(1)
      continue
    }
    connection.close()
    return performance.now()
  }
  throw new Error(`no ${status} within 10 s of an order`)
}

async function startNodes(fleet: Fleet) {
  const file = new URL('nodes.ts', import.meta.url).pathname
  const token = `${fleet.folder}/control-plane/node.token`
  const running = fleet.processes.startNode('nodes', [file, fleet.grpc, token, `${NODES}`])
  await running.line((line) => line['msg'] === 'ready')
  return running
}

async function timeAcknowledgements(control: Control, applies: number): Promise<number[]> {
  const took: number[] = []
  for (let apply = 0; apply < applies; apply += 1) {
    const startMs = performance.now()
    const { ids, revision } = await control.ask('apply', { intent: wireOf(deny) })
    await everywhere(control, revision)
    took.push(performance.now() - startMs)
    const released = await control.ask('release', { ids, now: true, reason: 'bench' })
    await everywhere(control, released.revision)
  }
  return took
}

function tell(
  report: Report,
  what: string,
  took: readonly number[],
  lines: { gate: number; goal: number },
): void {
  report.figure(bench, `${what}: each`, 'airspace', 'ms', took)
  const values = [quantile(took, 0.99)]
  report.verdict({ bench, what: `${what}: p99`, unit: 'ms', values, ...lines, better: 'less' })
}
