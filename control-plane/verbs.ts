/**
 * What operators can do: each verb checks all it was given, writes entries, and says what was done.
 * Whatever is blank, zero, unknown or too much is refused with its path and what would do.
 */
import { create } from '@bufbuild/protobuf'
import { isServiceName, isUnknown } from '../landscape/service.ts'
import {
  describeIntent,
  type Intent,
  type IntentText,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  readDraft,
  TEXT_MAX,
  writeIntent,
} from '../policies/intent.ts'
import { PLAN_MAX } from '../policies/plan.ts'
import { writeDuration } from '../policies/quantity.ts'
import type { Clock } from '../runtime/clock.ts'
import { intentFromWire } from '../wire/codec.ts'
import {
  type AddEventRequest,
  type ApplyRequest,
  type Change,
  ChangeSchema,
  type ExtendRequest,
  type ReleaseRequest,
} from '../wire/gen/airspace_pb.ts'
import type { Book, Writing } from './book.ts'
import { Complaint } from './complaint.ts'
import type { Coverage } from './coverage.ts'
import { type Dispatch, eventDraft } from './dispatch.ts'
import type { Events, Noted } from './events.ts'
import { intentId } from './intent-id.ts'
import type { Draft, Standing } from './ledger.ts'
import { PLAN_BYTES_MAX } from './plans.ts'

/** What one more intent may take on the wire, at most: selectors, settings and remarks. */
const INTENT_BYTES_MAX = 8_192

export interface VerbParts {
  readonly book: Book
  readonly dispatch: Dispatch
  readonly coverage: Coverage
  readonly events: Events
  readonly clock: Clock
}

export interface Proposal {
  readonly intent: Intent
  /** As it would be applied, defaults filled in. */
  readonly text: IntentText
  readonly replaced: Standing | undefined
  readonly warnings: string[]
}

export class Verbs {
  readonly #parts: VerbParts

  constructor(parts: VerbParts) {
    this.#parts = parts
  }

  /** Reads what is asked for, and changes nothing. */
  propose({ intent: given, change }: ApplyRequest): Proposal {
    const { book, coverage } = this.#parts
    if (!given) throw new Complaint('misused', 'intent: is missing')
    if (given.id !== '') {
      throw new Complaint('misused', `id: '${given.id}' was given, but the control plane gives ids`)
    }
    const replaced = change === '' ? undefined : book.ledger.mustBeLive(change)
    const draft = readDraft(intentFromWire(given))
    const { kind } = draft.pattern
    if (replaced && replaced.intent.kind !== kind) {
      const what = `change: ${change} is a ${replaced.intent.kind}, and this is a ${kind}`
      throw new Complaint('misused', `${what}; release the one and apply the other`)
    }
    if (replaced?.state === 'releasing') {
      throw new Complaint('guarded', `${change} is being released; undo brings it back`)
    }
    const id = replaced?.id ?? intentId(kind, book.ledger.revision + 1, book.seed)
    const text = { ...writeIntent(draft), id }
    const warnings = coverage.warnings(draft, replaced?.id)
    return { intent: draft, text, replaced, warnings }
  }

  apply(request: ApplyRequest, author: string): Change {
    const { book, dispatch } = this.#parts
    const { intent, text, replaced, warnings } = this.propose(request)
    const { leaseMs, rampMs, onExpire, reason } = intent
    if (!replaced) this.#mustHaveRoom()
    const draft: Draft = {
      ...{ act: 'apply', id: text.id, author, reason, intent: text, leaseMs },
      text: describeIntent(intent),
      rampMs: onExpire === 'ramp' ? rampMs : 0,
    }
    const writing = dispatch.change([draft])
    const untilUnixMs = this.#until(book.ledger.mustBeLive(text.id))
    return changeOf(writing, { act: 'apply', text: draft.text, untilUnixMs, warnings })
  }

  release({ ids, all, now, reason }: ReleaseRequest, author: string): Change {
    const { book, dispatch } = this.#parts
    checkWords('reason', reason)
    if (all && ids.length > 0) throw new Complaint('misused', 'ids, all: say one of them')
    if (!all && ids.length === 0) throw new Complaint('misused', 'ids: none was given; or say all')
    const chosen = all ? book.ledger.live() : this.#named(ids, now)
    const ending = chosen.filter(({ state }) => now || state === 'in force')
    if (ending.length === 0) {
      const revision = BigInt(book.ledger.revision)
      return create(ChangeSchema, { revision, act: 'release', text: 'nothing was in force' })
    }
    const drafts = ending.map(({ id, intent }): Draft => {
      const rampMs = now ? 0 : (intent.rampMs ?? 0)
      const how = rampMs > 0 ? `, opening over ${writeDuration(rampMs)}` : ' at once'
      return { act: 'release', id, author, reason, rampMs, text: `release ${id}${how}` }
    })
    const writing = dispatch.change(drafts, true)
    return changeOf(writing, { act: 'release', text: textOf(drafts) })
  }

  extend({ id, forMs }: ExtendRequest, author: string): Change {
    const { book, dispatch } = this.#parts
    const { state } = book.ledger.mustBeLive(id)
    if (state === 'releasing') {
      throw new Complaint('guarded', `${id} is being released; undo brings it back`)
    }
    if (!(forMs >= LEASE_MS_MIN && forMs <= LEASE_MS_MAX)) {
      const [min, max] = [writeDuration(LEASE_MS_MIN), writeDuration(LEASE_MS_MAX)]
      throw new Complaint('misused', `forMs: ${forMs} is not between ${min} and ${max}`)
    }
    const leaseMs = Math.round(forMs)
    const text = `extend ${id} for ${writeDuration(leaseMs)} from now`
    const writing = dispatch.change([{ act: 'extend', id, author, reason: '', leaseMs, text }])
    const untilUnixMs = this.#until(book.ledger.mustBeLive(id))
    return changeOf(writing, { act: 'extend', text, untilUnixMs })
  }

  undo(reason: string, author: string): Change {
    const { book, dispatch, clock } = this.#parts
    checkWords('reason', reason)
    const drafts = book.ledger.undo(author, reason, clock.nowMs())
    const text = textOf(drafts)
    // What only lets go is done even when it cannot be written.
    const releases = drafts.every(({ act }) => act === 'release')
    const writing = dispatch.change(drafts, releases)
    return changeOf(writing, { act: drafts[0]!.act, text })
  }

  addEvent({ text, source, target }: AddEventRequest, author: string): Noted {
    const { dispatch, events, clock } = this.#parts
    if (text.trim() === '') throw new Complaint('misused', 'text: is blank')
    checkWords('text', text)
    for (const [name, value] of Object.entries({ source, target })) {
      if (value === '' || isServiceName(value) || isUnknown(value)) continue
      throw new Complaint('misused', `${name}: '${value}' is not the name of a service`)
    }
    dispatch.change([eventDraft(author, text, source, target)])
    const marker = { kind: 'marker', source, target, text, suggestion: '', author }
    return events.add(marker, clock.wallMs())
  }

  forget(node: string, author: string): Change {
    const writing = this.#parts.dispatch.forget(node, author)
    return changeOf(writing, { act: 'event', text: `forgot ${node}` })
  }

  #named(ids: readonly string[], now: boolean): Standing[] {
    const { ledger } = this.#parts.book
    const standings = [...new Set(ids)].map((id) => ledger.mustBeLive(id))
    const going = now ? undefined : standings.find(({ state }) => state === 'releasing')
    if (!going) return standings
    throw new Complaint('guarded', `${going.id} is being released already; at once: --now`)
  }

  #mustHaveRoom(): void {
    const { book, dispatch } = this.#parts
    const count = book.ledger.live().length
    const would = 'release what is not needed'
    if (count >= PLAN_MAX) throw new Complaint('full', `${count} intents are in force; ${would}`)
    if (dispatch.plans.bytes > PLAN_BYTES_MAX - INTENT_BYTES_MAX) {
      const size = `the plan takes ${dispatch.plans.bytes} bytes of ${PLAN_BYTES_MAX}`
      throw new Complaint('full', `${size}; ${would}`)
    }
  }

  #until({ untilMs }: Standing): number {
    const { clock } = this.#parts
    return clock.wallMs() + untilMs - clock.nowMs()
  }
}

function checkWords(name: string, words: string): void {
  if (words.length <= TEXT_MAX) return
  throw new Complaint('misused', `${name}: ${words.length} characters are more than ${TEXT_MAX}`)
}

/** Texts of one request named in its answer; the ledger has them all. */
const TEXTS_MAX = 5

function textOf(drafts: readonly Draft[]): string {
  const texts = drafts.slice(0, TEXTS_MAX).map(({ text }) => text)
  const more = drafts.length - texts.length
  return more > 0 ? `${texts.join('; ')}; and ${more} more` : texts.join('; ')
}

interface Told {
  readonly act: string
  readonly text: string
  readonly untilUnixMs?: number
  readonly warnings?: readonly string[]
}

function changeOf({ entries, onDisk }: Writing, told: Told): Change {
  const ids = [...new Set(entries.map(({ id }) => id))].filter((id) => id !== '')
  const unwritten = 'in force, but not on disk yet: a restart now would forget it'
  return create(ChangeSchema, {
    ids,
    revision: BigInt(entries.at(-1)!.revision),
    act: told.act,
    text: told.text,
    untilUnixMs: told.untilUnixMs ?? 0,
    warnings: [...(told.warnings ?? []), ...(onDisk ? [] : [unwritten])],
  })
}
