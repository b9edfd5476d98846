/**
 * A policy is an intent at work on one edge: pattern, settings and cells. `Policies` is a worker's
 * view of a plan, compiled edge by edge on first use. What is in the cells outlives plans: rows
 * are found by key, so that changing a limit forgets no call in flight, and changing one intent
 * leaves the cells of every other untouched.
 */
import type { Edge } from '../landscape/edge.ts'
import type { Service } from '../landscape/service.ts'
import { orderOf } from './catalog.ts'
import type { Cells } from './cells.ts'
import { covers, GRACE_MS, type Intent, inOrder } from './intent.ts'
import type { Existing, Pattern, Side } from './pattern.ts'
import type { BoundIntent } from './plan.ts'
import type { Row } from './row.ts'
import type { Fields, SettingsOf } from './settings.ts'

/** Beyond this many edges the compiled lists are dropped and made again when asked for. */
export const COMPILED_MAX = 50_000

export class Policy {
  readonly id: string
  readonly edge: Edge
  readonly pattern: Pattern
  readonly side: Side
  /** Applied but only counted: never obeyed, and with cells of its own. */
  readonly observed: boolean
  readonly state: unknown
  readonly key: string
  readonly #row: Row
  readonly #own: Row
  intent: Intent
  settings: SettingsOf<Fields>
  percent: number
  /** Where a worker counts what it does; the meter's, kept here so that it is found at once. */
  meterRow = -1

  constructor(bound: BoundIntent, edge: Edge, side: Side, row: Row, own: Row) {
    const { intent } = bound
    this.id = intent.id
    this.edge = edge
    this.pattern = intent.pattern
    this.side = side
    this.observed = intent.mode === 'observe'
    this.key = policyKey(intent)
    this.#row = row
    this.#own = own
    this.state = intent.pattern.cells(row, side, own)
    this.intent = intent
    this.settings = bound.settings
    this.percent = bound.percent
  }

  /** Whether its cells are still its own: a row is taken back only when nothing is in flight. */
  get alive(): boolean {
    return this.#row.alive
  }

  /** Whether it may be asked again under a new plan: its source's row is still its own too. */
  get reusable(): boolean {
    return this.#row.alive && this.#own.alive
  }

  /** Whether it is about a call: the same calls for as long as the percentage stays or grows. */
  picks(chance: number): boolean {
    return chance * 100 < this.percent
  }

  /** It refuses all it picks, so exchanges under way are ended as `existing` says. */
  get severs(): boolean {
    return this.pattern.severs?.(this.settings) ?? false
  }

  get existing(): Existing {
    return this.intent.existing
  }

  get graceMs(): number {
    return this.intent.graceMs ?? this.pattern.graceMs?.(this.side) ?? GRACE_MS
  }
}

/** What rows of a policy are found by, whatever its revision. Observe has cells of its own. */
export const policyKey = ({ id, mode, pattern, per }: Intent): string =>
  [id, mode, pattern.kind, per].join('\u0000')

/** Which of the policy's rows an edge shares. */
function scopeOf({ per }: Intent, { source, target, key }: Edge): string {
  switch (per) {
    case 'edge':
      return key
    case 'source':
      return source
    case 'target':
      return target
    default:
      return ''
  }
}

/** Knows the services by name, with their labels; a directory does. */
export interface Names {
  byName(name: string): Service
}

export class Policies {
  readonly #cells: Cells
  #names: Names
  #bound: readonly BoundIntent[] = []
  #compiled = new Map<string, readonly Policy[]>()
  #before = new Map<string, readonly Policy[]>() // of the plan before, for what is still there
  /** Changes whenever what `on` gives may have changed. */
  epoch = 0

  constructor(cells: Cells, names: Names) {
    this.#cells = cells
    this.#names = names
  }

  /** Takes a plan; its order among patterns is the catalog's. */
  apply(epoch: number, bound: readonly BoundIntent[]): void {
    this.epoch = epoch
    this.#bound = inOrder(bound)
    this.#forget()
  }

  /** A new directory may give services other labels, hence other policies. */
  rename(names: Names): void {
    this.#names = names
    this.#forget()
  }

  get intents(): readonly BoundIntent[] {
    return this.#bound
  }

  /** The policies on an edge, in the order in which they are asked. */
  on(edge: Edge): readonly Policy[] {
    const known = this.#compiled.get(edge.key)
    if (known !== undefined) return known
    if (this.#compiled.size >= COMPILED_MAX) this.#forget()
    const policies = this.#compile(edge)
    this.#compiled.set(edge.key, policies)
    return policies
  }

  #compile(edge: Edge): readonly Policy[] {
    if (this.#bound.length === 0) return NONE
    const source = this.#names.byName(edge.source)
    const target = this.#names.byName(edge.target)
    const before = this.#before.get(edge.key) ?? NONE
    const policies: Policy[] = []
    for (const bound of this.#bound) {
      const side = covers(bound.intent, source, target)
      if (side !== undefined) policies.push(this.#policyFor(bound, edge, side, before))
    }
    return policies
  }

  #policyFor(bound: BoundIntent, edge: Edge, side: Side, before: readonly Policy[]): Policy {
    const { intent } = bound
    const key = policyKey(intent)
    const known = before.find((policy) => policy.key === key && policy.side === side)
    if (known?.reusable) {
      known.intent = intent
      known.settings = bound.settings
      known.percent = bound.percent
      return known
    }
    const kind = orderOf(intent.pattern)
    const scope = scopeOf(intent, edge)
    const row = this.#cells.row(key, scope, '', kind)
    const { apart } = intent.pattern
    const own = apart === undefined ? row : this.#cells.row(key, scope, edge[apart], kind)
    return new Policy(bound, edge, side, row, own)
  }

  #forget(): void {
    if (this.#compiled.size > 0) this.#before = this.#compiled
    this.#compiled = new Map()
  }
}

const NONE: readonly Policy[] = []
