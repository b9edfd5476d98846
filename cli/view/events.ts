/** What was worth knowing: found by a detector, or told by a person. */
import type { Event } from '../../wire/gen/airspace_pb.ts'
import { iso } from '../output.ts'
import type { Column } from '../table.ts'
import { edgeName, timeOfDay } from '../words.ts'

export interface EventRow {
  readonly id: string
  readonly at: string | null
  readonly kind: string
  readonly source: string
  readonly target: string
  readonly text: string
  readonly suggestion: string
  readonly over: boolean
  readonly author: string
}

export const eventRow = (event: Event): EventRow => ({
  id: event.id,
  at: iso(event.atUnixMs),
  kind: event.kind,
  source: event.source,
  target: event.target,
  text: event.text,
  suggestion: event.suggestion,
  over: event.over,
  author: event.author,
})

const edgeOf = (row: EventRow): string => {
  if (row.source !== '' && row.target !== '') return edgeName(row.source, row.target)
  return row.source || row.target
}

export const eventColumns = (nowUnixMs: number): readonly Column<EventRow>[] => [
  { title: 'AT', cell: (row) => timeOfDay(row.at ? Date.parse(row.at) : 0, nowUnixMs) },
  {
    title: 'KIND',
    cell: (row) => row.kind,
    tone: (row) => (row.over || row.kind === 'marker' ? undefined : 'warn'),
  },
  { title: 'EDGE', cell: edgeOf },
  { title: 'WHAT', cell: (row) => row.text, widest: 80 },
  { title: 'NOW', cell: (row) => (row.over ? 'over' : '') },
  { title: 'TRY', cell: (row) => row.suggestion, widest: 80 },
]
