/** What a scrape reads, gathered from where it is known. */

import type { Clock } from '../runtime/clock.ts'
import type { Access } from './auth.ts'
import type { Book } from './book.ts'
import type { Dispatch } from './dispatch.ts'
import type { Fleet } from './fleet.ts'
import type { Numbers, Refused } from './metrics.ts'
import type { Signals } from './signals.ts'
import type { Views } from './views.ts'
import type { WindowStore } from './window-store.ts'

/** In flight is what nodes said in the last seconds. */
const IN_FLIGHT_MS = 2_000
const INTENTS_MAX = 1_000

export interface NumberSources {
  readonly book: Book
  readonly fleet: Fleet
  readonly dispatch: Dispatch
  readonly signals: Signals
  readonly store: WindowStore
  readonly access: Access
  readonly views: Views
  readonly clock: Clock
}

export function numbersOf(sources: NumberSources): Numbers {
  const { book, fleet, dispatch, signals, store, access, views, clock } = sources
  return {
    edges: () => signals.edges.all(),
    *inFlight() {
      for (const { edge, counts } of views.stretch(IN_FLIGHT_MS).edges) {
        // The same edges as the other series have; the rest are counted there as `other`.
        if (!signals.edges.has(edge.source, edge.target)) continue
        yield { source: edge.source, target: edge.target, inFlight: counts.inFlight }
      }
    },
    *refused() {
      yield* refusals(book, signals)
    },
    facts: () => ({
      nodes_expected: fleet.expected,
      nodes_following: fleet.states(clock.nowMs()).filter(({ silent }) => !silent).length,
      streams: dispatch.plans.links,
      revision: book.ledger.revision,
      edition: dispatch.plans.edition,
      intents: book.ledger.live().length,
      entries_unwritten: book.unwritten,
      windows: signals.windows,
      windows_unkept: store.unkept,
      signals_left_out: signals.leftOut + signals.policies.leftOut,
      edges: [...signals.landscape.edges()].length,
      edges_overflowed: signals.landscape.overflowed + signals.verdicts.untracked,
      events_untold: signals.verdicts.untold,
      unauthenticated: access.refused,
    }),
  }
}

function* refusals({ ledger }: Book, { policies }: Signals): Iterable<Refused> {
  let shown = 0
  for (const id of policies.ids()) {
    shown += 1
    if (shown > INTENTS_MAX) return
    const pattern = ledger.get(id)?.intent.kind ?? 'other'
    yield { intent: id === '' ? 'other' : id, pattern, refused: policies.total(id).refused }
  }
}
