/**
 * What main sees and a policy cannot: the median latency, in the last seconds, of the edges that an
 * intent covers. Which edges those are is worked out once for each, not each second.
 */
import type { Directory } from '../landscape/directory.ts'
import { covers, type Intent } from '../policies/intent.ts'
import type { Sight } from '../policies/pattern.ts'
import type { EdgeTotal, Windows } from './window.ts'

/** Intents that are looked at each second; later ones go without, which costs them a hint. */
export const SIGHTS_MAX = 500

interface Covered {
  readonly directory: Directory
  readonly edges: EdgeTotal[]
  seen: number
}

export class Sights {
  readonly #windows: Windows
  readonly #directory: () => Directory
  readonly #covered = new WeakMap<Intent, Covered>()

  constructor(windows: Windows, directory: () => Directory) {
    this.#windows = windows
    this.#directory = directory
  }

  /** Answers for one second. */
  look(): (intent: Intent) => Sight {
    let looked = 0
    return (intent) => {
      looked += 1
      if (looked > SIGHTS_MAX) return { medianMs: 0 }
      return { medianMs: this.#windows.medianMs(this.#coveredBy(intent).edges) }
    }
  }

  #coveredBy(intent: Intent): Covered {
    const directory = this.#directory()
    let known = this.#covered.get(intent)
    if (known?.directory !== directory) known = { directory, edges: [], seen: 0 }
    const { edges } = this.#windows
    if (known.seen < edges.size) {
      // Edges are only ever added, and a Map keeps their order.
      for (const edge of [...edges.values()].slice(known.seen)) {
        const [source, target] = [directory.byName(edge.source), directory.byName(edge.target)]
        if (covers(intent, source, target)) known.edges.push(edge)
      }
      known.seen = edges.size
    }
    this.#covered.set(intent, known)
    return known
  }
}
