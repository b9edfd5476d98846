/**
 * What the control plane knows of the landscape, at a moment, over a stretch: the same numbers that
 * `airspace get edges` shows, with how whole and how old they are.
 */
import type { Service } from '../../landscape/service.ts'
import { readSet } from '../../landscape/service-set.ts'
import type { Event, PatternView } from '../../wire/gen/airspace_pb.ts'
import type { Control } from '../client.ts'
import { freshnessWords, isWhole } from '../freshness.ts'
import { type EdgeRow, edgeRows } from '../view/edges.ts'
import { roleOf, roster } from './roster.ts'

/** Sums over several edges. */
export interface Total {
  readonly edges: number
  readonly perSecond: number
  readonly donePerSecond: number
  readonly refusedPerSecond: number
  readonly bytesPerSecond: number
  readonly inFlight: number
}

export class Glance {
  readonly rows: readonly EdgeRow[]
  readonly seconds: number
  readonly whole: boolean
  /** '2/2 nodes, 0.8 s old' */
  readonly freshness: string

  constructor(rows: readonly EdgeRow[], seconds: number, whole: boolean, freshness: string) {
    this.rows = rows
    this.seconds = seconds
    this.whole = whole
    this.freshness = freshness
  }

  edge(source: string, target: string): EdgeRow | undefined {
    return this.rows.find((row) => row.source === source && row.target === target)
  }

  into(target: string): Total {
    return this.#total(this.rows.filter((row) => row.target === target))
  }

  all(): Total {
    return this.#total(this.rows)
  }

  #total(rows: readonly EdgeRow[]): Total {
    const sum = (of: (row: EdgeRow) => number): number => rows.reduce((at, row) => at + of(row), 0)
    return {
      edges: rows.length,
      perSecond: sum((row) => row.requestsPerSecond),
      donePerSecond: sum((row) => row.succeeded) / this.seconds,
      refusedPerSecond: sum((row) => row.refused) / this.seconds,
      bytesPerSecond: sum((row) => row.bytesInPerSecond),
      inFlight: sum((row) => row.inFlight),
    }
  }
}

export class Sight {
  readonly #control: Control

  constructor(control: Control) {
    this.#control = control
  }

  async look(windowMs: number): Promise<Glance> {
    const seen = await this.#control.ask('getEdges', { from: '*', to: '*', windowMs })
    const seconds = (seen.toUnixMs - seen.fromUnixMs) / 1e3
    const { freshness } = seen
    return new Glance(edgeRows(seen), seconds, isWhole(freshness), freshnessWords(freshness))
  }

  async events(sinceUnixMs: number): Promise<readonly Event[]> {
    return (await this.#control.ask('getEvents', { sinceUnixMs, limit: 50 })).events
  }

  /** What is enforced on edges into a target, by whoever applied it. */
  async patternsInto(target: string): Promise<readonly PatternView[]> {
    const { patterns } = await this.#control.ask('getPatterns', {})
    return patterns.filter((view) => covers(view, target))
  }
}

const serviceOf = (name: string): Service => ({ name, labels: roleOf(name).labels, known: true })

function covers({ intent, state }: PatternView, target: string): boolean {
  if (!intent || state === 'ended') return false
  const from = readSet(intent.from)
  const callers = roster.filter(({ name, calls, logs }) => {
    const called = logs && target === 'logbroker' ? [target] : Object.values(calls).flat()
    return called.includes(target) && from.has(serviceOf(name))
  })
  return readSet(intent.to).has(serviceOf(target)) && callers.length > 0
}
