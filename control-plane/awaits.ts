/** Tells how far a revision has come, as it comes, until it is everywhere or the wait is over. */
import { create } from '@bufbuild/protobuf'
import type { ServerWritableStream } from '@grpc/grpc-js'
import type { Clock } from '../runtime/clock.ts'
import { numberOf } from '../wire/codec.ts'
import {
  type AwaitRequest,
  type Enforcement,
  EnforcementSchema,
  type Lagging,
  LaggingSchema,
} from '../wire/gen/airspace_pb.ts'
import type { Book } from './book.ts'
import { Complaint } from './complaint.ts'
import type { Dispatch } from './dispatch.ts'
import { type Fleet, type NodeState, refuses } from './fleet.ts'

export const WAIT_MS_MAX = 60_000
/** Who waits at once. */
export const AWAITS_MAX = 200
/** Told no oftener than this until it is done: a hundred nodes answer within milliseconds. */
const TELL_MS = 50

type Call = ServerWritableStream<AwaitRequest, Enforcement>

export interface AwaitParts {
  readonly book: Book
  readonly dispatch: Dispatch
  readonly fleet: Fleet
  readonly clock: Clock
}

export function awaitRevision(call: Call, parts: AwaitParts): void {
  const { book, dispatch, clock } = parts
  const { waitMs } = call.request
  const revision = numberOf(call.request.revision, 'revision')
  if (revision < 1 || revision > book.ledger.revision) {
    const newest = `the newest revision is ${book.ledger.revision}`
    throw new Complaint('misused', `revision: ${revision} is not in the ledger; ${newest}`)
  }
  if (!(waitMs > 0 && waitMs <= WAIT_MS_MAX)) {
    throw new Complaint('misused', `waitMs: ${waitMs} is not between 1 and ${WAIT_MS_MAX}`)
  }
  if (dispatch.watchers >= AWAITS_MAX) {
    throw new Complaint('full', `${AWAITS_MAX} wait already; ask again in a moment`)
  }
  const startMs = clock.nowMs()
  let toldMs = Number.NEGATIVE_INFINITY
  let turn: NodeJS.Immediate | undefined
  const end = (): void => {
    clearTimeout(timer)
    clearImmediate(turn)
    unwatch()
  }
  // A hundred nodes answer in a few turns of the loop: one look a turn is enough.
  const soon = (): void => {
    turn ??= setImmediate(look)
  }
  const look = (): void => {
    turn = undefined
    const over = clock.nowMs() - startMs >= waitMs
    const told = enforcementOf(revision, over, parts)
    if (!told.done && clock.nowMs() - toldMs < TELL_MS) return
    toldMs = clock.nowMs()
    call.write(told)
    if (!told.done) return
    end()
    call.end()
  }
  const timer = setTimeout(look, waitMs + 1)
  const unwatch = dispatch.watch(soon)
  call.on('cancelled', end)
  call.on('error', end)
  look()
}

function enforcementOf(revision: number, over: boolean, parts: AwaitParts): Enforcement {
  const { book, fleet, clock } = parts
  const nowMs = clock.nowMs()
  const { expected, reported, lastMs, done, lagging } = fleet.progress(revision, nowMs)
  const diskMs = book.diskMs(revision) ?? nowMs
  const reachedMs = done && Number.isFinite(lastMs) ? lastMs : nowMs
  return create(EnforcementSchema, {
    revision: BigInt(revision),
    ...{ expected, reported, done: done || over },
    elapsedMs: Math.max(0, reachedMs - diskMs),
    lagging: lagging.map((state) => laggingOf(state, revision)),
  })
}

function laggingOf(
  { node, silent, nack, reported, heardMs }: NodeState,
  revision: number,
): Lagging {
  const refused = refuses(nack, revision)
  return create(LaggingSchema, {
    ...{ node, heardMs, reported: BigInt(reported.revision) },
    state: refused ? 'refused' : silent ? 'silent' : 'behind',
    reason: refused ? `${nack!.path}: ${nack!.reason}` : '',
  })
}
