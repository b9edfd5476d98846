/** `airspace get`: lists of what there is, each with how whole and how old it is. */

import { readSelector } from '../ends.ts'
import { misused } from '../failure.ts'
import { freshnessBody, freshnessWords } from '../freshness.ts'
import type { Invocation } from '../invocation.ts'
import { list, readLimit } from '../listing.ts'
import { readAgo } from '../times.ts'
import { Verb } from '../verb.ts'
import { eventColumns, eventRow } from '../view/events.ts'
import { entryColumns, entryRow } from '../view/ledger.ts'
import { NODE_COLUMNS, type NodeRow, nodeRow } from '../view/nodes.ts'
import { SERVICE_COLUMNS, serviceRow } from '../view/services.ts'
import { duration, plural } from '../words.ts'
import { edgesVerb } from './get-edges.ts'
import { patternsVerb } from './get-patterns.ts'

const ENTRIES = '50'
const EVENTS = '50'

export function get(run: Invocation): Verb {
  const verb = new Verb('get', 'lists: edges, services, nodes, patterns, ledger, events')
    .example('airspace get edges', 'every edge with its four signals, the worst first')
    .example("airspace get edges --to 'tier=1' --sort p99", 'those into a set of services')
    .example('airspace get patterns -o json', 'for a script')
  for (const make of [edgesVerb, patternsVerb, services, nodes, ledger, events]) {
    verb.addCommand(make(run))
  }
  return verb
}

function services(run: Invocation): Verb {
  return new Verb('services', 'who there is, known to the directory or not')
    .alias('service')
    .alias('svc')
    .argument('[set]', "a selector: payments, 'shop/*', tier=3, unknown", '*')
    .example('airspace get services', 'all')
    .example('airspace get services unknown', 'those that no directory knows')
    .action(async (set: string) => {
      const control = await run.control()
      const found = await control.ask('getServices', { set: readSelector('SET', set) })
      const items = found.services.map(serviceRow)
      list(run, {
        kind: 'ServiceList',
        heading: `services · ${freshnessWords(found.freshness)}`,
        columns: SERVICE_COLUMNS,
        items,
        none: 'no service is in this set',
        id: (row) => row.name,
        body: { freshness: freshnessBody(found.freshness) },
      })
    })
}

function nodes(run: Invocation): Verb {
  return new Verb('nodes', 'the fleet: what each ought to enforce and what it does')
    .alias('node')
    .alias('no')
    .example('airspace get nodes', 'desired and reported, side by side')
    .action(async () => {
      const control = await run.control()
      const items = (await control.ask('getNodes', {})).nodes.map(nodeRow)
      list(run, {
        kind: 'NodeList',
        heading: `nodes · ${fleetWords(items)}`,
        columns: NODE_COLUMNS,
        items,
        none: 'no node has ever reported: airspace proxy --help',
        id: (row) => row.node,
      })
    })
}

/** '2/2 nodes, 0.8 s old', counted here, since the list itself is the roster. */
export function fleetWords(rows: readonly NodeRow[]): string {
  const expected = rows.filter((row) => row.expected)
  const following = expected.filter((row) => row.state !== 'silent')
  const oldestMs = Math.max(...following.map((row) => row.windowMs))
  const heard = following.length > 0 && Number.isFinite(oldestMs)
  const age = heard ? `${duration(oldestMs)} old` : 'no signals heard'
  return `${following.length}/${expected.length} nodes, ${age}`
}

function ledger(run: Invocation): Verb {
  return new Verb('ledger', 'how what is wanted came to be wanted: who, what, when, why')
    .option('-n, --limit <N>', 'the newest so many', ENTRIES)
    .option('--after <REVISION>', 'only what came after it')
    .example('airspace get ledger', 'the newest entries, the last one last')
    .example('airspace get ledger --after 412', 'what changed since')
    .action(async (flags: { limit: string; after?: string }) => {
      const limit = readLimit(flags.limit, misused)
      const control = await run.control()
      const found = await control.ask('getLedger', { after: readRevision(flags.after), limit })
      const items = found.entries.map(entryRow)
      list(run, {
        kind: 'EntryList',
        heading: `ledger · revision ${found.revision}`,
        columns: entryColumns(run.terminal.wallMs()),
        items,
        none: 'nothing was ever wanted',
        id: (row) => String(row.revision),
        body: { revision: Number(found.revision) },
      })
    })
}

function readRevision(text: string | undefined): bigint {
  if (text === undefined) return 0n
  if (/^\d{1,15}$/.test(text)) return BigInt(text)
  throw misused(`--after: '${text}' is not a revision, such as 412`)
}

function events(run: Invocation): Verb {
  return new Verb('events', 'what was worth knowing: found by detectors, told by people')
    .alias('event')
    .option('-n, --limit <N>', 'the newest so many', EVENTS)
    .option('--since <TIME>', 'no older than: 15m, 2h, 14:02', '15m')
    .example('airspace get events --since 1h', 'of the last hour, the newest last')
    .action(async (flags: { limit: string; since: string }) => {
      const nowMs = run.terminal.wallMs()
      const limit = readLimit(flags.limit, misused)
      const sinceUnixMs = readAgo('--since', flags.since, nowMs)
      const control = await run.control()
      const items = (await control.ask('getEvents', { sinceUnixMs, limit })).events.map(eventRow)
      list(run, {
        kind: 'EventList',
        heading: `events · since ${flags.since} · ${plural(items.length, 'event')}`,
        columns: eventColumns(nowMs),
        items,
        none: 'nothing happened',
        id: (row) => row.id,
      })
    })
}
