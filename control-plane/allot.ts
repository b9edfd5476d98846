/**
 * One limit of the fleet, held in shares by the processes that enforce it. Take before give: a
 * share may be in use from when it is sent until its holder has acknowledged a lower one and said
 * that it is under it, so what is given is only ever what nobody can still be using. A holder that
 * is not heard keeps what it holds: nobody can know that it has stopped. Pure.
 *
 *   limit 10 = a 4 (may use 6: not yet under) + b 3 + c 1 (silent: stranded) + 0 free
 */
import { type Asker, dealParts, dealWhole, TURN_MS } from './share-out.ts'

/** Shares sent to a holder and not yet acknowledged; beyond it the two oldest become one. */
const UNCONFIRMED_MAX = 16
/** A demand older than this says nothing about now. */
const DEMAND_MS = 3_000
/** How a peak fades, each time it is looked at: a burst is remembered for some seconds. */
const FADE = 0.8
/** The largest step of a need in one second: it doubles until it is met. */
const GROWTH = 2
/** At most one turn changes hands in this time, and shares move no faster. */
export const MOVE_MS = 1_000
/** The smallest part of a rate that is worth sending. */
const GRAIN = 1 / 1_024

/** Counts are dealt in ones; rates are split as finely as one likes. */
export type SharedUnit = 'count' | 'perSecond' | 'bytesPerSecond'

/** What a holder last said about this limit; `wanted` and `refused` since it said so before. */
export interface Wish {
  readonly inFlight: number
  readonly wanted: number
  readonly refused: number
}

interface Sent {
  readonly edition: number
  readonly share: number
}

interface Holder {
  live: boolean
  /** The edition it is sent when it comes; what it says of an older one is from before. */
  joined: number
  /** Told last. */
  share: number
  /** What it should have; a share comes to it as others give. */
  goal: number
  /** At most this is in use, of all that was sent up to what it has confirmed. */
  confirmed: number
  readonly sent: Sent[]
  wish: Wish
  wishMs: number
  /** Calls it wanted a second, and in flight, as far as it could tell. */
  perSecond: number
  peak: number
  credit: number
}

export interface ShareOf {
  readonly key: string
  readonly share: number
  readonly live: boolean
  /** What it may be using: more than its share until it has confirmed it. */
  readonly bound: number
}

const boundOf = ({ confirmed, sent }: Holder): number =>
  sent.reduce((most, { share }) => Math.max(most, share), confirmed)

export class Allotment {
  #limit: number
  readonly unit: SharedUnit
  readonly #holders = new Map<string, Holder>()
  /** Held by processes that have confirmed nothing since we began; nobody else may have it. */
  #unheard: Set<string>
  #reserved: number
  #tickMs: number | undefined
  /** Who is there, or how much there is, has changed; or what is confirmed has. */
  #stale = true
  #freed = true

  /** `unheard` are the processes that may hold a part of it from before we began. */
  constructor(limit: number, unit: SharedUnit, unheard: Iterable<string> = []) {
    this.#limit = limit
    this.unit = unit
    this.#unheard = new Set(unheard)
    this.#reserved = this.#unheard.size > 0 ? limit : 0
  }

  /** What those may still hold who have confirmed nothing since we began. */
  get reserved(): number {
    return this.#reserved
  }

  /** An operator changed the intent. */
  setLimit(limit: number): void {
    if (limit === this.#limit) return
    this.#reserved = Math.min(this.#reserved, limit)
    this.#limit = limit
    this.#stale = true
  }

  /**
   * A process follows: `held` is what it says it enforces, undefined when nothing. One that we know
   * is sent its share again, and until it confirms that, `edition` or later, both count.
   */
  join(key: string, held: number | undefined, edition: number): void {
    const known = this.#holders.get(key)
    const more = Math.max(0, (held ?? 0) - (known ? boundOf(known) : 0))
    if (known) {
      known.live = true
      known.joined = edition
      known.confirmed = Math.max(boundOf(known), held ?? 0)
      this.#send(known, known.share, edition)
    } else {
      const share = held ?? 0
      this.#holders.set(key, {
        ...{ live: true, joined: edition, share, goal: share, confirmed: share, sent: [] },
        ...{ wish: { inFlight: 0, wanted: 0, refused: 0 }, wishMs: Number.NEGATIVE_INFINITY },
        ...{ perSecond: 0, peak: 0, credit: 0 },
      })
    }
    // What it does not hold may still be running there, or be on its way to its workers: it is
    // reserved until it confirms what it is sent now.
    if (this.#unheard.has(key)) this.#reserved = Math.max(0, this.#reserved - more)
    this.#stale = true
  }

  /** Not heard for a while, or heard again: its share stays its own. */
  setLive(key: string, live: boolean): void {
    const holder = this.#holders.get(key)
    if (!holder || holder.live === live) return
    holder.live = live
    this.#stale = true
  }

  /** The process is known to be over, or an operator said to forget it. */
  leave(key: string): void {
    this.#heard(key)
    this.#holders.delete(key)
    this.#stale = true
  }

  /** It said what it meets. */
  wish(key: string, wish: Wish, nowMs: number): void {
    const holder = this.#holders.get(key)
    if (!holder) return
    const sinceMs = Math.min(Math.max(nowMs - holder.wishMs, 200), DEMAND_MS)
    holder.perSecond = Math.max((wish.wanted * 1_000) / sinceMs, holder.perSecond * FADE)
    holder.peak = Math.max(wish.inFlight, holder.peak * FADE)
    // A word said at once, as a lower share is reached, must not hide the second before it.
    const early = sinceMs < MOVE_MS / 2 && wish.wanted < holder.wish.wanted
    holder.wish = early ? { ...holder.wish, inFlight: wish.inFlight } : wish
    holder.wishMs = nowMs
  }

  /** It took the plan of this edition, and what it has in flight is within its share. */
  confirm(key: string, edition: number): void {
    const holder = this.#holders.get(key)
    if (!holder) return
    if (edition >= holder.joined) this.#heard(key)
    while (holder.sent.length > 0 && holder.sent[0]!.edition <= edition) {
      holder.confirmed = holder.sent.shift()!.share
      this.#freed = true
    }
  }

  /**
   * Looks at the demand once a second, or when who is there has changed, and sends what may be
   * sent now as part of `edition`. True when somebody's share changed.
   */
  deal(edition: number, nowMs: number): boolean {
    const due = this.#tickMs === undefined || nowMs - this.#tickMs >= MOVE_MS
    if (!due && !this.#stale && !this.#freed) return false
    if (due || this.#stale) this.#aim(nowMs)
    this.#freed = false
    const taken = this.#take(edition)
    return this.#give(edition) || taken
  }

  share(key: string): number {
    return this.#holders.get(key)?.share ?? 0
  }

  shares(): ShareOf[] {
    return Array.from(this.#holders, ([key, holder]) => ({
      key,
      share: holder.share,
      live: holder.live,
      bound: boundOf(holder),
    }))
  }

  #heard(key: string): void {
    if (!this.#unheard.delete(key) || this.#unheard.size > 0) return
    this.#reserved = 0
    this.#stale = true
  }

  #aim(nowMs: number): void {
    const passedMs = this.#tickMs === undefined ? 0 : Math.min(nowMs - this.#tickMs, DEMAND_MS)
    this.#tickMs = nowMs
    this.#stale = false
    let pool = this.#limit - this.#reserved
    const live: [string, Holder][] = []
    for (const [key, holder] of this.#holders) {
      if (holder.live) live.push([key, holder])
      else pool -= boundOf(holder)
    }
    if (live.length === 0) return
    const perSecond = live.reduce((sum, [, holder]) => sum + holder.perSecond, 0)
    const askers = live.map(([key, holder]) => this.#asker(key, holder, nowMs, pool, perSecond))
    this.#count(live, askers, Math.max(0, pool), passedMs)
    const shares =
      this.unit === 'count'
        ? dealWhole(Math.max(0, Math.floor(pool)), askers)
        : dealParts(Math.max(0, pool), askers)
    for (const [key, holder] of live) holder.goal = shares.get(key) ?? 0
  }

  #asker(key: string, holder: Holder, nowMs: number, pool: number, perSecond: number): Asker {
    const { share, wish, credit } = holder
    const fresh = nowMs - holder.wishMs <= DEMAND_MS
    const demanding = fresh && (wish.wanted > 0 || wish.inFlight > 0)
    const short = wish.refused > 0 || (share === 0 && wish.wanted > 0)
    const base = { key, share, demanding, credit }
    if (this.unit === 'bytesPerSecond') {
      // Calls are all we are told of, so bytes go where calls go.
      const need = (pool * holder.perSecond) / Math.max(1, perSecond)
      return { ...base, need, starving: demanding }
    }
    if (this.unit === 'perSecond') {
      const starving = demanding && (short || holder.perSecond > share * 0.95)
      const need = Math.max(holder.perSecond * 1.1, starving ? share * GROWTH : 0)
      return { ...base, need, starving }
    }
    const starving = demanding && short
    const passed = Math.max(1, wish.wanted - wish.refused)
    const growth = Math.min(GROWTH, Math.max(1.1, wish.wanted / passed))
    const need = starving ? Math.max(share * growth, share + 1) : holder.peak * 1.25
    return { ...base, need: demanding ? need : 0, starving }
  }

  /** Turns owed and taken; in sum nothing is made or lost. */
  #count(
    live: readonly [string, Holder][],
    askers: readonly Asker[],
    pool: number,
    passedMs: number,
  ): void {
    const asking = askers.filter(({ demanding }) => demanding).length
    for (const [at, [, holder]] of live.entries()) {
      if (!askers[at]!.demanding || asking <= pool) {
        holder.credit *= FADE
        continue
      }
      const due = passedMs * (pool / asking - Math.min(1, holder.share))
      holder.credit = Math.max(-TURN_MS, Math.min(TURN_MS, holder.credit + due))
    }
  }

  #take(edition: number): boolean {
    let taken = false
    for (const holder of this.#holders.values()) {
      if (!holder.live || holder.goal >= holder.share) continue
      this.#send(holder, holder.goal, edition)
      taken = true
    }
    return taken
  }

  #give(edition: number): boolean {
    let free = this.#limit - this.#reserved
    for (const holder of this.#holders.values()) free -= boundOf(holder)
    let given = false
    const waiting = [...this.#holders.values()]
      .filter((holder) => holder.live && holder.goal > holder.share)
      .sort((a, b) => a.share - b.share)
    for (const holder of waiting) {
      // What it may still be using of an earlier, larger share is its own already.
      const bound = boundOf(holder)
      const most = Math.min(holder.goal, bound + Math.max(0, free))
      const grain = this.unit === 'count' ? 1 : GRAIN
      const share = Math.floor(most / grain) * grain
      if (share <= holder.share) continue
      free -= Math.max(0, share - bound)
      this.#send(holder, share, edition)
      given = true
    }
    return given
  }

  #send(holder: Holder, share: number, edition: number): void {
    const { sent } = holder
    holder.share = share
    sent.push({ edition, share })
    if (sent.length <= UNCONFIRMED_MAX) return
    const [oldest, next] = sent.splice(0, 2)
    sent.unshift({ edition: next!.edition, share: Math.max(oldest!.share, next!.share) })
  }
}
