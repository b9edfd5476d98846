/** `airspace top`: every edge, once a second, on a screen of its own; `--once` for scripts. */
import { type EndFlags, type Ends, readView } from '../ends.ts'
import { EXIT, Failure, misused } from '../failure.ts'
import { chosen, frame, pressed, type Seen, VIEWING, type Viewing } from '../frame.ts'
import { freshnessBody } from '../freshness.ts'
import type { Invocation } from '../invocation.ts'
import { readLimit } from '../listing.ts'
import { print } from '../output.ts'
import { Verb } from '../verb.ts'
import { EDGE_ORDERS } from '../view/edges.ts'
import { edgeWord } from '../words.ts'
import { readOrder, readWindow } from './get-edges.ts'

const PERIOD_MS = 1_000
const MINUTE_MS = 60_000
/** Heading, titles and what was left out, around `-n` rows. */
const LINES_AROUND = 3

interface Flags extends EndFlags {
  readonly window: string
  readonly sort: string
  readonly limit: string
  readonly once?: boolean
}

export function top(run: Invocation): Verb {
  return new Verb('top', 'every edge, live: requests, latency, concurrency, bandwidth')
    .argument('[edge]', "web..payments, or '*..payments'")
    .option('--from <SET>', 'only from these sources')
    .option('--to <SET>', 'only to these targets')
    .option('--window <TIME>', 'numbers over the last: 1s to 15m', '10s')
    .option('-s, --sort <COLUMN>', Object.keys(EDGE_ORDERS).join(', '), 'p99')
    .option('-n, --limit <N>', 'rows with --once', '20')
    .option('--once', 'one frame, then end')
    .example('airspace top', 'the slowest first; ? shows the keys')
    .example("airspace top '*..payments' -s inflight", 'who crowds payments')
    .example('airspace top --once -n 5 -o json', 'for a script')
    .action(async (edge: string | undefined, flags: Flags) => {
      const ends = readView(edge, flags)
      const windowMs = readWindow(flags.window)
      const viewing = { ...VIEWING, sort: readOrder(flags.sort) }
      const limit = readLimit(flags.limit, misused)
      const once = flags.once === true || !run.terminal.interactive || run.form !== 'table'
      if (!once) return watch(run, ends, windowMs, viewing)
      const seen = await look(run, ends, windowMs)
      const rows = chosen(seen, viewing)
      print(run, {
        kind: 'EdgeList',
        body: { freshness: freshnessBody(seen.now.freshness), items: rows.slice(0, limit) },
        ids: rows.slice(0, limit).map((row) => edgeWord(row.source, row.target)),
        table: () => {
          const wide = run.terminal.interactive ? run.terminal.columns() : Infinity
          const lines = frame(seen, viewing, wide, limit + LINES_AROUND)
          return lines.map((text) => `${text}\n`).join('')
        },
      })
    })
}

async function look(run: Invocation, ends: Ends, windowMs: number): Promise<Seen> {
  const control = await run.control()
  const [now, minute] = await Promise.all([
    control.ask('getEdges', { ...ends, windowMs }),
    control.ask('getEdges', { ...ends, windowMs: MINUTE_MS }),
  ])
  return { now, minute, atUnixMs: run.terminal.wallMs() }
}

/** Until a key ends it. A control plane that goes away is said, and asked again each second. */
async function watch(run: Invocation, ends: Ends, windowMs: number, first: Viewing): Promise<void> {
  const screen = run.terminal.screen()
  let viewing: Viewing | undefined = first
  let seen: Seen | undefined
  let trouble: string | undefined
  let wake = (): void => {}
  const paint = (): void => {
    if (!viewing) return
    const { terminal } = run
    screen.paint(frame(seen, viewing, terminal.columns(), terminal.rows(), trouble))
  }
  screen.onKey((key) => {
    if (viewing) viewing = pressed(viewing, key, run.terminal.rows() - LINES_AROUND)
    if (viewing) paint()
    else wake()
  })
  try {
    paint()
    while (viewing && !run.interrupted.aborted) {
      if (!viewing.paused) {
        try {
          seen = await look(run, ends, windowMs)
          trouble = undefined
        } catch (error) {
          trouble = troubleOf(error)
        }
      }
      paint()
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PERIOD_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        run.interrupted.addEventListener('abort', () => wake(), { once: true })
      })
    }
  } finally {
    screen.leave()
  }
}

/** What may pass is shown; what will not (a wrong token, say) ends it. */
function troubleOf(error: unknown): string {
  if (error instanceof Failure && error.exit === EXIT.unreachable) return error.message
  throw error
}
