/** The ledger: how what is wanted came to be wanted. */
import type { Entry } from '../../wire/gen/airspace_pb.ts'
import { iso } from '../output.ts'
import type { Column } from '../table.ts'
import { timeOfDay } from '../words.ts'

export interface EntryRow {
  readonly revision: number
  readonly at: string | null
  readonly author: string
  readonly act: string
  readonly id: string
  readonly text: string
  readonly reason: string
}

export const entryRow = (entry: Entry): EntryRow => ({
  revision: Number(entry.revision),
  at: iso(entry.atUnixMs),
  author: entry.author,
  act: entry.act,
  id: entry.id,
  text: entry.text,
  reason: entry.reason,
})

export const entryColumns = (nowUnixMs: number): readonly Column<EntryRow>[] => [
  { title: 'REVISION', align: 'right', cell: (row) => String(row.revision) },
  { title: 'AT', cell: (row) => timeOfDay(row.at ? Date.parse(row.at) : 0, nowUnixMs) },
  { title: 'BY', cell: (row) => row.author },
  { title: 'ACT', cell: (row) => row.act },
  { title: 'ID', cell: (row) => row.id },
  { title: 'WHAT', cell: (row) => row.text, widest: 72 },
  { title: 'REASON', cell: (row) => row.reason, widest: 60 },
]
