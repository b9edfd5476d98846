/**
 * Backpressure is fair: a source that asks for ten times its share does not make three polite ones
 * wait. Sources are told apart by their loopback addresses, as on a laptop.
 */
import t from 'tap'
import { type Count, callAtPace, quantile } from '../support/callers.ts'
import { placeOf } from '../support/connection.ts'
import { Fleet } from '../support/fleet.ts'
import { startTarget } from '../support/target.ts'

const RATE = 80
const SHARE = RATE / 4
const POLITE_PER_SECOND = 15
const FOR_MS = 8_000
const SPACING_MS = 1000 / POLITE_PER_SECOND

const sources: readonly { name: string; from: string; perSecond: number }[] = [
  { name: 'greedy', from: '127.0.2.1', perSecond: 10 * SHARE },
  { name: 'polite-1', from: '127.0.2.2', perSecond: POLITE_PER_SECOND },
  { name: 'polite-2', from: '127.0.2.3', perSecond: POLITE_PER_SECOND },
  { name: 'polite-3', from: '127.0.2.4', perSecond: POLITE_PER_SECOND },
]

const directory = `services:
${sources.map(({ name, from }) => `  ${name}: { addresses: ['${from}'] }`).join('\n')}
`

t.setTimeout(100_000) // a landscape takes its time to start where others work too

t.test('backpressure: a greedy source waits in its own line', async (t) => {
  const fleet = new Fleet(directory)
  t.teardown(() => fleet.end())
  const target = await startTarget(fleet.processes, { leastMs: 0, mostMs: 1 })
  await fleet.startControlPlane()
  const direct = [{ target: target.address, service: 'db' }]
  const proxy = await fleet.startProxy({ node: 'a', workers: 2, direct })
  const applied = await fleet.airspace(
    'backpressure',
    '*..db',
    '--rate',
    `${RATE}/s`,
    '--for',
    '2m',
  )
  t.equal(applied.code, 0, applied.out + applied.err)

  const run = (forMs: number): Promise<Count[]> => {
    const at = proxy.listens[0]!
    const call = ({ from, perSecond }: (typeof sources)[number]) =>
      callAtPace({ place: placeOf(at, from), perSecond, forMs })
    return Promise.all(sources.map(call))
  }
  // The shares follow who is there, recounted each second; the burst is spent meanwhile.
  await run(3_000)
  const startMs = performance.now()
  // One more calls past the proxy: what it waits is the machine's doing and no policy's.
  const beside = { place: placeOf(target.address, '127.0.2.5'), perSecond: POLITE_PER_SECOND }
  const [counts, past] = await Promise.all([run(FOR_MS), callAtPace({ ...beside, forMs: FOR_MS })])
  const machineMs = quantile(past.tookMs, 0.99)
  const tookMs = performance.now() - startMs

  const [greedy, ...polite] = counts
  t.comment(`greedy: ${greedy!.describe()}`)
  for (const [index, count] of polite.entries()) {
    const { name } = sources[index + 1]!
    const waitMs = quantile(count.tookMs, 0.99)
    t.equal(count.failures + count.misrouted, 0, `${name}: ${count.describe()}`)
    const owed = Math.min(POLITE_PER_SECOND, SHARE) * (FOR_MS / 1000)
    t.ok(count.passed >= 0.9 * owed, `${name} gets ${count.passed} of the ${owed} it is owed`)
    const said = `${name} waits ${waitMs.toFixed(1)} ms at p99, ${machineMs.toFixed(1)} past it all`
    t.ok(waitMs - machineMs <= 2 * SPACING_MS, said)
  }
  t.ok(greedy!.refused > 0, 'the greedy one is refused what is beyond its share')
  const passed = counts.reduce((sum, count) => sum + count.passed, 0)
  const burst = RATE // one second's worth, by default
  const most = RATE * (tookMs / 1000) + burst
  t.ok(passed <= most, `${passed} passed in all, at most ${most.toFixed(0)}`)
})
