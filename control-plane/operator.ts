/**
 * The service that operators call: each call is read, done by whoever can, and answered; a
 * complaint leaves as a gRPC status, and a mistake of ours is logged and never more than that
 * call's end.
 */
import { create, type DescMessage, type Message } from '@bufbuild/protobuf'
import type * as grpc from '@grpc/grpc-js'
import { readSet, type ServiceSet } from '../landscape/service-set.ts'
import { addCounts, emptyCounts } from '../landscape/signal.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { intentToWire, numberOf, refuseUnknown } from '../wire/codec.ts'
import {
  type ApplyRequest,
  type AwaitRequest,
  type Enforcement,
  EntriesSchema,
  EventsSchema,
  type GetEdgesRequest,
  type GetEventsRequest,
  type GetLedgerRequest,
  type GetPatternsRequest,
  NodesSchema,
  Operator,
  PatternsSchema,
  type Status,
  StatusSchema,
  type WhatIf,
  WhatIfSchema,
} from '../wire/gen/airspace_pb.ts'
import { edgeToWire } from '../wire/signals.ts'
import type { Access } from './auth.ts'
import { awaitRevision } from './awaits.ts'
import type { Book } from './book.ts'
import { Complaint } from './complaint.ts'
import type { Dispatch } from './dispatch.ts'
import { EVENTS_MAX, type Events } from './events.ts'
import type { Fleet } from './fleet.ts'
import type { Following } from './following.ts'
import { entryView, eventView, type PatternSources, patternView } from './pattern-views.ts'
import type { Rehearsals } from './rehearsals.ts'
import { sharedLimits } from './sharing.ts'
import type { Signals } from './signals.ts'
import { identityOf, isMistake, statusOf } from './statuses.ts'
import type { Verbs } from './verbs.ts'
import { VERSION } from './version.ts'
import { type Views, WINDOW_MS_MAX, WINDOW_MS_MIN } from './views.ts'

/** Of one answer. */
export const ENTRIES_MAX = 1_000
export const PATTERNS_MAX = 4_000
const TROUBLE_MAX = 10
const STATUS_EVENTS_MAX = 5
const STATUS_MS = 10_000

export interface OperatorParts {
  readonly book: Book
  readonly fleet: Fleet
  readonly dispatch: Dispatch
  readonly signals: Signals
  readonly events: Events
  readonly verbs: Verbs
  readonly views: Views
  readonly rehearsals: Rehearsals
  readonly following: Following
  readonly access: Access
  readonly clock: Clock
  readonly log: Log
  readonly startedMs: number
  /** What is wrong with us, for the status page. */
  readonly alarms: () => string[]
}

type Methods = (typeof Operator)['method']
type Name = keyof Methods
/** The answer, or a promise of it. `author` is who the token says. */
type Answer = (request: never, author: string) => Message | Promise<Message>

export function operatorOf(parts: OperatorParts): grpc.UntypedServiceImplementation {
  const { verbs, views, access, log } = parts
  const answers: { readonly [name in Exclude<Name, 'await'>]: Answer } = {
    apply: (request, author) => verbs.apply(request, author),
    release: (request, author) => verbs.release(request, author),
    extend: (request, author) => verbs.extend(request, author),
    undo: ({ reason }: { reason: string }, author) => verbs.undo(reason, author),
    addEvent: (request, author) => eventView(verbs.addEvent(request, author)),
    forgetNode: ({ node }: { node: string }, author) => verbs.forget(node, author),
    dryRun: (request) => dryRun(request, parts),
    getEdges: (request) => edges(request, views),
    getNodes: () => create(NodesSchema, { nodes: views.nodes() }),
    getPatterns: (request) => patterns(request, parts),
    getLedger: (request) => entries(request, parts),
    getEvents: (request) => events(request, parts),
    getServices: ({ set }: { set: string }) => views.services(setOf('set', set)),
    getStatus: () => status(parts),
  }
  const service: Record<string, grpc.UntypedHandleCall> = {
    await: (call: grpc.ServerWritableStream<AwaitRequest, Enforcement>) => {
      try {
        refuseUnknown(Operator.method.await.input, call.request)
        awaitRevision(call, parts)
      } catch (error) {
        call.emit('error', saidOf(error, 'await', log))
      }
    },
  }
  for (const [name, answer] of Object.entries(answers)) {
    const input: DescMessage = Operator.method[name as Name].input
    service[name] = unary(name, input, answer, access, log)
  }
  return service
}

function unary(
  name: string,
  input: DescMessage,
  answer: Answer,
  access: Access,
  log: Log,
): grpc.handleUnaryCall<Message, Message> {
  return async (call, reply) => {
    try {
      refuseUnknown(input, call.request)
      const author = identityOf(access, call.metadata)?.name ?? ''
      reply(null, await answer(call.request as never, author))
    } catch (error) {
      reply(saidOf(error, name, log))
    }
  }
}

function saidOf(error: unknown, name: string, log: Log): { code: grpc.status; details: string } {
  if (isMistake(error)) log.error('a call failed', { name, error, stack: (error as Error).stack })
  return statusOf(error)
}

function setOf(name: string, text: string): ServiceSet {
  try {
    return readSet(text)
  } catch (error) {
    throw new Complaint('misused', `${name}: ${(error as Error).message}`)
  }
}

function edges({ from, to, windowMs }: GetEdgesRequest, views: Views): Message {
  if (!(windowMs >= WINDOW_MS_MIN && windowMs <= WINDOW_MS_MAX)) {
    const bounds = `${WINDOW_MS_MIN} and ${WINDOW_MS_MAX}`
    throw new Complaint('misused', `windowMs: ${windowMs} is not between ${bounds}`)
  }
  const seconds = Math.round(windowMs / 1_000)
  return views.landscape(setOf('from', from), setOf('to', to), seconds * 1_000)
}

function patterns({ ended }: GetPatternsRequest, parts: OperatorParts): Message {
  const { ledger } = parts.book
  const all = ended ? ledger.all() : ledger.live()
  const sources = sourcesOf(parts)
  return create(PatternsSchema, {
    freshness: parts.views.freshness(),
    patterns: all.slice(-PATTERNS_MAX).map((standing) => patternView(standing, sources)),
  })
}

const sourcesOf = ({ fleet, dispatch, signals, clock }: OperatorParts): PatternSources => ({
  ...{ states: fleet.states(clock.nowMs()), sharing: dispatch.sharing, signals, clock },
})

function entries(request: GetLedgerRequest, { book }: OperatorParts): Message {
  const limit = limited('limit', request.limit, ENTRIES_MAX)
  const after = numberOf(request.after, 'after')
  const before =
    request.before === 0n ? Number.MAX_SAFE_INTEGER : numberOf(request.before, 'before')
  return create(EntriesSchema, {
    entries: book.entries(after, before, limit).map(entryView),
    revision: BigInt(book.ledger.revision),
  })
}

function events({ sinceUnixMs, limit }: GetEventsRequest, parts: OperatorParts): Message {
  if (!(sinceUnixMs >= 0)) {
    throw new Complaint('misused', `sinceUnixMs: ${sinceUnixMs} is not a time`)
  }
  const found = parts.events.since(sinceUnixMs, limited('limit', limit, EVENTS_MAX))
  return create(EventsSchema, { events: found.map(eventView) })
}

function limited(name: string, limit: number, max: number): number {
  if (limit >= 1 && limit <= max) return limit
  throw new Complaint('misused', `${name}: ${limit} is not between 1 and ${max}`)
}

function status(parts: OperatorParts): Status {
  const { book, views, clock, events } = parts
  const stretch = views.stretch(STATUS_MS)
  const total = emptyCounts()
  for (const { counts } of stretch.edges) addCounts(total, counts)
  const sources = sourcesOf(parts)
  return create(StatusSchema, {
    ...{ version: VERSION, ledger: book.id, revision: BigInt(book.ledger.revision) },
    freshness: views.freshness(stretch.gaps),
    total: edgeToWire(total, '*', '*', ''),
    trouble: views.trouble(TROUBLE_MAX),
    patterns: book.ledger
      .live()
      .slice(-PATTERNS_MAX)
      .map((standing) => patternView(standing, sources)),
    uptimeMs: clock.nowMs() - parts.startedMs,
    events: events.since(0, STATUS_EVENTS_MAX).map(eventView),
    windowMs: STATUS_MS,
    alarms: parts.alarms(),
  })
}

/** Nothing is written: nodes replay what they recorded through the policy's own code. */
async function dryRun(request: ApplyRequest, parts: OperatorParts): Promise<WhatIf> {
  const { verbs, views, rehearsals, following } = parts
  const { intent, text, warnings } = verbs.propose(request)
  if (rehearsals.full) throw new Complaint('full', 'too many what-ifs are under way; ask again')
  const outlets = following.outlets()
  const shares: { [field: string]: number } = {}
  for (const [field, { limit, unit }] of sharedLimits(intent)) {
    const even = limit / Math.max(1, outlets.size)
    shares[field] = unit === 'count' ? Math.max(1, Math.floor(even)) : even
    if (unit !== 'count' || even >= 1) continue
    warnings.push(`${field}: fewer than one a node; this what-if gives one to each of them`)
  }
  const nodes = await rehearsals.ask({ intent: intentToWire(text), shares, outlets })
  return create(WhatIfSchema, {
    ...{ intent: intentToWire(text), answered: nodes.length, nodes, warnings },
    freshness: views.freshness(),
  })
}
