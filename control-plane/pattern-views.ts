/** Patterns at work and the ledger, as operators are shown them. */
import { create } from '@bufbuild/protobuf'
import type { Clock } from '../runtime/clock.ts'
import { intentToWire } from '../wire/codec.ts'
import {
  type Entry as EntryMessage,
  EntrySchema,
  type Event,
  EventSchema,
  type PatternView,
  PatternViewSchema,
  type PolicySignal,
  PolicySignalSchema,
} from '../wire/gen/airspace_pb.ts'
import type { Noted } from './events.ts'
import type { NodeState } from './fleet.ts'
import type { Entry, Standing } from './ledger.ts'
import type { PolicyCounts } from './policy-totals.ts'
import type { Sharing } from './sharing.ts'
import type { Signals } from './signals.ts'

export interface PatternSources {
  /** Of every expected node, now. */
  readonly states: readonly NodeState[]
  readonly sharing: Sharing
  readonly signals: Signals
  readonly clock: Clock
}

export function patternView(standing: Standing, sources: PatternSources): PatternView {
  const { states, sharing, signals, clock } = sources
  const { id, intent, state, version, author, wallMs } = standing
  const nowMs = clock.nowMs()
  const second = signals.completeSecond()
  return create(PatternViewSchema, {
    intent: intentToWire(intent),
    ...{ state, author, atUnixMs: wallMs },
    untilUnixMs: clock.wallMs() + endOf(standing) - nowMs,
    expected: states.length,
    enforcing: states.filter(({ reported }) => reported.revision >= version).length,
    total: signalOf(id, signals.policies.total(id)),
    recent: signalOf(id, signals.policies.recent(id, second)),
    inFlight: sharing.inFlight(id) ?? 0,
    shares: sharing.parts(id).map(({ key, field, share, stranded }) => {
      const [node = '', epoch = '0'] = key.split('/')
      return { node, epoch: BigInt(epoch), field, share, stranded }
    }),
  })
}

/** Of its lease, of its ramp, or when it ended. */
function endOf({ state, untilMs, endingMs, rampMs }: Standing): number {
  if (state === 'in force') return untilMs
  return state === 'releasing' ? endingMs + rampMs : endingMs
}

function signalOf(id: string, counts: PolicyCounts): PolicySignal {
  const { delayedMs } = counts
  return create(PolicySignalSchema, {
    ...{ id, delayedMs },
    matched: BigInt(counts.matched),
    refused: BigInt(counts.refused),
    delayed: BigInt(counts.delayed),
    wouldRefuse: BigInt(counts.wouldRefuse),
    wouldDelay: BigInt(counts.wouldDelay),
    cut: BigInt(counts.cut),
    wouldCut: BigInt(counts.wouldCut),
  })
}

export function entryView({
  revision,
  wallMs,
  author,
  act,
  id,
  text,
  reason,
}: Entry): EntryMessage {
  return create(EntrySchema, {
    ...{ revision: BigInt(revision), atUnixMs: wallMs, author, act, id, text, reason },
  })
}

export const eventView = ({ wallMs, ...event }: Noted): Event =>
  create(EventSchema, { ...event, atUnixMs: wallMs })
