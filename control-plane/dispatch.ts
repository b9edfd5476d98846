/**
 * Brings what is wanted to the nodes, and what they say back to what is known of them. Every change
 * takes this one way: book (on disk), shares, plans. Nothing here waits.
 */
import type { Shares } from '../policies/ramp.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Wish } from './allot.ts'
import type { Book, Writing } from './book.ts'
import { editionsOf } from './edition.ts'
import type { Fleet, Greeting, Mark, Process, Refusal } from './fleet.ts'
import { keyOf } from './fleet.ts'
import { AIRSPACE, type Draft } from './ledger.ts'
import { DIGEST_MS, type Outlet, Plans } from './plans.ts'
import { Sharing } from './sharing.ts'

/** All that a process says when it follows. */
export interface Hello extends Greeting {
  readonly ledger: string
  readonly held: ReadonlyMap<string, Shares>
  /** Epochs of its node's processes that are over. */
  readonly ended: readonly number[]
}

export interface IntentWish extends Wish {
  readonly id: string
  readonly under: boolean
}

export class Dispatch {
  readonly #book: Book
  readonly #fleet: Fleet
  readonly #clock: Clock
  readonly #log: Log
  readonly #watchers = new Set<() => void>()
  readonly sharing: Sharing
  readonly plans: Plans
  #remindedMs: number
  /** By holder: the intents that it last said it was within its share of, and in which edition. */
  readonly #under = new Map<string, { readonly edition: number; readonly ids: readonly string[] }>()

  constructor(book: Book, fleet: Fleet, clock: Clock, log: Log) {
    this.#book = book
    this.#fleet = fleet
    this.#clock = clock
    this.#log = log
    this.#remindedMs = clock.nowMs()
    const sharing = new Sharing(fleet.holders())
    this.sharing = sharing
    const { ledger } = book
    const wanted = {
      get ledger() {
        return book.id
      },
      get revision() {
        return ledger.revision
      },
      standings: () => ledger.live(),
      sharesOf: (key: string) => sharing.sharesOf(key),
    }
    this.plans = new Plans(wanted, editionsOf(book))
    sharing.reconcile(ledger.live(), this.plans.edition)
    sharing.begun()
  }

  /** Calls back whenever a node has reported something, or what is wanted has changed. */
  watch(seen: () => void): () => void {
    this.#watchers.add(seen)
    return () => this.#watchers.delete(seen)
  }

  get watchers(): number {
    return this.#watchers.size
  }

  /** Writes it down, then tells the nodes. Throws a Complaint when it cannot be written. */
  change(drafts: readonly Draft[], anyway = false): Writing {
    const writing = this.#book.write(drafts, anyway)
    this.#publish()
    return writing
  }

  hello(hello: Hello, outlet: Outlet): Process {
    const nowMs = this.#clock.nowMs()
    const known = JSON.stringify(this.#fleet.roster)
    const { process, gone } = this.#fleet.join(hello, nowMs)
    for (const key of gone) this.#leave(key)
    for (const epoch of hello.ended) this.#over(process.node, epoch)
    if (JSON.stringify(this.#fleet.roster) !== known) this.#keepRoster()
    const parted = this.#partFrom(hello)
    const { revision, edition } = hello
    const same = hello.ledger === this.#book.id
    process.reported = same ? { revision, edition } : { revision: 0, edition: 0 }
    process.nack = undefined
    this.#under.delete(process.key)
    this.plans.add(process, outlet)
    this.sharing.join(process.key, hello.held, this.plans.edition)
    if (parted) this.#publish()
    else if (!this.#deal()) this.#sendTo(process)
    this.#tell()
    return process
  }

  ack(process: Process, mark: Mark): void {
    const nowMs = this.#clock.nowMs()
    this.#heard(process, nowMs)
    process.ack(mark, nowMs)
    this.#confirm(process)
    this.#deal()
    this.#tell()
  }

  nack(process: Process, refusal: Refusal): void {
    this.#heard(process, this.#clock.nowMs())
    process.nack = refusal
    const { node } = process
    this.#log.warn('a node refused a plan', { node, ...refusal })
    this.#tell()
  }

  /** Shares move by it: at once when a lower share was reached, else each second. */
  demand(process: Process, edition: number, wishes: readonly IntentWish[]): void {
    const nowMs = this.#clock.nowMs()
    this.#heard(process, nowMs)
    for (const { id, under: _under, ...wish } of wishes) {
      this.sharing.wish(process.key, id, wish, nowMs)
    }
    const ids = wishes.filter(({ under }) => under).map(({ id }) => id)
    this.#under.set(process.key, { edition, ids })
    this.#confirm(process)
    this.#deal()
  }

  drained(process: Process): void {
    this.plans.drained(process, this.#clock.nowMs())
  }

  /** The stream has ended, the process perhaps not: its shares stay its own. */
  closed(process: Process, outlet: Outlet): void {
    if (!this.plans.remove(process, outlet)) return
    process.following = false
    this.sharing.setLive(process.key, false)
    this.#deal()
    this.#tell()
  }

  /** The process has drained and holds nothing any more. */
  goodbye(process: Process): void {
    this.#over(process.node, process.epoch)
    this.#keepRoster()
    this.#deal()
    this.#tell()
  }

  /** Windows are a sign of life too. */
  heardOf(node: string): void {
    this.#fleet.heard(node, this.#clock.nowMs())
  }

  /** A silent node is not expected any more, and what was stranded with it is free. */
  forget(node: string, author: string): Writing {
    const keys = this.#fleet.forget(node, this.#clock.nowMs())
    for (const key of keys) this.#leave(key)
    this.#keepRoster()
    return this.change(
      [{ act: 'event', id: '', author, text: `node ${node} forgotten`, reason: '' }],
      true,
    )
  }

  /** Each second. */
  tick(): void {
    const nowMs = this.#clock.nowMs()
    const { entries, ended } = this.#book.tend()
    for (const process of this.#fleet.processes()) {
      if (process.following) this.sharing.setLive(process.key, !process.silent(nowMs))
    }
    if (entries.length > 0 || ended.length > 0) this.#publish()
    else this.#deal()
    if (nowMs - this.#remindedMs >= DIGEST_MS) {
      this.#remindedMs = nowMs
      if (!this.#book.damage) this.plans.remind()
    }
    this.#tell()
  }

  /** Of the edition it spoke of last it may not have acknowledged yet: both together count. */
  #confirm({ key, reported }: Process): void {
    const under = this.#under.get(key)
    if (!under) return
    const certain = Math.min(under.edition, reported.edition)
    for (const id of under.ids) this.sharing.confirm(key, id, certain)
  }

  /** A node that knows more of this ledger than there is shows that our end of it was lost. */
  #partFrom({ node, ledger, revision, edition }: Hello): boolean {
    const newer = revision > this.#book.ledger.revision || edition > this.plans.edition
    if (ledger !== this.#book.id || !newer || this.#book.damage) return false
    const id = this.#book.part()
    const what = 'a node knows more than the journal: its end was lost, and the ledger begins anew'
    this.#log.warn(what, { node, revision, edition, ledger: id })
    return true
  }

  #publish(): void {
    this.sharing.reconcile(this.#book.ledger.live(), this.plans.edition)
    this.sharing.deal(this.plans.edition + 1, this.#clock.nowMs())
    this.#push(true)
    this.#tell()
  }

  #deal(): boolean {
    const changed = this.sharing.deal(this.plans.edition + 1, this.#clock.nowMs())
    if (changed) this.#push(false)
    return changed
  }

  /** A damaged journal says nothing that nodes should follow: they keep what they have. */
  #push(all: boolean): void {
    if (!this.#book.damage) this.plans.push(this.#clock.nowMs(), all)
  }

  #sendTo(process: Process): void {
    if (!this.#book.damage) this.plans.pushTo(process, this.#clock.nowMs())
  }

  #heard(process: Process, nowMs: number): void {
    process.heardMs = nowMs
    this.#fleet.heard(process.node, nowMs)
    this.sharing.setLive(process.key, true)
  }

  #over(node: string, epoch: number): void {
    if (this.#fleet.gone(node, epoch)) this.#leave(keyOf(node, epoch))
  }

  #leave(key: string): void {
    this.sharing.leave(key)
    this.#under.delete(key)
  }

  #keepRoster(): void {
    this.#book.remember('roster', JSON.stringify(this.#fleet.roster))
  }

  #tell(): void {
    for (const seen of this.#watchers) seen()
  }
}

/** The roster as it was kept. */
export function rosterOf(book: Book): { readonly [node: string]: readonly number[] } {
  return JSON.parse(book.recall('roster') ?? '{}')
}

export const eventDraft = (
  author: string,
  text: string,
  source: string,
  target: string,
): Draft => ({
  ...{ act: 'event', id: '', author: author || AIRSPACE, text, reason: '', source, target },
})
