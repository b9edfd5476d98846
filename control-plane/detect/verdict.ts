/**
 * One word for each edge, as a triage nurse would say it, and why: stuck, silent, stressed, new or
 * normal. Detectors look once a second; what they find must last before it is said and be gone for
 * a while before it is unsaid, so that a word does not flap. They tell, and never act.
 */
import type { Edge } from '../../landscape/edge.ts'
import { type EdgeCounts, emptyCounts } from '../../landscape/signal.ts'
import type { EdgeSum, Stretch } from '../../landscape/stretch.ts'
import { blackHole } from './black-hole.ts'
import { Chorus, type Speaker } from './burst.ts'
import { type Finding, type Kind, VERDICTS, type Verdict } from './finding.ts'
import { newEdge } from './new-edge.ts'
import { silentEdge } from './silent-edge.ts'
import { crowd, failing, strain } from './strain.ts'
import { suggestionFor } from './suggestion.ts'
import { type Seen, SPAN_S, Usual } from './usual.ts'

export const EDGES_MAX = 50_000
/** An edge of which nothing was seen for so long is forgotten, and with it what was usual. */
const FORGOTTEN_S = 900
/** Turns told of one second; in a landslide the words on the edges say the rest. */
export const TURNS_MAX = 20
/** After a node has gone quiet, sums are lower than they were for reasons of their own. */
const UNSETTLED_S = 60

/** How many looks in a row a finding must last before it is said. */
const HOLD: { readonly [kind in Kind]: number } = {
  'black-hole': 2,
  'silent-edge': 1,
  strain: 3,
  // What fills up may be about to be stuck: that is worth a few seconds of patience.
  crowd: 6,
  failing: 2,
  burst: 1,
  'new-edge': 1,
}
/** How many looks in a row it must be gone. */
const CALM = 5

interface Claim {
  finding: Finding
  held: number
  missed: number
  said: boolean
}

interface Track {
  readonly edge: Edge
  readonly usual: Usual
  readonly claims: Map<Kind, Claim>
  opaque: boolean
  firstSeenMs: number
}

/** Something began, or is over. */
export interface Turn {
  readonly began: boolean
  readonly edge: Edge
  readonly finding: Finding
  readonly suggestion: string
}

interface Moment {
  readonly nowMs: number
  readonly second: number
  /** No node has gone quiet lately. */
  readonly settled: boolean
}

export interface Word {
  readonly word: Verdict
  readonly why: string
}

const NORMAL: Word = { word: 'normal', why: '' }
const NOTHING: Readonly<EdgeCounts> = emptyCounts()

export class Verdicts {
  readonly #tracks = new Map<string, Track>()
  readonly #choirs = new Map<string, Chorus>()
  /** Nodes that report, all being well, and for how long fewer do. */
  #reporting = 0
  #fewerS = 0
  /** The last second in which fewer reported than in the one before. */
  #droppedS = Number.NEGATIVE_INFINITY
  #before = 0
  #learntMs = 0
  /** Edges beyond the bound, and turns not told. */
  untracked = 0
  untold = 0

  /** `wide` is the last few seconds of all edges, `sharp` the last one; `second` counts them. */
  look(wide: Stretch, sharp: Stretch, second: number): Turn[] {
    const settled = this.#isSettled(wide.reporting.length, second)
    if (this.#learntMs === 0 && wide.edges.length > 0) this.#learntMs = wide.fromMs
    const seen = new Map(wide.edges.map((sum) => [sum.edge.key, sum]))
    const now = new Map(sharp.edges.map((sum) => [sum.edge.key, sum]))
    for (const sum of wide.edges) this.#track(sum)
    this.#listen(now, second)
    const turns: Turn[] = []
    for (const [key, track] of this.#tracks) {
      const counts = seen.get(key)?.counts ?? NOTHING
      const { bytesIn: bytesInNow, bytesOut: bytesOutNow } = now.get(key)?.counts ?? NOTHING
      const one = { opaque: track.opaque, counts, bytesInNow, bytesOutNow }
      const nowMs = wide.toMs
      this.#judge(track, one, { nowMs, second, settled }, turns)
      if (track.usual.quietS > FORGOTTEN_S) this.#forget(key, track, turns)
    }
    this.untold += Math.max(0, turns.length - TURNS_MAX)
    return turns.slice(0, TURNS_MAX)
  }

  wordOf(key: string): Word {
    const claims = this.#tracks.get(key)?.claims
    if (!claims || claims.size === 0) return NORMAL
    let best = NORMAL
    for (const { said, finding } of claims.values()) {
      if (said && VERDICTS.indexOf(finding.word) < VERDICTS.indexOf(best.word)) best = finding
    }
    return best
  }

  /** Edges of which something is to be said, those that nothing is seen of any more too. */
  *notable(): Iterable<Edge> {
    for (const { edge, claims } of this.#tracks.values()) {
      for (const { said } of claims.values()) {
        if (!said) continue
        yield edge
        break
      }
    }
  }

  #isSettled(reporting: number, second: number): boolean {
    if (reporting < this.#before) this.#droppedS = second
    this.#before = reporting
    this.#fewerS = reporting < this.#reporting ? this.#fewerS + 1 : 0
    if (this.#fewerS === 0 || this.#fewerS >= UNSETTLED_S) this.#reporting = reporting
    return reporting >= this.#reporting
  }

  #track(sum: EdgeSum): void {
    const { edge, firstSeenMs, protocol } = sum
    const known = this.#tracks.get(edge.key)
    if (known) {
      known.opaque = protocol === 'opaque'
      return
    }
    if (this.#tracks.size >= EDGES_MAX) {
      this.untracked += 1
      return
    }
    const opaque = protocol === 'opaque'
    const track = { edge, usual: new Usual(), claims: new Map(), opaque, firstSeenMs }
    this.#tracks.set(edge.key, track)
  }

  /** Who bursts to a target together is found over all its sources. */
  #listen(now: ReadonlyMap<string, EdgeSum>, second: number): void {
    const speakers = new Map<string, Speaker[]>()
    for (const { edge, usual, opaque } of this.#tracks.values()) {
      if (!opaque) continue
      const bytesInNow = now.get(edge.key)?.counts.bytesIn ?? 0
      const speaker = {
        source: edge.source,
        bytesInNow,
        usually: usual.bytesIn,
        knownS: usual.seconds,
      }
      const others = speakers.get(edge.target)
      if (others) others.push(speaker)
      else speakers.set(edge.target, [speaker])
    }
    for (const [target, choir] of speakers) {
      const chorus = this.#choirs.get(target) ?? new Chorus()
      chorus.hear(choir, second)
      if (chorus.empty) this.#choirs.delete(target)
      else this.#choirs.set(target, chorus)
    }
  }

  #judge(track: Track, seen: Seen, at: Moment, turns: Turn[]): void {
    const { usual, claims } = track
    const found = this.#find(track, seen, at)
    const troubled = found.some(({ word }) => word === 'stuck' || word === 'stressed')
    for (const finding of found) this.#claim(track, finding, turns)
    for (const [kind, claim] of claims) {
      if (found.some((finding) => finding.kind === kind)) continue
      claim.missed += 1
      claim.held = 0
      const worse = kind !== 'black-hole' && claims.get('black-hole')?.said
      if (claim.said && claim.missed < CALM && !worse) continue
      claims.delete(kind)
      if (claim.said) turns.push(this.#turn(track, claim.finding, false))
    }
    usual.learn(seen, !troubled && at.settled)
  }

  /** What is stuck is slow, full and failing too; the worst word is said, and said once. */
  #find(track: Track, seen: Seen, { nowMs, second }: Moment): Finding[] {
    const { edge, usual, claims, firstSeenMs } = track
    const stuck = blackHole(usual, seen)
    const stressed = [
      failing(usual),
      strain(usual, seen),
      crowd(usual, seen),
      this.#choirs.get(edge.target)?.finding(edge.source, edge.target),
    ]
    const found = [
      ...(stuck || claims.get('black-hole')?.said ? [stuck] : stressed),
      // Of an edge that went quiet as a node did nobody knows which of the two it was.
      second - usual.quietS > this.#droppedS + SPAN_S
        ? silentEdge(usual, seen)
        : claims.get('silent-edge')?.finding,
      newEdge(firstSeenMs, this.#learntMs, nowMs),
    ]
    return found.filter((finding) => finding !== undefined)
  }

  #claim(track: Track, finding: Finding, turns: Turn[]): void {
    const known = track.claims.get(finding.kind)
    const claim = known ?? { finding, held: 0, missed: 0, said: false }
    track.claims.set(finding.kind, claim)
    claim.finding = finding
    claim.held += 1
    claim.missed = 0
    if (claim.said || claim.held < HOLD[finding.kind]) return
    claim.said = true
    turns.push(this.#turn(track, finding, true))
  }

  #turn({ edge }: Track, finding: Finding, began: boolean): Turn {
    const into = { endedPerSecond: 0, inFlight: 0, bytesInPerSecond: 0 }
    for (const { edge: each, usual } of this.#tracks.values()) {
      if (each.target !== edge.target) continue
      into.endedPerSecond += usual.ended
      into.inFlight += usual.inFlight
      into.bytesInPerSecond += usual.bytesIn
    }
    const suggestion = suggestionFor(finding, edge.source, edge.target, into)
    return { began, edge, finding, suggestion }
  }

  #forget(key: string, track: Track, turns: Turn[]): void {
    this.#tracks.delete(key)
    for (const { said, finding } of track.claims.values()) {
      if (said) turns.push(this.#turn(track, finding, false))
    }
  }
}
