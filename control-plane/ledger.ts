/**
 * What is wanted of the fleet, and how it came to be. Entries are only ever added; the state at a
 * revision is their fold, and the revision is their count. Pure: book.ts writes it down and says
 * the time, which is in ms on this process's monotonic axis, so that no wall clock ends a lease.
 */
import type { IntentText } from '../policies/intent.ts'
import { Complaint } from './complaint.ts'

export type Act = 'apply' | 'release' | 'extend' | 'expire' | 'event'

/** What somebody wants written; the ledger gives it its revision and book.ts its time. */
export interface Draft {
  readonly act: Act
  readonly id: string
  readonly author: string
  /** In the operator's words. */
  readonly text: string
  readonly reason: string
  /** apply: the intent, complete. */
  readonly intent?: IntentText
  /** apply, extend: from the time of the entry. */
  readonly leaseMs?: number
  /** apply: of the intent, when its lease ends. release, expire: of this ending; 0 is at once. */
  readonly rampMs?: number
  /** event: the edge it is about, if it is about one. */
  readonly source?: string
  readonly target?: string
  /** The batch that this one takes back. */
  readonly undoes?: number
}

export interface Entry extends Draft {
  readonly revision: number
  /** The revision of the first entry of the same request: they are undone together. */
  readonly batch: number
  readonly atMs: number
  readonly wallMs: number
}

export type State = 'in force' | 'releasing' | 'ended'

/** One intent as the entries so far leave it. Never changed, only replaced. */
export interface Standing {
  readonly id: string
  readonly intent: IntentText
  readonly state: State
  /** The revision that last changed it: nodes count a lease once a version. */
  readonly version: number
  /** Who applied it as it is now. */
  readonly author: string
  readonly changedBy: string
  /** When it was first applied. */
  readonly wallMs: number
  readonly untilMs: number
  /** How long it opens when it ends; 0 is at once. */
  readonly rampMs: number
  /** When its release began; meaningful unless in force. */
  readonly endingMs: number
}

interface Change {
  readonly entry: Entry
  readonly before: Standing | undefined
  /** The version of the intent that is this change's doing, undone later changes left out. */
  version: number
}

/** Ended intents that are still shown. */
export const ENDED_MAX = 200
/** Changes of one author that can be taken back; a release of many is one. */
export const UNDO_MAX = 100
/** Who writes what time alone has done. */
export const AIRSPACE = 'airspace'

export class Ledger {
  #revision = 0
  #turns = 0
  readonly #standings = new Map<string, Standing>()
  /** Oldest first. */
  readonly #ended = new Set<string>()
  readonly #changes = new Map<string, Change[]>()

  get revision(): number {
    return this.#revision
  }

  /** Another number whenever an intent stands otherwise, by an entry or by time. */
  get turns(): number {
    return this.#turns
  }

  /** Takes an entry that is on disk. An entry out of turn is our mistake. */
  add(entry: Entry): void {
    if (entry.revision !== this.#revision + 1) {
      throw new Error(`entry ${entry.revision} does not follow revision ${this.#revision}`)
    }
    const before = this.#standings.get(entry.id)
    const after = fold(before, entry)
    this.#revision = entry.revision
    if (after) this.#put(after)
    this.#remember({ entry, before, version: entry.revision })
  }

  get(id: string): Standing | undefined {
    return this.#standings.get(id)
  }

  /** What nodes are to enforce, ramps included, in the order of their ids' first entries. */
  live(): Standing[] {
    return [...this.#standings.values()].filter((standing) => standing.state !== 'ended')
  }

  all(): Standing[] {
    return [...this.#standings.values()]
  }

  /** In force or releasing, by id; a complaint that says which way it is not. */
  mustBeLive(id: string): Standing {
    const standing = this.#standings.get(id)
    if (!standing) throw new Complaint('missing', `no intent '${id}'`)
    if (standing.state === 'ended') throw new Complaint('missing', `${id} has ended already`)
    return standing
  }

  /** Time passing is an entry like any other: what is to be written down now. */
  due(nowMs: number): Draft[] {
    return this.live()
      .filter((standing) => standing.state === 'in force' && standing.untilMs <= nowMs)
      .map(({ id, rampMs }) => ({
        act: 'expire',
        id,
        author: AIRSPACE,
        text: `lease of ${id} is over`,
        reason: '',
        rampMs,
      }))
  }

  /** Ramps that are over need no entry: their end was fixed by the one that began them. */
  settle(nowMs: number): readonly string[] {
    const over = this.live().filter(
      ({ state, endingMs, rampMs }) => state === 'releasing' && endingMs + rampMs <= nowMs,
    )
    for (const standing of over) this.#put({ ...standing, state: 'ended' })
    return over.map(({ id }) => id)
  }

  /** What takes back the author's last change that can still be taken back. */
  undo(author: string, reason: string, nowMs: number): Draft[] {
    const changes = this.#changes.get(author) ?? []
    for (let end = changes.length; end > 0; ) {
      const batch = changes[end - 1]!.entry.batch
      const start = changes.findIndex(({ entry }) => entry.batch === batch)
      const drafts = changes
        .slice(start, end)
        .map((change) => this.#reverse(change, nowMs))
        .filter((draft) => draft !== undefined)
        .map((draft) => ({ ...draft, author, reason, undoes: batch }))
      if (drafts.length > 0) return drafts
      end = start
    }
    throw new Complaint('missing', `there is no change by ${author} that could be undone`)
  }

  #put(standing: Standing): void {
    const { id } = standing
    this.#turns += 1
    this.#standings.set(id, standing)
    this.#ended.delete(id)
    if (standing.state === 'ended') this.#ended.add(id)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= ENDED_MAX) break
      this.#ended.delete(oldest)
      this.#standings.delete(oldest)
    }
  }

  #remember(change: Change): void {
    const { author, act, id, undoes } = change.entry
    if (act === 'event' || act === 'expire') return
    const changes = this.#changes.get(author) ?? []
    if (undoes === undefined) {
      this.#changes.set(author, newest([...changes, change]))
      return
    }
    const undone = changes.find(({ entry }) => entry.batch === undoes && entry.id === id)
    for (const each of [...this.#changes.values()].flat()) {
      const restored = each.entry.id === id && each.version === undone?.before?.version
      if (restored) each.version = change.version
    }
    this.#changes.set(
      author,
      changes.filter((each) => each !== undone),
    )
  }

  #reverse({ entry, before, version }: Change, nowMs: number): Bare | undefined {
    const { id } = entry
    const now = this.#standings.get(id)
    if (now === undefined) return undefined
    if (now.version !== version) {
      if (now.changedBy === AIRSPACE) return undefined // its lease is over: nothing to take back
      const who = `by ${now.changedBy} (revision ${now.version})`
      throw new Complaint('conflict', `${id} was changed since ${who}; it is not undone`)
    }
    const leaseMs = before ? before.untilMs - nowMs : 0
    if (before && entry.act === 'release') {
      return leaseMs > 0 ? again(before, leaseMs, `release of ${id} undone`) : undefined
    }
    if (before && leaseMs > 0) {
      if (entry.act === 'extend') {
        return { act: 'extend', id, text: `longer lease of ${id} undone`, leaseMs }
      }
      return again(before, leaseMs, `change of ${id} undone`)
    }
    return { act: 'release', id, text: `${id} undone`, rampMs: now.rampMs }
  }
}

/** Batches are forgotten whole: half a change is never undone. */
function newest(changes: Change[]): Change[] {
  const batches = new Set(changes.map(({ entry }) => entry.batch))
  if (batches.size <= UNDO_MAX) return changes
  return changes.filter(({ entry }) => entry.batch !== changes[0]!.entry.batch)
}

type Bare = Omit<Draft, 'author' | 'reason'>

const again = ({ id, intent, rampMs }: Standing, leaseMs: number, text: string): Bare => ({
  act: 'apply',
  id,
  text,
  intent: { ...intent, leaseMs },
  leaseMs,
  rampMs,
})

function fold(before: Standing | undefined, entry: Entry): Standing | undefined {
  const { id, act, author, revision: version, atMs, wallMs } = entry
  if (act === 'event') return before
  if (act === 'apply') {
    const { intent, leaseMs = 0, rampMs = 0 } = entry
    if (!intent) throw new Error(`entry ${version} applies nothing`)
    const since = before ? before.wallMs : wallMs
    const untilMs = atMs + leaseMs
    return {
      ...{ id, intent, state: 'in force', version, author, changedBy: author },
      ...{ wallMs: since, untilMs, rampMs, endingMs: 0 },
    }
  }
  if (!before) throw new Error(`entry ${version} is about ${id}, which never was`)
  if (act === 'extend') {
    const leaseMs = entry.leaseMs ?? 0
    const intent = { ...before.intent, leaseMs }
    return { ...before, intent, version, changedBy: author, untilMs: atMs + leaseMs }
  }
  const rampMs = entry.rampMs ?? 0
  const state = rampMs > 0 ? 'releasing' : 'ended'
  return { ...before, state, version, changedBy: author, rampMs, endingMs: atMs }
}
