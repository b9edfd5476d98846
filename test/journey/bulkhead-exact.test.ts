/**
 * One at a time means one at a time: two proxies with two workers each, callers that also leave
 * early, and a target that counts for itself. What is asked of the operator is typed.
 */
import t, { type Test } from 'tap'
import { type Count, callInLoops } from '../support/callers.ts'
import { placeOf } from '../support/connection.ts'
import { Fleet } from '../support/fleet.ts'
import { startTarget, type Target } from '../support/target.ts'

const CALLS = 20_000
/** So many of them must have been let through, or the rest proves little. */
const PASSED_LEAST = 3_000
const THROUGHPUT_LEAST = 0.8
const SEED = 7

/** What one caller gets out of the target by calling it directly, one call after the other. */
async function serialShare(target: Target): Promise<number> {
  await target.reset()
  const startMs = performance.now()
  const place = placeOf(target.address)
  await callInLoops({ places: [place], callers: 1, seed: SEED, done: ({ sent }) => sent >= 500 })
  const { heldMs } = await target.stats()
  return heldMs / (performance.now() - startMs)
}

function clean(t: Test, count: Count, what: string): void {
  t.equal(count.failures, 0, `${what}: no call is lost (${count.describe()})`)
  t.equal(count.misrouted, 0, `${what}: every answer is its own call's`)
}

t.setTimeout(100_000) // a landscape takes its time to start where others work too

t.test('a bulkhead of one lets one call in at a time, in the whole fleet', async (t) => {
  const fleet = new Fleet()
  t.teardown(() => fleet.end())
  const target = await startTarget(fleet.processes)
  await fleet.startControlPlane()
  const direct = [{ target: target.address, service: 'web' }]
  const proxies = [
    await fleet.startProxy({ node: 'a', workers: 2, direct }),
    await fleet.startProxy({ node: 'b', workers: 2, direct }),
  ]
  const places = proxies.map((proxy) => placeOf(proxy.listens[0]!))
  const alone = await serialShare(target)

  // Callers are at it while the order is given and taken back: neither may cost a call.
  const loop = { places, callers: 8, abortPercent: 3, pauseMs: 2, seed: SEED }
  let changed = false
  const during = callInLoops({ ...loop, done: () => changed })
  const applied = await fleet.airspace('bulkhead', '*..web', '--max-in-flight', '1', '--for', '1m')
  changed = true
  t.equal(applied.code, 0, applied.out + applied.err)
  clean(t, await during, 'while it is applied')

  await idle(t, target)
  await target.reset()
  const startMs = performance.now()
  const bounded = await callInLoops({ ...loop, done: enough })
  const tookMs = performance.now() - startMs
  const stats = await target.stats()
  clean(t, bounded, 'under it')
  t.equal(stats.peak, 1, 'the target never had two')
  t.equal(stats.repeated + stats.mixed, 0, 'nothing reaches the target twice or mixed up')
  t.ok(bounded.passed >= PASSED_LEAST, `enough calls passed: ${bounded.describe()}`)
  const share = stats.heldMs / tookMs
  const used = `${percent(share)} of the time, by a caller alone ${percent(alone)}`
  t.ok(share >= THROUGHPUT_LEAST * alone, `the slot is in use ${used}`)
  const perSecond = (1000 * stats.calls) / tookMs
  t.comment(
    `${perSecond.toFixed(0)} calls a second, ` +
      `each held ${(stats.heldMs / stats.calls).toFixed(1)} ms`,
  )

  changed = false
  const after = callInLoops({ ...loop, done: () => changed })
  const released = await fleet.airspace('release', '--all', '--now', '--yes')
  changed = true
  t.equal(released.code, 0, released.out + released.err)
  clean(t, await after, 'while it is released')

  const free = await callInLoops({
    places,
    callers: 8,
    seed: SEED,
    done: ({ sent }) => sent >= 500,
  })
  clean(t, free, 'without it')
  t.equal(free.refused, 0, 'released, it refuses nobody')
  await idle(t, target)
})

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
const enough = ({ sent, passed }: Count): boolean => sent >= CALLS && passed >= PASSED_LEAST

/** Until the target has none left: callers that aborted did not wait for theirs. */
async function idle(t: Test, target: Target): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const { inFlight } = await target.stats()
    if (inFlight === 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.fail('calls stay at the target')
}
