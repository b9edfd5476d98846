/**
 * The node's side of the control stream. It says who it is and what it holds, takes plans whole or
 * refuses them whole with a path and a reason, and says hello again when a digest shows that the
 * two of them differ. Of plans that arrive while one is being taken only the newest is.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type Plan, readPlan } from '../policies/plan.ts'
import { SettingError } from '../policies/settings.ts'
import type { Log } from '../runtime/log.ts'
import { planFromWire, WireError } from '../wire/codec.ts'
import {
  type Demand,
  type Digest,
  FromNodeSchema,
  type HelloSchema,
  type Plan as PlanMessage,
  type Rehearsal,
  type Rehearse,
  type ToNode,
} from '../wire/gen/airspace_pb.ts'
import { nameOf, type PlanName } from './holdings.ts'
import type { FollowStream } from './link.ts'

/** A rehearsal reads every worker's ring: one at a time, and so many may wait their turn. */
const REHEARSALS_MAX = 8

export interface Complaint {
  readonly path: string
  readonly reason: string
}

/** What the stream asks of the rest of the proxy. */
export interface Desk {
  hello(): MessageInitShape<typeof HelloSchema>
  held(): PlanName
  /** Resolves when every worker and the disk have it, or with why not. */
  take(plan: Plan): Promise<Complaint | undefined>
  directory(version: string, yaml: string): void
  rehearse(request: Rehearse): Promise<Rehearsal>
}

type Said = NonNullable<MessageInitShape<typeof FromNodeSchema>['message']>

/** Whether a plan is from before what is held. Another ledger is another truth, never older. */
export function isOlder(plan: PlanName, held: PlanName): boolean {
  if (plan.ledger !== held.ledger) return false
  if (plan.revision !== held.revision) return plan.revision < held.revision
  return plan.edition < held.edition
}

const isSame = (one: PlanName, other: PlanName): boolean =>
  one.ledger === other.ledger &&
  one.revision === other.revision &&
  one.edition === other.edition &&
  one.digest === other.digest

export class Follower {
  readonly #desk: Desk
  readonly #log: Log
  readonly #nowMs: () => number
  #stream: FollowStream | undefined
  #next: { plan: PlanMessage; atMs: number } | undefined
  #taking = false
  #refused: PlanName | undefined // said once a plan, not with every digest
  #rehearsals = 0
  #rehearsed: Promise<void> = Promise.resolve()

  constructor(desk: Desk, nowMs: () => number, log: Log) {
    this.#desk = desk
    this.#nowMs = nowMs
    this.#log = log
  }

  attach(stream: FollowStream): void {
    this.#stream = stream
    this.#refused = undefined
    stream.on('data', (message: ToNode) => {
      if (stream === this.#stream) this.#heard(message)
    })
    this.#hello()
  }

  detach(): void {
    this.#stream = undefined
  }

  /** Demand is of the moment: while the stream is full it is skipped, never queued. */
  demand(value: Demand): void {
    if (!this.#stream?.writableNeedDrain) this.#say({ case: 'demand', value })
  }

  goodbye(): void {
    this.#say({ case: 'goodbye', value: {} })
  }

  #say(message: Said): void {
    this.#stream?.write(create(FromNodeSchema, { message }))
  }

  #hello(): void {
    this.#say({ case: 'hello', value: this.#desk.hello() })
  }

  #heard({ message }: ToNode): void {
    if (message.case === 'plan') {
      this.#next = { plan: message.value, atMs: this.#nowMs() }
      this.#work().catch((error) => {
        // A mistake of ours while taking a plan: the data path goes on with what it has.
        this.#taking = false
        this.#log.error('a plan was not taken', { error })
      })
    } else if (message.case === 'digest') this.#compare(message.value)
    else if (message.case === 'directory') {
      this.#desk.directory(message.value.version, message.value.yaml)
    } else if (message.case === 'rehearse') this.#rehearse(message.value)
  }

  async #work(): Promise<void> {
    if (this.#taking) return
    this.#taking = true
    for (let next = this.#next; next; next = this.#next) {
      this.#next = undefined
      await this.#take(next.plan, next.atMs)
    }
    this.#taking = false
  }

  async #take(message: PlanMessage, atMs: number): Promise<void> {
    const { revision, edition } = message
    const plan = readWhole(message)
    const name = namedBy(message)
    if ('reason' in plan) return this.refuse(name, plan)
    const held = this.#desk.held()
    if (isOlder(plan, held)) {
      this.#log.info('an older plan changes nothing', { revision: plan.revision })
      return
    }
    if (held.ledger !== '' && plan.ledger !== held.ledger) {
      this.#log.warn('another ledger is the truth now', { was: held.ledger, is: plan.ledger })
    }
    const complaint = isSame(plan, held) ? undefined : await this.#desk.take(plan)
    if (complaint) return this.refuse(name, complaint)
    this.#refused = undefined
    this.#say({ case: 'ack', value: { revision, edition, tookMs: this.#nowMs() - atMs } })
  }

  /** Also afterwards, of a plan that was acknowledged and then given back. */
  refuse(name: PlanName, { path, reason }: Complaint): void {
    this.#refused = name
    this.#log.error('a plan is refused', { revision: name.revision, path, reason })
    const [revision, edition] = [BigInt(name.revision), BigInt(name.edition)]
    this.#say({ case: 'nack', value: { revision, edition, path, reason } })
  }

  #compare(digest: Digest): void {
    const theirs = namedBy(digest)
    if (this.#taking || isSame(theirs, this.#desk.held())) return
    if (this.#refused && isSame(theirs, this.#refused)) return
    this.#hello()
  }

  #rehearse(request: Rehearse): void {
    const stream = this.#stream
    const answer = (message: Said) => {
      if (stream === this.#stream) this.#say(message)
    }
    const cannot = (error: unknown) => {
      const said = error instanceof Error ? error.message : String(error)
      answer({ case: 'rehearsal', value: { id: request.id, error: said } })
    }
    if (this.#rehearsals >= REHEARSALS_MAX) {
      cannot(`${REHEARSALS_MAX} what-ifs are waiting on this node; ask again`)
      return
    }
    this.#rehearsals += 1
    this.#rehearsed = this.#rehearsed
      .then(() => this.#desk.rehearse(request))
      .then((value) => answer({ case: 'rehearsal', value }), cannot)
      .finally(() => {
        this.#rehearsals -= 1
      })
  }
}

const namedBy = ({ ledger, revision, edition, digest }: PlanMessage | Digest): PlanName =>
  nameOf({ ledger, revision: Number(revision), edition: Number(edition), digest })

/** All of it or a complaint: nothing of a plan is used before all of it has been read. */
function readWhole(plan: PlanMessage): Plan | Complaint {
  try {
    return readPlan(planFromWire(plan))
  } catch (error) {
    if (error instanceof WireError) return { path: error.path, reason: error.reason }
    if (error instanceof SettingError) {
      const { path, message } = error
      return {
        path,
        reason: message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message,
      }
    }
    throw error
  }
}
