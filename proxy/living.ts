/** What is under way in a worker at this moment: for a dry run, to say what would be cut. */
import type { Route } from './identify.ts'
import type { Connection } from './surroundings.ts'
import type { EdgeName, Living } from './thread.ts'

export const LIVING_MAX = 20_000

export function livingOf(id: number, connections: Set<Connection>, nowMs: number): Living {
  const edges: EdgeName[] = []
  const indexes = new Map<Route, number>()
  const edge = new Uint32Array(Math.min(connections.size, LIVING_MAX))
  const ageMs = new Float64Array(edge.length)
  const form = new Uint8Array(edge.length)
  let listed = 0
  let unlisted = 0
  for (const { exchange } of connections) {
    if (exchange?.state !== 'running') continue
    if (listed >= edge.length) {
      unlisted += 1
      continue
    }
    let index = indexes.get(exchange.route)
    if (index === undefined) {
      index = edges.push({ source: exchange.edge.source, target: exchange.edge.target }) - 1
      indexes.set(exchange.route, index)
    }
    edge[listed] = index
    ageMs[listed] = nowMs - exchange.admittedMs
    form[listed] = exchange.form === 'connection' ? 1 : 0
    listed += 1
  }
  return {
    type: 'living',
    id,
    edges,
    edge: edge.slice(0, listed),
    ageMs: ageMs.slice(0, listed),
    form: form.slice(0, listed),
    unlisted,
  }
}
