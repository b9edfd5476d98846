/**
 * What each limit of the fleet meets at this node: shares move by it. A share that was lowered is
 * free for others only when what is in flight has come under it, so that is said the moment it is
 * so, and not a second later.
 */
import { create } from '@bufbuild/protobuf'
import type { Cells } from '../policies/cells.ts'
import { useOf } from '../policies/tend.ts'
import { type Demand, DemandSchema } from '../wire/gen/airspace_pb.ts'
import type { Enforcement } from './enforce.ts'
import { POLICY } from './meter.ts'
import type { PolicyTotal } from './window.ts'

/** How often it is looked whether a lowered share has been reached, and for how long. */
const WATCH_STEP_MS = 10
const WATCH_MAX_MS = 2_000

interface Met {
  wanted: number
  refused: number
}

export class DemandMeter {
  readonly #enforcement: Enforcement
  readonly #cells: Cells
  readonly #say: (demand: Demand) => void
  #met = new Map<string, Met>() // since it was last said
  #watch: NodeJS.Timeout | undefined

  constructor(enforcement: Enforcement, cells: Cells, say: (demand: Demand) => void) {
    this.#enforcement = enforcement
    this.#cells = cells
    this.#say = say
  }

  /** Counts what the last window brought, and says it. */
  tick(policies: Iterable<PolicyTotal>): void {
    for (const { id, latest } of policies) {
      const matched = latest[POLICY.matched]!
      if (matched === 0) continue
      const met = this.#met.get(id) ?? { wanted: 0, refused: 0 }
      met.wanted += matched
      met.refused += latest[POLICY.refused]! + latest[POLICY.wouldRefuse]!
      this.#met.set(id, met)
    }
    // Under what is not yet enforced everywhere is not under it.
    if (this.#enforcement.taking) return
    this.#say(this.#read(this.#met))
    this.#met = new Map()
  }

  /** A plan was taken: says so at once where every share is reached, else as soon as it is. */
  taken(): void {
    clearTimeout(this.#watch)
    this.#look(WATCH_MAX_MS / WATCH_STEP_MS)
  }

  stop(): void {
    clearTimeout(this.#watch)
  }

  #look(left: number): void {
    if (this.#enforcement.taking) return // its own end looks again
    // What was met since the last second is said at its end: this is about `under` alone.
    const demand = this.#read(new Map())
    if (demand.intents.length === 0) return
    if (demand.intents.every(({ under }) => under)) this.#say(demand)
    else if (left > 0) {
      this.#watch = setTimeout(() => this.#look(left - 1), WATCH_STEP_MS)
      this.#watch.unref()
    }
  }

  #read(met: ReadonlyMap<string, Met>): Demand {
    const { holdings, bindings } = this.#enforcement
    const uses = new Map(useOf(this.#cells, bindings).map((use) => [use.id, use]))
    const { revision, edition } = holdings.name
    const intents = holdings.shares().map(({ id }) => {
      const use = uses.get(id)
      const { wanted, refused } = met.get(id) ?? { wanted: 0, refused: 0 }
      // What has ended here holds nothing of its share.
      return { id, inFlight: use?.inFlight ?? 0, under: use?.under ?? true, wanted, refused }
    })
    return create(DemandSchema, {
      revision: BigInt(revision),
      edition: BigInt(edition),
      intents,
    })
  }
}
