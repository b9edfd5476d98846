/** What-if: every node that follows is asked at once, and what comes in time is what there is. */
import { create, toBinary } from '@bufbuild/protobuf'
import type { Shares } from '../policies/ramp.ts'
import {
  type Intent,
  type NodeRehearsal,
  NodeRehearsalSchema,
  type Rehearsal,
  RehearseSchema,
  ToNodeSchema,
} from '../wire/gen/airspace_pb.ts'
import type { Process } from './fleet.ts'
import type { Outlet } from './plans.ts'

/** How long an operator waits for a what-if. */
export const REHEARSE_MS = 2_000
/** What-ifs under way at once. */
export const REHEARSALS_MAX = 16

interface Asked {
  readonly waiting: Map<string, string>
  readonly answers: NodeRehearsal[]
  readonly done: () => void
}

export interface Asking {
  readonly intent: Intent
  /** The part of its limits that each would have. */
  readonly shares: Shares
  readonly outlets: ReadonlyMap<Process, Outlet>
}

export class Rehearsals {
  readonly #asked = new Map<string, Asked>()
  #count = 0

  get full(): boolean {
    return this.#asked.size >= REHEARSALS_MAX
  }

  async ask({ intent, shares, outlets }: Asking, waitMs = REHEARSE_MS): Promise<NodeRehearsal[]> {
    this.#count += 1
    const id = `wi-${this.#count}`
    const value = create(RehearseSchema, { id, intent, shares: { ...shares } })
    const message = create(ToNodeSchema, { message: { case: 'rehearse', value } })
    const bytes = Buffer.from(toBinary(ToNodeSchema, message))
    const answers: NodeRehearsal[] = []
    if (outlets.size === 0) return answers
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      const done = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const waiting = new Map([...outlets.keys()].map(({ key, node }) => [key, node]))
      this.#asked.set(id, { waiting, answers, done })
      for (const outlet of outlets.values()) outlet.write(bytes)
    })
    this.#asked.delete(id)
    return answers
  }

  /** An answer that comes late, twice or unasked is left out. */
  answered({ key, node }: Process, rehearsal: Rehearsal): void {
    const asked = this.#asked.get(rehearsal.id)
    if (!asked?.waiting.delete(key)) return
    asked.answers.push(create(NodeRehearsalSchema, { node, rehearsal }))
    if (asked.waiting.size === 0) asked.done()
  }

  /** It will not answer any more. */
  gone({ key }: Process): void {
    for (const asked of this.#asked.values()) {
      if (asked.waiting.delete(key) && asked.waiting.size === 0) asked.done()
    }
  }
}
