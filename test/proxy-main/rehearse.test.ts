/** What-if says what would have been: by the policies' own code, over the recorded calls. */
import t from 'tap'
import { Directory } from '../../landscape/directory.ts'
import { type IntentText, readIntent } from '../../policies/intent.ts'
import { bind } from '../../policies/plan.ts'
import { Rehearsal, underWay } from '../../proxy/rehearse.ts'
import { type Recorded, Ring } from '../../proxy/ring.ts'
import type { Living, Recalled } from '../../proxy/thread.ts'

interface Call {
  readonly source?: string
  readonly target?: string
  readonly atMs: number
  readonly tookMs?: number
  readonly result?: Recorded
}

/** What one worker's ring would hold. */
function recalled(calls: readonly Call[], max = 1000): Recalled {
  const ring = new Ring(max)
  const edges = new Map<string, number>()
  for (const { source = 'shop', target = 'web', atMs, tookMs = 100, result = 'success' } of calls) {
    const key = `${source} ${target}`
    if (!edges.has(key)) edges.set(key, ring.edge(source, target))
    const call = { form: 'request', idempotent: true, patienceMs: Infinity, chance: 0.5 } as const
    ring.record(edges.get(key)!, { ...call, arrivedMs: atMs }, result, tookMs)
  }
  return ring.recall(1)
}

const boundOf = (given: Partial<IntentText>) => {
  const text = { id: 'draft', kind: 'bulkhead', from: '*', to: 'web', settings: {}, ...given }
  return bind({ intent: readIntent(text), version: 0, remainingMs: 1000, shares: {} })!
}

async function rehearse(given: Partial<IntentText>, rings: Recalled[], living: Living[] = []) {
  const rehearsal = new Rehearsal(boundOf(given), Directory.empty(), rings)
  await rehearsal.run(async () => {})
  rehearsal.live(living)
  return rehearsal.outcome
}

const every = (stepMs: number, count: number, more: Partial<Call> = {}): Call[] =>
  Array.from({ length: count }, (_, i) => ({ atMs: 10_000 + i * stepMs, ...more }))

t.test('a bulkhead would have refused what came while it was full', async (t) => {
  // Ten calls, one each 10 ms, 25 ms long: three are in flight at once.
  const calls = every(10, 10, { tookMs: 25 })
  const outcome = await rehearse({ settings: { maxInFlight: 2 } }, [recalled(calls)])
  t.match(outcome, { calls: 10, inFlightPeak: 3, delayed: 0, forgotten: 0 })
  // 0 and 10 enter; 20 is refused; 30 finds the first gone ... every third.
  t.equal(outcome.refused, 3)
  t.same(outcome.edges, [{ source: 'shop', target: 'web', calls: 10, refused: 3, delayed: 0 }])
  t.equal((await rehearse({ settings: { maxInFlight: 3 } }, [recalled(calls)])).refused, 0)
})

t.test('what is under way holds its slot in the recording too', async (t) => {
  const living: Living = {
    type: 'living',
    id: 1,
    edges: [{ source: 'logger', target: 'web' }],
    edge: new Uint32Array([0, 0, 0]),
    ageMs: new Float64Array([50_000, 40_000, 30_000]),
    form: new Uint8Array([1, 1, 1]),
    unlisted: 0,
  }
  const given = { settings: { maxConnections: 2 } }
  const outcome = await rehearse(given, [underWay(living, 60_000), recalled(every(1, 5))])
  t.match(outcome, { fromMs: 10_000, calls: 8, refused: 1 }, 'the third connection has no slot')
  t.same(
    outcome.edges.map(({ source, refused }) => [source, refused]),
    [
      ['logger', 1],
      ['shop', 0],
    ],
  )
})

t.test('rings of several workers are one recording, in the order of time', async (t) => {
  const even = every(20, 5, { tookMs: 25 })
  const odd = every(20, 5, { tookMs: 25 }).map((call) => ({ ...call, atMs: call.atMs + 10 }))
  const outcome = await rehearse({ settings: { maxInFlight: 2 } }, [recalled(odd), recalled(even)])
  t.match(outcome, { calls: 10, refused: 3, inFlightPeak: 3 })
})

t.test('only edges that the intent is about are counted', async (t) => {
  const calls = [...every(10, 3), ...every(10, 4, { target: 'db' })]
  const { edges, ...outcome } = await rehearse({ settings: { maxInFlight: 1 } }, [recalled(calls)])
  t.match(outcome, { calls: 3, refused: 2 })
  t.equal(edges.length, 1)
})

t.test(
  'calls that were refused then count as having come, for as long as others took',
  async (t) => {
    const calls = [
      ...every(1000, 3, { tookMs: 100 }),
      { atMs: 20_000, tookMs: 0, result: 'refused' } as const,
      { atMs: 20_050 },
      { atMs: 20_150 },
    ]
    const outcome = await rehearse({ settings: { maxInFlight: 1 } }, [recalled(calls)])
    t.match(outcome, { calls: 6, refused: 1 })
  },
)

t.test('a breaker sees how calls ended', async (t) => {
  const settings = { consecutive: 3, openForMs: 60_000, openForMaxMs: 60_000, jitterRatio: 0 }
  const failing = every(200, 10, { result: 'failure' })
  const outcome = await rehearse({ kind: 'breaker', settings }, [recalled(failing)])
  t.equal(outcome.refused, 7)
  const fine = await rehearse({ kind: 'breaker', settings }, [recalled(every(200, 10))])
  t.equal(fine.refused, 0)
})

t.test('backpressure delays first, and refuses what would wait too long', async (t) => {
  const settings = { ratePerSecond: 10, burst: 1, maxWaitMs: 500 }
  const burst = every(1, 20, { tookMs: 1 })
  const outcome = await rehearse({ kind: 'backpressure', settings }, [recalled(burst)])
  t.ok(outcome.delayed >= 4 && outcome.delayed <= 6, `${outcome.delayed} delayed`)
  t.ok(outcome.delayedMsMax <= 500 && outcome.delayedMsMax > 300, `${outcome.delayedMsMax} ms`)
  t.equal(outcome.calls, 20)
  t.ok(outcome.refused >= 13, `${outcome.refused} refused`)
})

t.test(
  'what has been forgotten is said, and only the time all rings know is looked at',
  async (t) => {
    const busy = recalled(every(10, 30), 10)
    const idle = recalled([{ atMs: 1 }, { atMs: 10_250 }])
    const outcome = await rehearse({ settings: { maxInFlight: 100 } }, [busy, idle])
    t.match(outcome, { calls: 11, forgotten: 20, fromMs: 10_200 })
  },
)

t.test('what began before that time and still ran in it holds its slot', async (t) => {
  const busy = recalled(every(10, 30), 10)
  const long = recalled([{ atMs: 1, tookMs: 20_000 }])
  const outcome = await rehearse({ settings: { maxInFlight: 1 } }, [busy, long])
  t.match(outcome, { calls: 11, refused: 10 })
})

t.test('who is under way and would be ended is counted, if it would', async (t) => {
  const living: Living = {
    type: 'living',
    id: 1,
    edges: [
      { source: 'shop', target: 'web' },
      { source: 'shop', target: 'db' },
    ],
    edge: new Uint32Array([0, 0, 1]),
    ageMs: new Float64Array([10, 5000, 9000]),
    form: new Uint8Array([0, 1, 0]),
    unlisted: 0,
  }
  const table: [Partial<IntentText>, number, number][] = [
    [{ kind: 'segment', existing: 'cut' }, 2, 5000],
    [{ kind: 'segment', existing: 'drain' }, 2, 5000],
    [{ kind: 'segment', existing: 'keep' }, 0, 0],
    [{ kind: 'segment', existing: 'cut', mode: 'observe' }, 0, 0],
    [{ kind: 'bulkhead', settings: { maxInFlight: 1 }, existing: 'cut' }, 0, 0],
  ]
  for (const [given, live, oldestLiveMs] of table) {
    t.match(await rehearse(given, [], [living]), { live, oldestLiveMs }, JSON.stringify(given))
  }
})

t.test('a long recording gives others a turn', async (t) => {
  let turns = 0
  const bound = boundOf({ settings: { maxInFlight: 10 } })
  const rehearsal = new Rehearsal(bound, Directory.empty(), [recalled(every(1, 9000), 10_000)])
  await rehearsal.run(async () => {
    turns += 1
  })
  t.equal(turns, 4)
})
