/** `airspace get edges`: from the control plane, or past it from a single node. */
import { readView } from '../ends.ts'
import { misused } from '../failure.ts'
import { freshnessBody, freshnessWords } from '../freshness.ts'
import type { Invocation } from '../invocation.ts'
import { list, readLimit } from '../listing.ts'
import { readLength } from '../times.ts'
import { Verb } from '../verb.ts'
import {
  EDGE_COLUMNS,
  EDGE_ORDERS,
  type EdgeRow,
  edgeRows,
  sorted,
  trendColumn,
} from '../view/edges.ts'
import { didYouMean, duration, edgeWord, latency, plural, short } from '../words.ts'
import { edgesAt } from './at-node.ts'

interface Flags {
  readonly from?: string
  readonly to?: string
  readonly window: string
  readonly sort: string
  readonly limit?: string
}

/** Rows of a table; JSON has all. */
const ROWS = 50

export const WINDOW_MS_MIN = 1_000
export const WINDOW_MS_MAX = 15 * 60_000

export function readWindow(text: string): number {
  const ms = readLength('--window', text)
  if (ms >= WINDOW_MS_MIN && ms <= WINDOW_MS_MAX) return ms
  throw misused(`--window: '${text}' is not between 1s and 15m`)
}

export function readOrder(text: string): string {
  const names = Object.keys(EDGE_ORDERS)
  if (names.includes(text)) return text
  throw misused(`--sort: no column '${text}'${didYouMean(text, names)}`, names.join(', '))
}

/** '… 214 more edges: 38.0k r/s, worst p99 88ms' */
export function restWords(hidden: readonly EdgeRow[]): string | undefined {
  if (hidden.length === 0) return undefined
  const rate = hidden.reduce((sum, row) => sum + (row.requestsPerSecond || 0), 0)
  const worst = Math.max(...hidden.map((row) => row.p99Ms).filter(Number.isFinite))
  return ` … ${plural(hidden.length, 'more edge')}: ${short(rate)} r/s, worst p99 ${latency(worst)}`
}

export function edgesVerb(run: Invocation): Verb {
  return new Verb('edges', 'who calls whom: requests, latency, concurrency, bandwidth')
    .alias('edge')
    .alias('e')
    .argument('[edge]', "web..payments, or '*..payments'")
    .option('--from <SET>', 'only from these sources')
    .option('--to <SET>', 'only to these targets')
    .option('--window <TIME>', 'over the last: 1s to 15m', '10s')
    .option('--sort <COLUMN>', Object.keys(EDGE_ORDERS).join(', '), 'verdict')
    .option('-n, --limit <N>', `rows of the table (${ROWS}); JSON has all unless said`)
    .example('airspace get edges', 'every edge, the worst first')
    .example("airspace get edges '*..payments' --window 5m", 'all callers of payments')
    .example('airspace get edges --sort p99 -n 10 -o json', 'the ten slowest, for a script')
    .action(async (edge: string | undefined, flags: Flags) => {
      const ends = readView(edge, flags)
      const windowMs = readWindow(flags.window)
      const order = readOrder(flags.sort)
      const limit = flags.limit === undefined ? undefined : readLimit(flags.limit, misused)
      if (run.atNode !== undefined) return edgesAt(run, run.atNode, ends)
      const control = await run.control()
      const found = await control.ask('getEdges', { ...ends, windowMs })
      const rows = sorted(edgeRows(found), order)
      const shown = rows.slice(0, limit ?? ROWS)
      const stretch = duration(found.toUnixMs - found.fromUnixMs)
      const rest = restWords(rows.slice(shown.length))
      list(run, {
        kind: 'EdgeList',
        heading: `edges · window ${stretch} · ${freshnessWords(found.freshness)}`,
        columns: [...EDGE_COLUMNS, trendColumn('TREND p99')],
        items: limit === undefined ? rows : shown,
        shown,
        none: 'no edge was seen; traffic must pass a proxy: airspace proxy --help',
        id: (row) => edgeWord(row.source, row.target),
        body: {
          freshness: freshnessBody(found.freshness),
          fromUnixMs: found.fromUnixMs,
          toUnixMs: found.toUnixMs,
        },
        ...(rest === undefined ? {} : { rest }),
      })
    })
}
