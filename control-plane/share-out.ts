/**
 * How much of a limit each node ought to have, by what it asks for. Pure arithmetic: allot.ts says
 * when a node may have it. Whole limits (so many in flight) are dealt in ones: everybody has at
 * least one while there is one for each; when there is not, those who ask take turns.
 */

/** What is known of one who shares. */
export interface Asker {
  readonly key: string
  /** What it was told last. */
  readonly share: number
  /** How much it could use. */
  readonly need: number
  /** It has been asking for more than its share lets through. */
  readonly starving: boolean
  /** It has calls at all. */
  readonly demanding: boolean
  /** Turns it is owed, in ms: grows while it waits, shrinks while it holds one. */
  readonly credit: number
}

export type Shares = Map<string, number>

/**
 * How long a turn lasts while somebody else waits for it. Handing over costs a round trip to two
 * nodes, in which nobody may enter: 50 ms of 4 s is little, of 1 s it would be felt.
 */
export const TURN_MS = 4_000
/** Parts are multiples of one in so many (a power of two, so that their sum is exact). */
const GRAINS = 1_024

const sumOf = (values: Iterable<number>): number => {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

const asTheyAre = (askers: readonly Asker[]): Shares =>
  new Map(askers.map(({ key, share }) => [key, share]))

/** Shares of a limit that is counted in whole calls. `pool` is what these may have together. */
export function dealWhole(pool: number, askers: readonly Asker[]): Shares {
  const asking = askers.filter(({ demanding }) => demanding)
  if (askers.length > pool && asking.length > pool) return dealTurns(pool, askers, asking)
  const enough = askers.length <= pool
  const least = ({ demanding }: Asker): number => (enough || demanding ? 1 : 0)
  if (keeps(pool, askers, enough ? 1 : 0)) return asTheyAre(askers)
  const levels = levelled(pool, askers, least)
  const shares: Shares = new Map()
  for (const [key, level] of levels) shares.set(key, Math.floor(level))
  let left = pool - sumOf(shares.values())
  const rest = (key: string): number => levels.get(key)! - shares.get(key)!
  const byRest = [...askers].sort((a, b) => rest(b.key) - rest(a.key) || b.share - a.share)
  for (const { key } of byRest) {
    if (left < 1) break
    shares.set(key, shares.get(key)! + 1)
    left -= 1
  }
  return shares
}

/** Shares of a limit that can be split as finely as one likes: so many a second. */
export function dealParts(pool: number, askers: readonly Asker[]): Shares {
  const floor = Math.min(1, pool / askers.length)
  if (keeps(pool, askers, floor)) return asTheyAre(askers)
  const shares = levelled(pool, askers, () => floor)
  for (const [key, share] of shares) shares.set(key, Math.floor(share * GRAINS) / GRAINS)
  const shift = askers.map(({ key, share }) => Math.abs(shares.get(key)! - share))
  const dealt = sumOf(askers.map(({ share }) => share))
  const small = Math.max(...shift) <= pool / askers.length / 10 && dealt <= pool
  return small && dealt > pool * 0.9 ? asTheyAre(askers) : shares
}

/** Nobody wants for anything and nothing is left over: moving shares about would only cost. */
function keeps(pool: number, askers: readonly Asker[], least: number): boolean {
  const dealt = sumOf(askers.map(({ share }) => share))
  if (dealt > pool || dealt < pool * 0.99) return false
  return askers.every(({ starving, share }) => !starving && share >= least)
}

/** Fewer than there are askers: one each for those whose turn it is. */
function dealTurns(pool: number, askers: readonly Asker[], asking: readonly Asker[]): Shares {
  const shares: Shares = new Map(askers.map(({ key }) => [key, 0]))
  // Who is owed most comes first. Two that take turns drift apart by a second each second, from
  // one ahead by half a turn to the other ahead by as much.
  const claim = ({ credit, share }: Asker): number => credit + (share > 0 ? TURN_MS / 2 : 0)
  const ranked = [...asking].sort((a, b) => claim(b) - claim(a) || b.share - a.share)
  for (const { key } of ranked.slice(0, pool)) shares.set(key, 1)
  return shares
}

/** Max-min fair: the smallest needs are met whole, the rest share alike, what is left is spread. */
function levelled(pool: number, askers: readonly Asker[], least: (asker: Asker) => number): Shares {
  const shares: Shares = new Map()
  const byNeed = [...askers].sort((a, b) => a.need - b.need)
  let left = pool
  for (const [at, asker] of byNeed.entries()) {
    const share = Math.max(least(asker), Math.min(asker.need, left / (byNeed.length - at)))
    shares.set(asker.key, share)
    left -= share
  }
  for (const [key, share] of shares) shares.set(key, share + Math.max(0, left) / askers.length)
  return shares
}
