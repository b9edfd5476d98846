/** `airspace describe edge web..payments` */
import { around, aroundWords, nothing } from '../about.ts'
import { type EndFlags, readEnds } from '../ends.ts'
import { freshnessBody, freshnessWords } from '../freshness.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { line, toned } from '../printable.ts'
import { pairs, table } from '../table.ts'
import { Verb } from '../verb.ts'
import { type EdgeRow, edgeRows, sorted, verdictTone } from '../view/edges.ts'
import { patternColumns, patternRow } from '../view/patterns.ts'
import {
  bytes,
  count,
  duration,
  edgeName,
  edgeWord,
  latency,
  percent,
  short,
  sparkline,
  timeOfDay,
} from '../words.ts'
import { readWindow } from './get-edges.ts'

/** A selector may cover many; more than this is a list, and lists are for `get edges`. */
const EDGES_MAX = 20

export function describeEdge(run: Invocation): Verb {
  return new Verb('edge', 'four signals of an edge, its patterns, events and ledger')
    .argument('[edge]', 'web..payments')
    .option('--from <SET>', 'its source, instead of EDGE')
    .option('--to <SET>', 'its target, instead of EDGE')
    .option('--window <TIME>', 'over the last: 1s to 15m', '1m')
    .example('airspace describe edge web..payments', 'over the last minute')
    .example('airspace describe edge web..payments --window 15m', 'over a quarter of an hour')
    .action(async (edge: string | undefined, flags: EndFlags & { window: string }) => {
      const ends = readEnds(edge, flags)
      const windowMs = readWindow(flags.window)
      const nowMs = run.terminal.wallMs()
      const control = await run.control()
      const [found, inForce] = await Promise.all([
        control.ask('getEdges', { ...ends, windowMs }),
        control.ask('getPatterns', { ended: false }),
      ])
      const rows = sorted(edgeRows(found), 'verdict').slice(0, EDGES_MAX)
      if (rows.length === 0) {
        const all = edgeRows(await control.ask('getEdges', { from: '*', to: '*', windowMs }))
        const known = all.map((row) => edgeWord(row.source, row.target))
        throw nothing('edge', edgeWord(ends.from, ends.to), known)
      }
      const on = new Set(rows.flatMap((row) => row.patterns))
      const patterns = inForce.patterns.map(patternRow).filter(({ intent }) => on.has(intent.id))
      const met = new Set(rows.map((row) => edgeWord(row.source, row.target)))
      const past = await around(control, nowMs, {
        event: (row) => met.has(edgeWord(row.source, row.target)),
        entry: (row) => on.has(row.id),
      })
      const heading = `window ${duration(windowMs)} · ${freshnessWords(found.freshness)}`
      print(run, {
        kind: 'EdgeDescription',
        body: { freshness: freshnessBody(found.freshness), edges: rows, patterns, ...past },
        ids: [...met],
        table: () => {
          const parts = rows.map((row) => edgeWords(row, windowMs, heading, nowMs))
          const acting = table(patternColumns(nowMs), patterns)
          parts.push(acting && `\npatterns\n${acting}`, aroundWords(past, nowMs))
          return parts.join('')
        },
      })
    })
}

function edgeWords(row: EdgeRow, windowMs: number, heading: string, nowMs: number): string {
  const ended = row.succeeded + row.failed
  const asked = row.started + row.refused
  const verdict = toned(verdictTone(row.verdict), line`${row.verdict}`)
  const why = row.why === '' ? '' : line`: ${row.why}`
  const since = row.firstSeen === null ? 0 : Date.parse(row.firstSeen)
  const signals: [string, string][] = [
    ['requests', `${short(row.requestsPerSecond)}/s, ${count(asked)} in ${duration(windowMs)}`],
    [
      'outcome',
      [
        `${percent(row.failed, ended)} failed`,
        `${percent(row.ignored, row.started)} ignored`,
        `${percent(row.refused, asked)} refused`,
      ].join(', '),
    ],
    ['latency', `p50 ${latency(row.p50Ms)}, p99 ${latency(row.p99Ms)}, most ${latency(row.maxMs)}`],
    ['in flight', `${count(row.inFlight)}, at most ${count(row.inFlightMax)}`],
    ['bandwidth', `in ${bytes(row.bytesInPerSecond)}/s, out ${bytes(row.bytesOutPerSecond)}/s`],
    [
      'connections',
      line`${row.connectionsOpen} open, ${count(row.connections)} opened, ${row.protocol}`,
    ],
    ['last byte', `${duration(row.idleMs)} ago`],
    ['first seen', `${timeOfDay(since, nowMs)}, by ${count(row.nodes)} nodes`],
    ['p99 trend', sparkline(row.trendMs.map((ms) => (ms > 0 ? ms : Number.NaN)))],
  ]
  const head = `${edgeName(row.source, row.target)}  ${verdict}${why}`
  return `${head}\n${toned('faint', heading)}\n${pairs(signals)}`
}
