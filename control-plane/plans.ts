/**
 * Plans on their way to nodes. Each goes whole, to all at once; where nodes hold the same shares it
 * is encoded once. A stream that takes no more is sent nothing until it drains, and then only the
 * newest: plans never queue. Every 15 s each node is told the digest of what it should have.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { digestOf, type HoldingText, type PlanText } from '../policies/plan.ts'
import type { Shares } from '../policies/ramp.ts'
import { planToWire } from '../wire/codec.ts'
import { MESSAGE_BYTES_MAX } from '../wire/contract.ts'
import { DigestSchema, ToNodeSchema } from '../wire/gen/airspace_pb.ts'
import type { Process } from './fleet.ts'
import type { Standing } from './ledger.ts'

export const DIGEST_MS = 15_000
/** Room is left for the shares, which differ by node. */
export const PLAN_BYTES_MAX = Math.floor(MESSAGE_BYTES_MAX * 0.9)

/** The half of a stream that plans go down. */
export interface Outlet {
  /** False when it takes no more for now; it says `drained` when it does again. */
  write(message: Buffer): boolean
}

/** What plans are made of. */
export interface Wanted {
  readonly ledger: string
  readonly revision: number
  standings(): readonly Standing[]
  /** The shares of one holder, by intent; intents that are not shared are left out. */
  sharesOf(key: string): ReadonlyMap<string, Shares>
}

interface Link {
  readonly process: Process
  readonly outlet: Outlet
  blocked: boolean
  /** Something newer waits for it to drain. */
  behind: boolean
  digest: string
  /** The shares it was sent last, as text. */
  shares: string
}

export class Plans {
  readonly #wanted: Wanted
  readonly #links = new Map<string, Link>()
  /** Counts up with every change of revision or shares, over restarts too. */
  readonly #nextEdition: () => number
  #edition: number
  #bytes = 0

  constructor(wanted: Wanted, edition: () => number) {
    this.#wanted = wanted
    this.#nextEdition = edition
    this.#edition = edition()
  }

  /** The edition of the plans that are out. */
  get edition(): number {
    return this.#edition
  }

  /** What a plan takes on the wire, without shares. */
  get bytes(): number {
    return this.#bytes
  }

  get links(): number {
    return this.#links.size
  }

  add(process: Process, outlet: Outlet): void {
    const link = { process, outlet, blocked: false, behind: false, digest: '', shares: '' }
    this.#links.set(process.key, link)
  }

  /** False when another stream has taken this one's place meanwhile. */
  remove(process: Process, outlet: Outlet): boolean {
    if (this.#links.get(process.key)?.outlet !== outlet) return false
    return this.#links.delete(process.key)
  }

  /** To all whose plan is another now; `all` when the revision or what is held has changed. */
  push(nowMs: number, all: boolean): void {
    this.#edition = this.#nextEdition()
    const round = this.#round(nowMs)
    for (const link of this.#links.values()) this.#send(link, round, all)
  }

  /** To one, whatever it has: it has just come. */
  pushTo(process: Process, nowMs: number): void {
    const link = this.#links.get(process.key)
    if (link) this.#send(link, this.#round(nowMs), true)
  }

  drained(process: Process, nowMs: number): void {
    const link = this.#links.get(process.key)
    if (!link) return
    link.blocked = false
    if (link.behind) this.#send(link, this.#round(nowMs), true)
  }

  /** Tells each what it should have; a node that differs says hello again. */
  remind(): void {
    const { ledger } = this.#wanted
    for (const { process, outlet, digest, blocked } of this.#links.values()) {
      if (blocked || digest === '') continue
      const { revision, edition } = process.desired
      const message = create(ToNodeSchema, {
        message: {
          case: 'digest',
          value: create(DigestSchema, {
            ...{ ledger, digest, revision: BigInt(revision), edition: BigInt(edition) },
          }),
        },
      })
      outlet.write(Buffer.from(toBinary(ToNodeSchema, message)))
    }
  }

  /** The holdings as of now, without shares, and what was encoded of them so far. */
  #round(nowMs: number): Round {
    const holdings = this.#wanted.standings().map((standing) => holdingOf(standing, nowMs))
    const { ledger, revision } = this.#wanted
    const edition = this.#edition
    const digest = digestOf({ revision, edition, holdings })
    return { plan: { ledger, revision, edition, holdings, digest }, encoded: new Map() }
  }

  #send(link: Link, round: Round, all: boolean): void {
    const { process, outlet } = link
    const shares = this.#wanted.sharesOf(process.key)
    const signature = JSON.stringify([...shares])
    if (!all && !link.behind && signature === link.shares) return
    if (link.blocked) {
      link.behind = true
      return
    }
    let bytes = round.encoded.get(signature)
    if (bytes === undefined) {
      bytes = encodePlan(round.plan, shares)
      round.encoded.set(signature, bytes)
      this.#bytes = bytes.length
    }
    const { revision, edition, digest } = round.plan
    Object.assign(link, { behind: false, shares: signature, digest })
    process.desired = { revision, edition }
    link.blocked = !outlet.write(bytes)
  }
}

interface Round {
  readonly plan: PlanText
  /** By the shares in it. */
  readonly encoded: Map<string, Buffer>
}

function holdingOf(standing: Standing, nowMs: number): HoldingText {
  const { intent, version, untilMs, state, endingMs } = standing
  const releasing = state === 'releasing' ? { releasingMs: Math.max(0, nowMs - endingMs) } : {}
  return { intent, version, remainingMs: Math.max(0, untilMs - nowMs), shares: {}, ...releasing }
}

function encodePlan(plan: PlanText, shares: ReadonlyMap<string, Shares>): Buffer {
  const holdings = plan.holdings.map((holding) => {
    const part = shares.get(holding.intent.id)
    return part ? { ...holding, shares: part } : holding
  })
  const value = planToWire({ ...plan, holdings })
  return Buffer.from(
    toBinary(ToNodeSchema, create(ToNodeSchema, { message: { case: 'plan', value } })),
  )
}
