/** A list of things with a heading that says how whole and how old it is. */
import type { Invocation } from './invocation.ts'
import { print } from './output.ts'
import { toned } from './printable.ts'
import { type Column, table } from './table.ts'

export interface Listing<T> {
  /** 'EdgeList' in JSON. */
  readonly kind: string
  /** Printable; it stands above the table. */
  readonly heading: string
  readonly columns: readonly Column<T>[]
  readonly items: readonly T[]
  /** What is said instead of a table without rows. */
  readonly none: string
  id(item: T): string
  /** Joins `items` in JSON: freshness and the like. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Below the table: what was left out. */
  readonly rest?: string
  /** In the table only so many are shown. */
  readonly shown?: readonly T[]
}

export function list<T>(run: Invocation, listing: Listing<T>): void {
  const { items, shown = items } = listing
  print(run, {
    kind: listing.kind,
    body: { ...listing.body, items },
    ids: items.map((item) => listing.id(item)),
    table: () => {
      const rest = listing.rest ? `${toned('faint', listing.rest)}\n` : ''
      const body = items.length === 0 ? `${listing.none}\n` : table(listing.columns, shown)
      return `${toned('faint', listing.heading)}\n${body}${rest}`
    },
  })
}

const LIMIT_MAX = 100_000

/** `-n`; a whole number of rows. */
export function readLimit(text: string, complain: (what: string) => Error): number {
  const limit = Number(text)
  if (/^\d+$/.test(text) && limit >= 1 && limit <= LIMIT_MAX) return limit
  throw complain(`-n: '${text}' is not a whole number from 1 to ${LIMIT_MAX}`)
}
