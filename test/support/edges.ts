/** What `airspace get edges -o json` says of an edge, in numbers. */
import type { Fleet } from './fleet.ts'

export interface EdgeSums {
  started: number
  succeeded: number
  failed: number
  ignored: number
  refused: number
  connections: number
  readonly protocols: string[]
}

const names = ['started', 'succeeded', 'failed', 'ignored', 'refused', 'connections'] as const

type Thing = { readonly [name: string]: unknown }

/** The counts of all rows of an edge over the last quarter of an hour, added up. */
export async function edgeSums(fleet: Fleet, edge: string): Promise<EdgeSums> {
  const said = (await fleet.airspaceJson('get', 'edges', edge, '--window', '15m')) as Thing
  const sums: EdgeSums = {
    started: 0,
    succeeded: 0,
    failed: 0,
    ignored: 0,
    refused: 0,
    connections: 0,
    protocols: [],
  }
  for (const row of said['items'] as Thing[]) {
    for (const name of names) sums[name] += Number(row[name])
    sums.protocols.push(String(row['protocol']))
  }
  return sums
}
