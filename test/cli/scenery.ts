/** A small landscape for the fake control plane: three edges, two nodes, two patterns. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { bucketOf } from '../../landscape/histogram.ts'
import { serviceNamed } from '../../landscape/service.ts'
import { readSet } from '../../landscape/service-set.ts'
import type {
  EdgeSignalSchema,
  EdgeViewSchema,
  LandscapeSchema,
  ServicesSchema,
} from '../../wire/gen/airspace_pb.ts'
import { NOW_MS } from './fake-terminal.ts'

type EdgeView = MessageInitShape<typeof EdgeViewSchema>
type EdgeSignal = MessageInitShape<typeof EdgeSignalSchema>

export const fresh = { expected: 2, reporting: 2, oldestMs: 800, silent: [], skewMs: 3 }

/** `of` calls in all, one in fifty of them slow. */
export const latencies = (of: number, usualMs: number, slowMs: number): number[] => {
  const slow = Math.floor(of / 50)
  return [bucketOf(usualMs * 1e3), of - slow, bucketOf(slowMs * 1e3), slow]
}

const signal = (source: string, target: string, rest: EdgeSignal): EdgeSignal => ({
  source,
  target,
  protocol: 'http1',
  ...rest,
})

export function views(seconds: number): EdgeView[] {
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
      { name: 'unknown/10.9.8.7:5432', addresses: ['10.9.8.7:5432'], calledBy: 1 },
    ].filter(({ name }) => who === 'attackers' || asked.has(serviceNamed(name))),
  }
}
