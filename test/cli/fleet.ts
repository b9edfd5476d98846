/** The two nodes of the scenery, what is in force on them, and the control plane's own screen. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { VERSION } from '../../cli/version.ts'
import type { NodesSchema, PatternsSchema } from '../../wire/gen/airspace_pb.ts'
import { NOW_MS } from './fake-terminal.ts'
import { fresh, latencies, views } from './scenery.ts'

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
