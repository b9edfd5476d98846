/**
 * Keeps one flood from sinking the ship: at the limit it refuses at once and never queues.
 * The limit is exact down to 1, over all workers (Envoy's is not, deliberately: envoy#2927).
 * Lowering it cancels nothing: what is inside ends, and nothing new enters until there is room.
 *
 * Requests and opaque connections are counted apart; with only `maxInFlight` given, it is the
 * limit of connections too. What is under way when it comes counts as well. Status 429, so that
 * callers' retries and breakers stay quiet.
 */
import { type Call, PASS, type Pattern, pass, refuse } from './pattern.ts'
import type { Count, Gauge } from './row.ts'
import { count, type SettingsOf } from './settings.ts'

const fields = {
  maxInFlight: count({
    flag: 'max-in-flight',
    help: 'requests allowed at once',
    min: 1,
    max: 1_000_000,
    shared: true,
  }),
  maxConnections: count({
    flag: 'max-connections',
    help: 'opaque connections allowed at once',
    min: 1,
    max: 1_000_000,
    shared: true,
  }),
}

interface Slots {
  readonly requests: Gauge
  readonly connections: Gauge
  /** The median latency in ms, which main looks up: when a slot is likely to be free again. */
  readonly medianMs: Count
}

/** One limit alone is that of opaque connections too. */
const limitOf = ({ maxInFlight, maxConnections }: SettingsOf<typeof fields>, form: Call['form']) =>
  form === 'request' ? maxInFlight : (maxConnections ?? maxInFlight)

/** What a call took, as its mark says. */
const REQUEST = 1
const CONNECTION = 2

const NO_SHARE = 'no share of the limit at this node'

/** Before anything was measured. */
const RETRY_MS = 1000

export const bulkhead: Pattern<typeof fields, Slots> = {
  kind: 'bulkhead',
  help: 'caps what is in flight at once, and never waits',
  fields,
  per: 'policy',
  existing: 'keep',
  holds: true,

  check: ({ maxInFlight, maxConnections }) =>
    maxInFlight === undefined && maxConnections === undefined
      ? 'a bulkhead needs maxInFlight or maxConnections'
      : undefined,

  cells: (row) => ({
    requests: row.gauge('requests'),
    connections: row.gauge('connections'),
    medianMs: row.count('medianMs'),
  }),

  admit(slots, settings, { form }) {
    const limit = limitOf(settings, form)
    if (limit === undefined) return PASS
    const inside = form === 'request' ? slots.requests : slots.connections
    if (inside.tryAdd(limit)) return pass(form === 'request' ? REQUEST : CONNECTION)
    const retryMs = slots.medianMs.load() || RETRY_MS
    if (limit === 0) return refuse('bulkhead', NO_SHARE, retryMs)
    return refuse('bulkhead', 'in flight', retryMs, inside.load(), limit)
  },

  // Beyond the limit if need be: it shows 37 of 20, and nobody enters until it is 19.
  adopt(slots, settings, { form }) {
    if (limitOf(settings, form) === undefined) return 0
    const inside = form === 'request' ? slots.requests : slots.connections
    inside.add(1)
    return form === 'request' ? REQUEST : CONNECTION
  },

  settle(slots, _settings, { mark }) {
    if (mark === REQUEST) slots.requests.add(-1)
    if (mark === CONNECTION) slots.connections.add(-1)
  },

  inFlight: ({ requests, connections }) => requests.load() + connections.load(),

  under: ({ requests, connections }, { maxInFlight = Infinity, maxConnections = maxInFlight }) =>
    requests.load() <= maxInFlight && connections.load() <= maxConnections,

  tend(states, _settings, { medianMs }) {
    for (const slots of states) slots.medianMs.store(Math.ceil(medianMs))
  },
}
