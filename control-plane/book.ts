/**
 * The ledger and its journal as one: an entry is on disk before anybody acts on it. When the disk
 * takes nothing, changes are refused with the reason, but what lets traffic go (a release, the end
 * of a lease) happens all the same and waits here to be written, for nobody may be kept from
 * opening a gate by a full disk.
 */
import type { Clock } from '../runtime/clock.ts'
import { Complaint } from './complaint.ts'
import { type Journal, newLedgerId } from './journal-sqlite.ts'
import { type Draft, type Entry, Ledger } from './ledger.ts'

/** Entries that may wait for the disk to take them again. */
export const QUEUED_MAX = 10_000
/** Revisions whose time on disk is remembered, for those who ask how long it took. */
const TIMED_MAX = 1_000

export interface Writing {
  readonly entries: readonly Entry[]
  /** False when they wait for the disk: they are in force, and a restart would forget them. */
  readonly onDisk: boolean
}

export class Book {
  readonly ledger = new Ledger()
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #boot: string
  readonly #queued: Entry[] = []
  readonly #diskMs = new Map<number, number>()
  #trouble = ''
  #id: string
  readonly seed: number

  /** `boot` names this start of the machine: while it lasts, the monotonic clock runs on. */
  constructor(journal: Journal, clock: Clock, boot: string) {
    this.#journal = journal
    this.#clock = clock
    this.#boot = boot
    for (const body of journal.load()) this.ledger.add(this.#read(body))
    this.#id = this.#remembered('ledger', () => `${newLedgerId()}.1`)
    this.seed = Number.parseInt(this.#id.slice(0, 8), 16)
    this.ledger.settle(clock.nowMs())
  }

  /** Which ledger: its own name, and how often its history had to part from what nodes knew. */
  get id(): string {
    return this.#id
  }

  /** What is wrong with what is on disk, if anything; then no plan can be trusted. */
  get damage(): string | undefined {
    return this.#journal.damage
  }

  /** Sentences for the status page. */
  alarms(): string[] {
    if (this.damage) return [`the journal is damaged: ${this.damage}`]
    if (this.#queued.length === 0) return []
    const count = this.#queued.length === 1 ? '1 entry is' : `${this.#queued.length} entries are`
    return [`the journal cannot be written (${this.#trouble}): ${count} not on disk`]
  }

  /** Entries in force that wait for the disk. */
  get unwritten(): number {
    return this.#queued.length
  }

  /** When the revision was on disk, on the monotonic clock; undefined when that is long ago. */
  diskMs(revision: number): number | undefined {
    return this.#diskMs.get(revision)
  }

  /** Writes a request's drafts as one; `anyway` for those that only let traffic go. */
  write(drafts: readonly Draft[], anyway = false): Writing {
    if (this.damage) {
      const help = 'put a good copy of the folder in its place, or move it away and begin anew'
      throw new Complaint('damaged', `the journal is damaged: ${this.damage}; ${help}`)
    }
    const batch = this.ledger.revision + 1
    const entries = drafts.map((draft, i) => this.#stamp(draft, batch + i, batch))
    const onDisk = this.#flush() && this.#append(entries)
    if (!onDisk) {
      if (!anyway || this.#queued.length + entries.length > QUEUED_MAX) {
        const what = 'nothing was changed; a release still works'
        throw new Complaint('failed', `the journal cannot be written (${this.#trouble}): ${what}`)
      }
      this.#queued.push(...entries)
    }
    for (const entry of entries) {
      this.ledger.add(entry)
      this.#timed(entry.revision)
    }
    return { entries, onDisk }
  }

  /** Called each second: leases that are due, ramps that are over, and what waits for the disk. */
  tend(): { readonly entries: readonly Entry[]; readonly ended: readonly string[] } {
    if (this.damage) return { entries: [], ended: [] }
    this.#flush()
    const nowMs = this.#clock.nowMs()
    const due = this.ledger.due(nowMs)
    const entries = due.length > 0 ? this.write(due, true).entries : []
    return { entries, ended: this.ledger.settle(nowMs) }
  }

  /** The newest `limit` entries with after < revision < before, oldest first. */
  entries(after: number, before: number, limit: number): Entry[] {
    const stored = this.#journal.read(after, before, limit).map((body) => this.#read(body))
    const queued = this.#queued.filter(({ revision }) => revision > after && revision < before)
    return [...stored, ...queued].slice(-limit)
  }

  /** A node has seen more of this ledger than there is: our end was lost, so histories part. */
  part(): string {
    const [name, term] = this.#id.split('.')
    this.#id = `${name}.${Number(term) + 1}`
    this.remember('ledger', this.#id)
    return this.#id
  }

  recall(key: string): string | undefined {
    return this.#journal.meta(key)
  }

  /** False when it could not be written; whoever remembers says again later. */
  remember(key: string, value: string): boolean {
    try {
      this.#journal.setMeta(key, value)
      return true
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error)
      return false
    }
  }

  #remembered(key: string, make: () => string): string {
    const found = this.#journal.meta(key)
    if (found !== undefined) return found
    const made = make()
    this.remember(key, made)
    return made
  }

  #flush(): boolean {
    if (this.#queued.length === 0) return true
    if (!this.#append(this.#queued)) return false
    this.#queued.length = 0
    return true
  }

  #append(entries: readonly Entry[]): boolean {
    try {
      this.#journal.append(entries.map((entry) => this.#body(entry)))
      return true
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error)
      return false
    }
  }

  #timed(revision: number): void {
    this.#diskMs.set(revision, this.#clock.nowMs())
    this.#diskMs.delete(revision - TIMED_MAX)
  }

  #stamp(draft: Draft, revision: number, batch: number): Entry {
    const [atMs, wallMs] = [this.#clock.nowMs(), this.#clock.wallMs()]
    return { ...draft, revision, batch, atMs, wallMs }
  }

  #body({ atMs, ...rest }: Entry): string {
    return JSON.stringify({ ...rest, boot: this.#boot, monoMs: atMs })
  }

  /**
   * Since the same start of the machine the monotonic clock tells an entry's age; across starts
   * only the wall clock can, and one that went backwards makes nothing older than it is.
   */
  #read(body: string): Entry {
    const { boot, monoMs, ...rest } = JSON.parse(body) as Stored
    if (boot === this.#boot) return { ...rest, atMs: monoMs }
    const ageMs = Math.max(0, this.#clock.wallMs() - rest.wallMs)
    return { ...rest, atMs: this.#clock.nowMs() - ageMs }
  }
}

interface Stored extends Omit<Entry, 'atMs'> {
  readonly boot: string
  readonly monoMs: number
}
