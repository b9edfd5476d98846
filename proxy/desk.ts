/** What the control stream may ask of this node: who it is, what it holds, what would be if. */

import { create } from '@bufbuild/protobuf'
import { kinds } from '../policies/catalog.ts'
import { readDraft } from '../policies/intent.ts'
import { bind, type Plan } from '../policies/plan.ts'
import type { Clock } from '../runtime/clock.ts'
import { intentFromWire } from '../wire/codec.ts'
import type { Rehearsal as RehearsalMessage, Rehearse } from '../wire/gen/airspace_pb.ts'
import { RehearsalSchema } from '../wire/gen/airspace_pb.ts'
import type { Crew } from './crew.ts'
import type { Enforcement } from './enforce.ts'
import type { Complaint, Desk } from './follow.ts'
import type { Names } from './names.ts'
import { Rehearsal, underWay } from './rehearse.ts'

/** A worker that does not send its ring in this time is left out of the rehearsal. */
const RECALL_WAIT_MS = 2_000

export interface DeskOptions {
  readonly node: string
  readonly epoch: bigint
  readonly ended: readonly bigint[]
  readonly version: string
  readonly workers: number
  readonly enforcement: Enforcement
  readonly crew: Crew
  readonly names: Names
  readonly clock: Clock
  /** A plan has been taken. */
  readonly taken: () => void
}

export function deskOf(options: DeskOptions): Desk {
  const { enforcement, crew, names } = options
  return {
    hello: () => helloOf(options),
    held: () => enforcement.holdings.name,
    take: async (plan: Plan): Promise<Complaint | undefined> => {
      const complaint = await enforcement.take(plan)
      if (!complaint) options.taken()
      return complaint
    },
    directory(version, yaml) {
      if (names.take(version, yaml)) crew.direct(names.given)
    },
    rehearse: (request) => rehearse(options, request),
  }
}

function helloOf({ node, epoch, ended, version, workers, enforcement }: DeskOptions) {
  const { name } = enforcement.holdings
  return {
    node,
    epoch,
    version,
    kinds: [...kinds],
    ledger: name.ledger,
    revision: BigInt(name.revision),
    edition: BigInt(name.edition),
    workers,
    shares: enforcement.holdings.shares().map(({ id, shares }) => ({ id, shares: { ...shares } })),
    ended: [...ended],
  }
}

/** Throws what is to be said if it cannot be. */
async function rehearse(options: DeskOptions, request: Rehearse): Promise<RehearsalMessage> {
  const { crew, names, clock } = options
  if (!request.intent) throw new RangeError('intent: is missing')
  const text = intentFromWire(request.intent, 'intent')
  // What would be observed is rehearsed as if it were enforced; but it would end nobody's calls.
  const intent = readDraft({ ...text, mode: 'enforce' }, 'intent')
  const { shares } = request
  const bound = bind({ intent, version: 0, remainingMs: intent.leaseMs, shares })
  if (!bound) throw new RangeError('intent: would be over at once')
  const [recalled, living] = await Promise.all([
    crew.ask<'recalled'>('recall', RECALL_WAIT_MS),
    crew.ask<'living'>('live', RECALL_WAIT_MS),
  ])
  const [nowMs, wallMs] = [clock.nowMs(), clock.wallMs()]
  const calls = [...recalled, ...living.map((one) => underWay(one, nowMs))]
  const rehearsal = new Rehearsal(bound, names.directory, calls)
  await rehearsal.run(() => new Promise((resolve) => setImmediate(resolve)))
  if (text.mode !== 'observe') rehearsal.live(living)
  const { fromMs, refused, delayed, live, forgotten, ...rest } = rehearsal.outcome
  return create(RehearsalSchema, {
    id: request.id,
    fromUnixMs: rest.calls === 0 ? wallMs : wallMs - (nowMs - fromMs),
    toUnixMs: wallMs,
    calls: BigInt(rest.calls),
    refused: BigInt(refused),
    delayed: BigInt(delayed),
    delayedMsMax: rest.delayedMsMax,
    live: BigInt(live),
    oldestLiveMs: rest.oldestLiveMs,
    forgotten: BigInt(forgotten),
    inFlightPeak: rest.inFlightPeak,
    edges: rest.edges.map((edge) => ({
      source: edge.source,
      target: edge.target,
      calls: BigInt(edge.calls),
      refused: BigInt(edge.refused),
      delayed: BigInt(edge.delayed),
    })),
  })
}
