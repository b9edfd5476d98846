/**
 * What a fake control plane answers, by the name of a situation. A transcript says `with NAME`;
 * what a situation does not say, `everywhere` does.
 */
import * as grpc from '@grpc/grpc-js'
import { never, Refusal, type Script } from '../support/fake-control.ts'
import { NOW_MS } from './fake-terminal.ts'
import { nodes, patterns, status } from './fleet.ts'
import { fresh, landscape, services, whole } from './scenery.ts'

const refuse = (code: grpc.status, details: string): Script => {
  const answer = () => {
    throw new Refusal(code, details)
  }
  return {
    apply: answer,
    release: answer,
    extend: answer,
    undo: answer,
    addEvent: answer,
    dryRun: answer,
    getEdges: answer,
    getNodes: answer,
    getPatterns: answer,
    getLedger: answer,
    getEvents: answer,
    getServices: answer,
    getStatus: answer,
    forgetNode: answer,
  }
}

const UNTIL_MS = NOW_MS + 15 * 60_000

const lagging = (state: string, reason = '') => ({
  node: 'node-7',
  state,
  reported: 15n,
  heardMs: state === 'silent' ? 12_000 : 400,
  reason,
})

const awaited = (one: ReturnType<typeof lagging>): Script => ({
  await: ({ revision }) => [
    { revision, expected: 2, reported: 1, elapsedMs: 12, done: false, lagging: [one] },
    { revision, expected: 2, reported: 1, elapsedMs: 10_000, done: true, lagging: [one] },
  ],
})

const everywhere: Script = {
  apply: ({ intent, change }) => ({
    ids: [change || 'bh-91c'],
    revision: 17n,
    act: 'apply',
    untilUnixMs: NOW_MS + (intent?.leaseMs ?? 15 * 60_000),
  }),
  await: ({ revision }) => [
    { revision, expected: 2, reported: 2, elapsedMs: 38, done: true, lagging: [] },
  ],
  release: ({ ids, all, now }) => {
    const ending = all ? ['bh-91c', 'br-2f0'] : ids
    const how = now ? ' at once' : ', opening over 1m'
    const text = ending.map((id) => `release ${id}${how}`).join('; ')
    return { ids: ending, revision: 18n, act: 'release', text }
  },
  extend: ({ id, forMs }) => ({
    ids: [id],
    revision: 18n,
    act: 'extend',
    untilUnixMs: NOW_MS + forMs,
  }),
  undo: () => ({
    ids: ['bh-91c'],
    revision: 18n,
    act: 'release',
    text: 'bh-91c undone',
  }),
  forgetNode: ({ node }) => ({ ids: [node], revision: 19n, act: 'event' }),
  addEvent: ({ text, source, target }) => ({
    id: 'ev-5',
    atUnixMs: NOW_MS,
    kind: 'marker',
    text,
    source,
    target,
    author: 'operator',
  }),
  dryRun: ({ intent }) => ({
    ...(intent ? { intent } : {}),
    freshness: fresh,
    answered: 2,
    nodes: [
      {
        node: 'node-6',
        rehearsal: {
          fromUnixMs: NOW_MS - 334_000,
          toUnixMs: NOW_MS - 34_000,
          calls: 9_000n,
          refused: 400n,
          inFlightPeak: 100,
          live: 3n,
          oldestLiveMs: 12_400,
          forgotten: 1_200n,
          edges: [
            { source: 'web-canary', target: 'payments', calls: 5_000n, refused: 371n },
            { source: 'web', target: 'payments', calls: 4_000n, refused: 29n },
          ],
        },
      },
      {
        node: 'node-7',
        rehearsal: {
          fromUnixMs: NOW_MS - 330_000,
          toUnixMs: NOW_MS - 34_000,
          calls: 310n,
          refused: 12n,
          delayed: 40n,
          delayedMsMax: 420,
          inFlightPeak: 18,
          edges: [{ source: 'web', target: 'payments', calls: 310n, refused: 12n, delayed: 40n }],
        },
      },
    ],
    warnings: [],
  }),
  getEdges: ({ from, to, windowMs }) => landscape(from, to, windowMs),
  getNodes: () => nodes(),
  getPatterns: ({ ended }) => patterns(ended),
  getServices: ({ set }) => services(set),
  getStatus: () => status(),
  getLedger: ({ after, limit }) => ({
    revision: 17n,
    entries: [
      {
        revision: 16n,
        atUnixMs: NOW_MS - 24 * 3_600_000,
        author: 'operator',
        act: 'apply',
        id: 'br-2f0',
        text: 'breaker web..catalog state=open',
        reason: 'catalog is being rebuilt',
      },
      {
        revision: 17n,
        atUnixMs: NOW_MS - 40_000,
        author: 'operator',
        act: 'apply',
        id: 'bh-91c',
        text: 'bulkhead web..payments maxInFlight=60',
        reason: 'payments slow, INC-2231',
      },
    ]
      .filter(({ revision }) => revision > after)
      .slice(-limit),
  }),
  getEvents: ({ limit }) => ({
    events: [
      {
        id: 'ev-3',
        atUnixMs: NOW_MS - 200_000,
        kind: 'black-hole',
        source: 'web',
        target: 'payments',
        text: 'in flight climbs to 412, nothing completes',
        suggestion: 'airspace bulkhead web..payments --max-in-flight 60 --dry-run',
      },
      {
        id: 'ev-4',
        atUnixMs: NOW_MS - 100_000,
        kind: 'marker',
        text: 'payments 4.2 rolled out',
        author: 'operator',
        over: true,
      },
    ].slice(-limit),
  }),
}

export const CANNED: { readonly [name: string]: Script } = {
  everywhere,
  'one node silent': awaited(lagging('silent')),
  'one node behind': awaited(lagging('behind')),
  'one node refusing': awaited(lagging('refused', 'holdings[3].intent.kind: no such pattern')),
  'no node': {
    await: ({ revision }) => [{ revision, expected: 0, reported: 0, elapsedMs: 0, done: true }],
    getEdges: () => ({ freshness: {}, fromUnixMs: NOW_MS - 60_000, toUnixMs: NOW_MS }),
    getNodes: () => ({}),
    getPatterns: () => ({}),
    getStatus: () => ({ ...status(), freshness: {}, trouble: [], patterns: [], events: [] }),
    dryRun: () => ({ freshness: { expected: 2, silent: ['node-6', 'node-7'] } }),
  },
  'the control plane dying': {
    await: () => {
      throw new Refusal(grpc.status.UNAVAILABLE, 'read ECONNRESET')
    },
  },
  'a warning': {
    apply: () => ({
      ids: ['bh-91c'],
      revision: 17n,
      act: 'apply',
      untilUnixMs: UNTIL_MS,
      warnings: ["no edge seen so far is from 'web' to 'paymets'"],
    }),
  },
  'a node that could not replay': {
    dryRun: () => ({
      freshness: { expected: 3, reporting: 2, oldestMs: 800, silent: ['node-8'] },
      answered: 2,
      nodes: [
        {
          node: 'node-6',
          rehearsal: {
            fromUnixMs: NOW_MS - 300_000,
            toUnixMs: NOW_MS,
            calls: 10n,
            edges: [{ source: 'web', target: 'payments', calls: 10n }],
            inFlightPeak: 2,
          },
        },
        { node: 'node-7', rehearsal: { error: 'intent.kind: bulkhead is not known' } },
      ],
      warnings: ['web..payments is also under br-2f0 (breaker)'],
    }),
  },
  'nothing in force': {
    release: () => ({ revision: 17n, act: 'release' }),
    getPatterns: () => ({}),
  },
  trouble: {
    getNodes: () => nodes('trouble'),
    getPatterns: () => patterns(false, 'trouble'),
    getStatus: () => ({
      ...status(),
      version: '0.0.9',
      alarms: ['the ledger is on a disk that is 97 % full'],
      freshness: { ...fresh, reporting: 1, silent: ['node-7'], gaps: 4n, oldestMs: 9_000 },
    }),
  },
  'names of attackers': {
    getEdges: () => whole('attackers'),
    getServices: () => services('*', 'attackers'),
    apply: () => ({
      ids: ['bh-91c'],
      revision: 17n,
      untilUnixMs: UNTIL_MS,
      warnings: ['\x1b]0;owned\x07 and \u202eeslaf\nrevision 99 in force on 9 of 9 nodes'],
    }),
  },
  'not found': refuse(grpc.status.NOT_FOUND, "no intent 'bh-91c'"),
  guarded: refuse(grpc.status.FAILED_PRECONDITION, 'a fleet may be fenced off by half at most'),
  full: refuse(
    grpc.status.RESOURCE_EXHAUSTED,
    '10,000 intents are in force, which is all there can be',
  ),
  'changed meanwhile': refuse(
    grpc.status.ABORTED,
    'bh-91c was changed since by anna (revision 16)',
  ),
  'a viewer': refuse(grpc.status.PERMISSION_DENIED, 'a viewer may look, and changes nothing'),
  'a stranger': refuse(grpc.status.UNAUTHENTICATED, 'a token is missing'),
  'an older control plane': refuse(grpc.status.UNIMPLEMENTED, 'the method is not known'),
  'a mistake of ours': refuse(grpc.status.INTERNAL, 'disk I/O error'),
  'a hung control plane': { getStatus: never, apply: never },
}
