/**
 * Columns of text. Every cell is made printable here, whoever wrote it, so a table cannot be made
 * to lie by a name: one item is one line.
 */
import { fitted, NAME_COLUMNS_MAX, printable, type Tone, toned, width } from './printable.ts'

export interface Column<T> {
  readonly title: string
  readonly align?: 'right'
  cell(item: T): string
  tone?(item: T): Tone | undefined
  /** Cells are cut to this many columns. */
  readonly widest?: number
}

const GAP = '  '

/** Lines of a table, the first one its titles; without items, nothing. */
export function rows<T>(columns: readonly Column<T>[], items: readonly T[]): string[] {
  if (items.length === 0) return []
  const cells = items.map((item) =>
    columns.map((column) =>
      fitted(printable(column.cell(item)), column.widest ?? NAME_COLUMNS_MAX),
    ),
  )
  const widths = columns.map((column, i) =>
    Math.max(width(column.title), ...cells.map((row) => width(row[i]!))),
  )
  const padded = (text: string, i: number): string => {
    const space = ' '.repeat(widths[i]! - width(text))
    return columns[i]!.align === 'right' ? space + text : text + space
  }
  const titles = columns.map((column, i) => padded(column.title, i))
  const bodies = cells.map((row, r) =>
    row.map((text, i) => {
      return text === '' ? padded(text, i) : toned(columns[i]!.tone?.(items[r]!), padded(text, i))
    }),
  )
  return [titles, ...bodies].map((row) => row.join(GAP).trimEnd())
}

export const table = <T>(columns: readonly Column<T>[], items: readonly T[]): string =>
  rows(columns, items)
    .map((row) => `${row}\n`)
    .join('')

/** Name and value a line, as describe prints them. */
export function pairs(of: readonly (readonly [name: string, value: string])[]): string {
  const widest = Math.max(0, ...of.map(([name]) => width(name)))
  return of.map(([name, value]) => `  ${name.padEnd(widest)}  ${value}\n`).join('')
}
