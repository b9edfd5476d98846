/** A small landscape for the fake control plane: three edges, two nodes, two patterns. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { VERSION } from '../../cli/version.ts'
import { bucketOf } from '../../landscape/histogram.ts'
import { serviceNamed } from '../../landscape/service.ts'
import { readSet } from '../../landscape/service-set.ts'
import type {
  EdgeSignalSchema,
  EdgeViewSchema,
  LandscapeSchema,
  NodesSchema,
  PatternsSchema,
  ServicesSchema,
} from '../../wire/gen/airspace_pb.ts'
import { NOW_MS } from './fake-terminal.ts'

type EdgeView = MessageInitShape<typeof EdgeViewSchema>
type EdgeSignal = MessageInitShape<typeof EdgeSignalSchema>

export const fresh = { expected: 2, reporting: 2, oldestMs: 800, silent: [], skewMs: 3 }

/** `of` calls in all, one in fifty of them slow. */
const latencies = (of: number, usualMs: number, slowMs: number): number[] => {
  const slow = Math.floor(of / 50)
  return [bucketOf(usualMs * 1e3), of - slow, bucketOf(slowMs * 1e3), slow]
}

const signal = (source: string, target: string, rest: EdgeSignal): EdgeSignal => ({
  source,
  target,
  protocol: 'http1',
  ...rest,
})

function views(seconds: number): EdgeView[] {
  const times = (perSecond: number): bigint => BigInt(Math.round(perSecond * seconds))
  return [
    {
      signal: signal('web', 'catalog', {
        started: times(2_400),
        succeeded: times(2_400),
        latencyBuckets: latencies(Number(times(2_400)), 3, 19),
        latencyMaxUs: 25_000,
        inFlight: 12,
        inFlightMax: 20,
        bytesIn: 1024 * 1024 * seconds,
        bytesOut: 10 * 1024 * 1024 * seconds,
        connections: 4n,
        connectionsOpen: 30,
        idleMs: 2,
      }),
      verdict: 'normal',
      firstSeenUnixMs: NOW_MS - 3_600_000,
      patterns: ['br-2f0'],
      nodes: 2,
      trend: [19, 19, 19, 19, 20, 19, 19, 19],
    },
    {
      signal: signal('batch', 'orders-db', {
        protocol: 'opaque',
        started: times(310),
        succeeded: times(310),
        refused: times(4),
        latencyBuckets: latencies(Number(times(310)), 190, 310),
        latencyMaxUs: 320_000,
        inFlight: 96,
        inFlightMax: 99,
        bytesIn: 800_000 * seconds,
        bytesOut: 8_000_000 * seconds,
        idleMs: 4,
      }),
      verdict: 'new',
      why: 'first seen 2 m ago',
      firstSeenUnixMs: NOW_MS - 120_000,
      nodes: 1,
      trend: [0, 0, 200, 250, 300, 310, 310, 310],
    },
    {
      signal: signal('web', 'payments', {
        started: times(812),
        succeeded: times(700),
        failed: times(15),
        ignored: times(1),
        latencyBuckets: latencies(Number(times(715)), 41, 2_100),
        latencyMaxUs: 3_200_000,
        inFlight: 412,
        inFlightMax: 430,
        bytesIn: 1_000_000 * seconds,
        bytesOut: 2_250_000 * seconds,
        connections: 40n,
        connectionsOpen: 12,
        idleMs: 1,
      }),
      verdict: 'stressed',
      why: 'p99 was 180 ms, in flight 4.1 times its usual',
      firstSeenUnixMs: NOW_MS - 3_600_000,
      patterns: ['bh-91c'],
      nodes: 2,
      trend: [180, 180, 190, 240, 700, 1_200, 1_900, 2_100],
    },
  ]
}

export const whole = (who: 'own' | 'attackers', windowMs = 60_000) => ({
  freshness: fresh,
  fromUnixMs: NOW_MS - windowMs,
  toUnixMs: NOW_MS,
  edges: who === 'own' ? views(windowMs / 1e3) : attackers(),
})

/** What the selectors choose, as a control plane would. */
export function landscape(
  from: string,
  to: string,
  windowMs: number,
): MessageInitShape<typeof LandscapeSchema> {
  const [source, target] = [readSet(from), readSet(to)]
  const all = whole('own', windowMs)
  return {
    ...all,
    edges: all.edges.filter(({ signal }) => {
      return (
        source.has(serviceNamed(signal?.source ?? '')) &&
        target.has(serviceNamed(signal?.target ?? ''))
      )
    }),
  }
}

/** Each of these would do something to a terminal, a table or a shell. */
export const HOSTILE: readonly string[] = [
  '\x1b[2J\x1b[31mred',
  '\x1b]0;title\x07',
  '\x9b31mC1',
  'a\rb',
  'two\nlines  9.9k  1ms',
  'bidi\u202egnp.exe',
  'zero\u200bwidth\u2066isolate',
  'za\u0335\u0335lgo',
  'tab\there',
  'web → payments',
  '\ufdd2marked',
  '$(touch /tmp/owned)',
  `long${'g'.repeat(300)}tail`,
]

const attackers = (): EdgeView[] =>
  HOSTILE.map((name) => ({
    signal: signal(name, 'payments', { started: 1n, succeeded: 1n }),
    verdict: 'normal',
    why: name,
    patterns: [name],
  }))

export const services = (
  set: string,
  who: 'own' | 'attackers' = 'own',
): MessageInitShape<typeof ServicesSchema> => {
  const names = who === 'own' ? ['batch', 'catalog', 'orders-db', 'payments', 'web'] : HOSTILE
  const asked = readSet(set)
  return {
    freshness: fresh,
    services: [
      ...names.map((name, i) => ({
        name,
        labels: name === 'payments' ? { tier: '1', protected: 'false' } : {},
        addresses: [`127.0.1.${i + 1}`],
        known: true,
        calledBy: i % 3,
        calls: (i + 1) % 2,
      })),
      { name: 'unknown/10.9.8.7', addresses: ['10.9.8.7'], calls: 1 },
    ].filter(({ name }) => who === 'attackers' || asked.has(serviceNamed(name))),
  }
}

export const nodes = (how: 'well' | 'trouble' = 'well'): MessageInitShape<typeof NodesSchema> => {
  const node = (name: string, rest: object = {}) => ({
    node: name,
    epoch: 1n,
    state: 'following',
    expected: true,
    desired: 17n,
    reported: 17n,
    editionDesired: 3n,
    editionReported: 3n,
    heardMs: 400,
    windowMs: 800,
    skewMs: 3,
    version: VERSION,
    workers: 2,
    ...rest,
  })
  if (how === 'well') return { nodes: [node('node-6'), node('node-7')] }
  return {
    nodes: [
      node('node-6', { reported: 16n, skewMs: 4_200, version: '0.0.9' }),
      node('node-7', {
        state: 'silent',
        reported: 15n,
        heardMs: 12_000,
        windowMs: 12_400,
        gaps: 4n,
      }),
      node('node-8', { reported: 16n, nack: 'holdings[3].intent.kind: no such pattern' }),
    ],
  }
}

const bulkhead = {
  intent: {
    id: 'bh-91c',
    kind: 'bulkhead',
    from: 'web',
    to: 'payments',
    settings: { maxInFlight: { value: { case: 'number' as const, value: 60 } } },
    existing: 'keep',
    reason: 'payments slow, INC-2231',
  },
  state: 'in force',
  untilUnixMs: NOW_MS + 660_000,
  expected: 2,
  enforcing: 2,
  total: { matched: 31_280n, refused: 375n },
  recent: { matched: 7_900n, refused: 95n },
  author: 'operator',
  atUnixMs: NOW_MS - 240_000,
  inFlight: 58,
  shares: [
    { node: 'node-6', epoch: 1n, field: 'maxInFlight', share: 40 },
    { node: 'node-7', epoch: 1n, field: 'maxInFlight', share: 20 },
  ],
}

const breaker = {
  intent: {
    id: 'br-2f0',
    kind: 'breaker',
    from: 'web',
    to: 'catalog',
    settings: { state: { value: { case: 'text' as const, value: 'open' } } },
    mode: 'observe',
  },
  state: 'in force',
  untilUnixMs: NOW_MS + 90_000,
  expected: 2,
  enforcing: 2,
  total: { matched: 14_400n, wouldRefuse: 14_400n },
  recent: { matched: 2_400n, wouldRefuse: 2_400n },
  author: 'operator',
  atUnixMs: NOW_MS - 810_000,
}

export const patterns = (
  ended: boolean,
  how: 'well' | 'trouble' = 'well',
): MessageInitShape<typeof PatternsSchema> => {
  const quarantine = {
    ...breaker,
    intent: { id: 'qt-004', kind: 'quarantine', from: '*', to: 'legacy', settings: {} },
    state: 'ended',
    untilUnixMs: NOW_MS - 3_600_000,
    total: {},
    recent: {},
  }
  const stranded = bulkhead.shares.map((share) => ({ ...share, stranded: share.node === 'node-7' }))
  const troubled = { ...bulkhead, enforcing: 1, shares: stranded, total: {}, recent: {} }
  return {
    freshness: fresh,
    patterns: [how === 'well' ? bulkhead : troubled, breaker, ...(ended ? [quarantine] : [])],
  }
}

export const status = () => ({
  version: VERSION,
  revision: 17n,
  ledger: 'a1b2',
  freshness: fresh,
  windowMs: 10_000,
  uptimeMs: 3 * 3_600_000 + 120_000,
  total: {
    started: 35_220n,
    succeeded: 34_000n,
    failed: 150n,
    refused: 40n,
    inFlight: 520,
    bytesIn: 30_000_000,
    bytesOut: 200_000_000,
    latencyBuckets: latencies(34_150, 9, 210),
    latencyMaxUs: 3_200_000,
  },
  trouble: views(10).filter(({ verdict }) => verdict === 'stressed'),
  patterns: patterns(false).patterns ?? [],
  events: [
    {
      id: 'ev-3',
      atUnixMs: NOW_MS - 200_000,
      kind: 'black-hole',
      text: 'in flight climbs to 412, nothing completes',
    },
  ],
})
