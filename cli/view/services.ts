/** A service: what it is called, where it lives, and how many talk with it. */
import type { ServiceView } from '../../wire/gen/airspace_pb.ts'
import type { Column } from '../table.ts'
import { count } from '../words.ts'

export interface ServiceRow {
  readonly name: string
  readonly known: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly addresses: readonly string[]
  readonly calledBy: number
  readonly calls: number
}

export const serviceRow = (view: ServiceView): ServiceRow => ({
  name: view.name,
  known: view.known,
  labels: view.labels,
  addresses: view.addresses,
  calledBy: view.calledBy,
  calls: view.calls,
})

export const labelsText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')

export const SERVICE_COLUMNS: readonly Column<ServiceRow>[] = [
  { title: 'SERVICE', cell: (row) => row.name },
  { title: 'CALLED BY', align: 'right', cell: (row) => count(row.calledBy) },
  { title: 'CALLS', align: 'right', cell: (row) => count(row.calls) },
  { title: 'LABELS', cell: (row) => labelsText(row.labels) },
  { title: 'ADDRESSES', cell: (row) => row.addresses.join(' ') },
  {
    title: 'DIRECTORY',
    cell: (row) => (row.known ? 'known' : 'unknown'),
    tone: (row) => (row.known ? undefined : 'warn'),
  },
]
