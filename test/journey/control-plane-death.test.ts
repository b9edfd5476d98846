/**
 * The control plane is killed under load. No call may notice; a bulkhead ends when its lease does,
 * on the node's own clock; and what was seen meanwhile is told when there is somebody to tell.
 */
import t from 'tap'
import { type Count, callInLoops } from '../support/callers.ts'
import { placeOf } from '../support/connection.ts'
import { edgeSums } from '../support/edges.ts'
import { Fleet } from '../support/fleet.ts'
import { startTarget } from '../support/target.ts'

const LEASE_MS = 10_000
/** A lease ends at a tick, up to a second late; a loaded machine adds to it. */
const LATE_MS = 3_000
/** A backoff that began with the gap may be this far from its next try. */
const BACK_MS_MAX = 35_000
const SEED = 3

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

t.setTimeout(100_000) // a landscape takes its time to start where others work too

t.test('kill -9 of the control plane costs no call, no lease and no signal', async (t) => {
  const fleet = new Fleet("services:\n  web: { addresses: ['127.0.0.1'] }\n")
  t.teardown(() => fleet.end())
  const target = await startTarget(fleet.processes, { leastMs: 2, mostMs: 4 })
  await fleet.startControlPlane()
  const proxy = await fleet.startProxy({
    node: 'a',
    workers: 2,
    direct: [
      { target: target.address, service: 'open' },
      { target: target.address, service: 'bounded' },
    ],
  })
  const [open, bounded] = proxy.listens.map((listen) => placeOf(listen))

  let ended = false
  const load = { callers: 4, pauseMs: 5, seed: SEED, done: () => ended }
  const passing = callInLoops({ ...load, places: [open!] })
  const words = ['--max-in-flight', '1', '--for', `${LEASE_MS}ms`, '--on-expire', 'now']
  const applied = await fleet.airspace('bulkhead', '*..bounded', ...words)
  const appliedMs = performance.now()
  t.equal(applied.code, 0, applied.out + applied.err)

  await fleet.control.kill()
  const killedMs = performance.now()
  // Callers of the bounded target, until three in a row of them see no refusal.
  const endedMs = await firstQuiet(() =>
    callInLoops({ ...load, places: [bounded!], done: ({ sent }) => sent >= 100 }),
  )
  const heldMs = endedMs - appliedMs
  t.ok(heldMs >= LEASE_MS - 2_000, `held for ${heldMs.toFixed(0)} ms of its lease of ${LEASE_MS}`)
  t.ok(heldMs <= LEASE_MS + LATE_MS, `and ended with it: ${heldMs.toFixed(0)} ms`)

  const gapMs = performance.now() - killedMs
  t.comment(`the control plane was away for ${gapMs.toFixed(0)} ms`)
  await fleet.startControlPlane()
  await sleep(500)
  ended = true
  const count = await passing
  t.equal(count.failures + count.misrouted + count.refused, 0, count.describe())

  const backMs = performance.now()
  const told = await seen(fleet, count)
  t.comment(`all was told ${(performance.now() - backMs).toFixed(0)} ms after its return`)
  t.equal(told, count.sent, 'every call is on its edge, those of the gap too')
})

/** When the first of three quiet rounds ended; a minute is too long for any lease here. */
async function firstQuiet(round: () => Promise<Count>): Promise<number> {
  let quiet = 0
  let sinceMs = 0
  const startMs = performance.now()
  while (performance.now() - startMs < 30_000) {
    const roundMs = performance.now()
    const { refused } = await round()
    if (refused === 0 && quiet === 0) sinceMs = roundMs
    quiet = refused === 0 ? quiet + 1 : 0
    if (quiet === 3) return sinceMs
  }
  throw new Error('the bulkhead outlived its lease by far')
}

/** The node comes back to its control plane with a backoff, hence some seconds later. */
async function seen(fleet: Fleet, count: Count): Promise<number> {
  const startMs = performance.now()
  let told = 0
  while (told < count.sent && performance.now() - startMs < BACK_MS_MAX) {
    await sleep(500)
    told = (await edgeSums(fleet, 'web..open')).started
  }
  return told
}
