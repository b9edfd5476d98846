/** What stands behind the admin port: this node's parts, asked from outside. */
import type { Cells } from '../policies/cells.ts'
import { useOf } from '../policies/tend.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Given, Misuse, type Office } from './admin.ts'
import type { WindowBuffer } from './buffer.ts'
import type { ProxyConfig } from './config.ts'
import type { Crew } from './crew.ts'
import type { Enforcement } from './enforce.ts'
import { type Facts, Metrics } from './metrics.ts'
import { showEdges, showPlan } from './show.ts'
import type { Windows } from './window.ts'

export interface OfficeOptions {
  readonly config: ProxyConfig
  readonly cells: Cells
  readonly clock: Clock
  readonly crew: Crew
  readonly enforcement: Enforcement
  readonly windows: Windows
  readonly buffer: WindowBuffer
  readonly isFollowing: () => boolean
  readonly isDraining: () => boolean
}

export function officeOf(options: OfficeOptions): Office {
  const { config, cells, clock, crew, enforcement, windows, isDraining } = options
  const metrics = new Metrics(windows, () => factsOf(options), enforcement.kindOf)
  const isReady = () => !isDraining() && crew.listening === config.workers
  const control = () =>
    config.control === undefined ? 'none' : options.isFollowing() ? 'following' : 'away'
  return {
    isReady,
    ready: () => ({
      ready: isReady(),
      node: config.node,
      draining: isDraining(),
      workers: config.workers,
      listening: crew.listening,
      control: control(),
      revision: enforcement.holdings.name.revision,
    }),
    plan: () => ({
      node: config.node,
      control: control(),
      ...showPlan(enforcement, useOf(cells, enforcement.bindings), clock.nowMs()),
    }),
    edges: () => ({ node: config.node, ...showEdges(windows, clock.nowMs()) }),
    metrics: () => metrics.read(),
    release: (id) => enforcement.release(id),
    fault: config.faults ? (asked) => fault(crew, config.workers, asked) : undefined,
  }
}

function factsOf({ cells, crew, enforcement, buffer, isFollowing }: OfficeOptions): Facts {
  const { revision, edition } = enforcement.holdings.name
  return {
    workersListening: crew.listening,
    workerDeaths: crew.deaths,
    windowsBuffered: buffer.size,
    windowsForgotten: buffer.forgotten,
    cellsUsed: cells.used,
    cellsOverflowed: cells.overflowed,
    revision,
    edition,
    planKept: enforcement.kept,
    following: isFollowing(),
  }
}

const FAULTS = ['throw', 'heap', 'terminate'] as const

/**
 * Ends a worker, for tests. Such a death is not held against the plan in force, unless asked to:
 * three faults in a row are to show that the others go on, not that a bulkhead is poison.
 */
function fault(crew: Crew, workers: number, { worker, how, blame }: Given): object {
  const which = FAULTS.find((one) => one === how)
  if (which === undefined) throw new Misuse(`how: is not one of ${FAULTS.join(', ')}`)
  if (typeof worker !== 'number' || !Number.isInteger(worker) || worker < 0 || worker >= workers) {
    throw new Misuse(`worker: is not between 0 and ${workers - 1}`)
  }
  if (blame !== undefined && blame !== 'plan') throw new Misuse("blame: is not 'plan'")
  if (!crew.crash(worker, which, blame === undefined)) {
    throw new Misuse(`worker: ${worker} is not there at the moment`)
  }
  return { worker, how: which }
}
