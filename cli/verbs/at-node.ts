/** The three verbs that a single node answers: `get edges`, `get patterns`, `release`. */
import type { Ends } from '../ends.ts'
import { misused } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { list } from '../listing.ts'
import { Node } from '../node.ts'
import { print } from '../output.ts'
import { line } from '../printable.ts'
import {
  between,
  NODE_EDGE_COLUMNS,
  NODE_PATTERN_COLUMNS,
  type NodeEdge,
  type NodePlan,
} from '../view/at-node.ts'
import { edgeWord } from '../words.ts'

export async function edgesAt(run: Invocation, address: string, ends: Ends): Promise<void> {
  const node = new Node(run, address)
  const { edges } = (await node.ask('GET', '/edges')) as { readonly edges: readonly NodeEdge[] }
  list(run, {
    kind: 'NodeEdgeList',
    heading: line`edges of the node at ${address} alone · counts since it started`,
    columns: NODE_EDGE_COLUMNS,
    items: between(edges, ends),
    none: 'it saw no such edge',
    id: (row) => edgeWord(row.source, row.target),
    body: { node: address },
  })
}

export async function patternsAt(run: Invocation, address: string): Promise<void> {
  const node = new Node(run, address)
  const plan = (await node.ask('GET', '/plan')) as NodePlan
  list(run, {
    kind: 'NodePatternList',
    heading: line`patterns of the node at ${address} alone · revision ${plan.revision}`,
    columns: NODE_PATTERN_COLUMNS,
    items: plan.patterns,
    none: 'nothing is in force on it',
    id: (row) => row.id,
    body: { node: address, revision: plan.revision },
  })
}

interface Released {
  readonly released: readonly string[]
}

/** At once: a ramp is for a fleet in order. */
export async function releaseAt(
  run: Invocation,
  address: string,
  ids: readonly string[],
  flags: { readonly all?: boolean; readonly edge?: string },
): Promise<void> {
  if (flags.edge !== undefined) {
    throw misused('--edge: at one node say ids or --all', 'airspace get patterns --at-node ...')
  }
  const node = new Node(run, address)
  const ends = flags.all === true ? [{ all: true }] : ids.map((id) => ({ id }))
  const done: string[] = []
  try {
    for (const end of ends) {
      const { released } = (await node.ask('POST', '/release', end)) as Released
      done.push(...released)
    }
  } finally {
    // Those before the one that failed are gone: that must be told.
    tell(run, address, done)
  }
}

function tell(run: Invocation, address: string, released: readonly string[]): void {
  const lines = released.map((id) => line`released ${id} at ${address} alone, at once\n`)
  print(run, {
    kind: 'NodeRelease',
    body: { node: address, released },
    ids: released,
    table: () => lines.join('') || line`nothing was released at ${address}\n`,
  })
  if (released.length === 0) return
  run.say('it stays released there until somebody changes it at the control plane\n')
}
