/** Which intents an edge is under, and what of a new one an operator should be told beforehand. */
import type { Directory } from '../landscape/directory.ts'
import type { Edge } from '../landscape/edge.ts'
import type { Service } from '../landscape/service.ts'
import { covers, type Intent, readIntent } from '../policies/intent.ts'
import type { Ledger, Standing } from './ledger.ts'

/** Names in one warning; the rest is counted. */
const NAMED_MAX = 5
/** Edges whose intents are remembered. */
const EDGES_MAX = 50_000
/** Warnings of one request. */
const WARNINGS_MAX = 20

export class Coverage {
  readonly #ledger: Ledger
  readonly #directory: () => Directory
  readonly #edges: () => Iterable<Edge>
  /** Read once a version. */
  readonly #read = new Map<string, { readonly version: number; readonly intent: Intent }>()
  /** Worked out once an edge, until the ledger or the directory changes. */
  readonly #on = new Map<string, readonly string[]>()
  #turns = 0
  #asOf: Directory | undefined

  /** `edges` are those that were ever seen. */
  constructor(ledger: Ledger, directory: () => Directory, edges: () => Iterable<Edge>) {
    this.#ledger = ledger
    this.#directory = directory
    this.#edges = edges
  }

  intentOf({ id, version, intent }: Standing): Intent {
    const known = this.#read.get(id)
    if (known?.version === version) return known.intent
    const read = readIntent(intent)
    this.#read.set(id, { version, intent: read })
    return read
  }

  /** Intents that nodes do not hold any more need not be remembered. */
  forgetEnded(): void {
    for (const id of this.#read.keys()) {
      const state = this.#ledger.get(id)?.state
      if (state === undefined || state === 'ended') this.#read.delete(id)
    }
  }

  /** Ids of what is in force or releasing on an edge; asked for every edge each second. */
  on(edge: Edge): readonly string[] {
    const directory = this.#directory()
    const { turns } = this.#ledger
    const other = turns !== this.#turns || directory !== this.#asOf
    if (other || this.#on.size > EDGES_MAX) this.#on.clear()
    this.#turns = turns
    this.#asOf = directory
    const known = this.#on.get(edge.key)
    if (known) return known
    const [source, target] = [this.#service(edge.source), this.#service(edge.target)]
    const ids = this.#ledger
      .live()
      .filter((standing) => covers(this.intentOf(standing), source, target) !== undefined)
      .map(({ id }) => id)
    this.#on.set(edge.key, ids)
    return ids
  }

  /** Of an intent that is about to be; `except` is what it replaces. */
  warnings(intent: Intent, except = ''): string[] {
    return [...this.#unmatched(intent), ...this.#overlaps(intent, except)].slice(0, WARNINGS_MAX)
  }

  #service(name: string): Service {
    return this.#directory().byName(name)
  }

  /** All that have a name: in the directory, or seen. */
  services(): Service[] {
    const names = new Set(this.#directory().services.keys())
    for (const { source, target } of this.#edges()) names.add(source).add(target)
    return [...names].map((name) => this.#service(name))
  }

  *#unmatched({ from, to }: Intent): Iterable<string> {
    const services = this.services()
    for (const { text, has } of [from, to]) {
      if (text === '*') continue
      if (!services.some((service) => has(service))) yield `'${text}' matches no known service`
    }
  }

  *#overlaps(intent: Intent, except: string): Iterable<string> {
    const edges = [...this.#edges()]
    for (const standing of this.#ledger.live()) {
      if (standing.id === except || standing.state !== 'in force') continue
      const other = this.intentOf(standing)
      if (other.pattern !== intent.pattern) continue
      const both = edges.filter((edge) => this.#isOn(intent, edge) && this.#isOn(other, edge))
      if (both.length === 0) continue
      const named = both.slice(0, NAMED_MAX).map(({ key }) => key)
      const more = both.length > NAMED_MAX ? ` and ${both.length - NAMED_MAX} more` : ''
      const { kind } = other.pattern
      yield `${standing.id} is a ${kind} on ${named.join(', ')}${more} too: both apply`
    }
  }

  #isOn(intent: Intent, { source, target }: Edge): boolean {
    return covers(intent, this.#service(source), this.#service(target)) !== undefined
  }
}
