/** `airspace status`: one screen. The planes, the loudest trouble, the leases, and what next. */
import type { Status } from '../../wire/gen/airspace_pb.ts'
import { freshnessBody, freshnessWords } from '../freshness.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { line, toned } from '../printable.ts'
import { rows } from '../table.ts'
import { Verb } from '../verb.ts'
import { type EdgeRow, edgeRow, flowOf, verdictTone } from '../view/edges.ts'
import { eventRow } from '../view/events.ts'
import { type PatternRow, patternColumns, patternRow } from '../view/patterns.ts'
import {
  bytes,
  duration,
  edgeName,
  edgeWord,
  latency,
  percent,
  quoted,
  short,
  timeOfDay,
} from '../words.ts'

export function status(run: Invocation): Verb {
  return new Verb('status', 'one screen: planes, nodes, the loudest trouble, leases')
    .example('airspace status', 'where to begin')
    .action(async () => {
      const control = await run.control()
      const found = await control.ask('getStatus', {})
      const seconds = found.windowMs / 1e3
      const trouble = found.trouble.map((view) => edgeRow(view, seconds))
      const patterns = found.patterns.map(patternRow)
      print(run, {
        kind: 'Status',
        body: {
          version: found.version,
          revision: Number(found.revision),
          ledger: found.ledger,
          uptimeMs: found.uptimeMs,
          freshness: freshnessBody(found.freshness),
          windowMs: found.windowMs,
          total: flowOf(found.total, seconds),
          trouble,
          patterns,
          events: found.events.map(eventRow),
          alarms: found.alarms,
        },
        ids: patterns.map(({ intent }) => intent.id),
        table: () => screen(run, found, trouble, patterns),
      })
    })
}

function screen(
  run: Invocation,
  found: Status,
  trouble: readonly EdgeRow[],
  patterns: readonly PatternRow[],
): string {
  const nowMs = run.terminal.wallMs()
  const parts = [headLines(run, found), ...found.alarms.map((alarm) => alarmLine(alarm))]
  parts.push(troubleLines(trouble))
  if (patterns.length > 0) {
    parts.push(`leases\n${indented(rows(patternColumns(nowMs), patterns))}`)
  } else parts.push('leases: none, nothing is in force\n')
  const events = found.events.map((event) => {
    const at = timeOfDay(event.atUnixMs, nowMs)
    return line`  ${at}  ${event.kind}  ${event.text}\n`
  })
  if (events.length > 0) parts.push(`lately\n${events.join('')}`)
  parts.push(nextLine(trouble))
  return parts.join('')
}

const alarmLine = (alarm: string): string => `${toned('bad', line`  × ${alarm}`)}\n`

function headLines(run: Invocation, found: Status): string {
  const flow = flowOf(found.total, found.windowMs / 1e3)
  const fresh = freshnessWords(found.freshness)
  const since = `up ${duration(found.uptimeMs)}`
  const head = line`airspace ${found.version} at ${run.address}, ${since}`
  const asked = flow.started + flow.refused
  return [
    toned('strong', `${head} · revision ${found.revision} · ${fresh}`),
    [
      `traffic  ${short(flow.requestsPerSecond)} r/s`,
      `p99 ${latency(flow.p99Ms)}`,
      `${short(flow.inFlight)} in flight`,
      `${bytes(flow.bytesInPerSecond + flow.bytesOutPerSecond)}/s`,
      `${percent(flow.failed, flow.succeeded + flow.failed)} failed`,
      `${percent(flow.refused, asked)} refused`,
    ].join(' · '),
    '',
    '',
  ].join('\n')
}

const MARK = '▲'

function troubleLines(trouble: readonly EdgeRow[]): string {
  if (trouble.length === 0) return `${toned('good', 'no trouble')}\n`
  const lines = trouble.map((row) => {
    const mark = toned(verdictTone(row.verdict), MARK)
    const numbers = line`p99 ${latency(row.p99Ms)}, ${row.inFlight} in flight`
    const why = row.why === '' ? '' : line` · ${row.why}`
    const edge = edgeName(row.source, row.target)
    return `  ${mark} ${edge}  ${line`${row.verdict}`}  ${numbers}${why}\n`
  })
  return `trouble (worst first)\n${lines.join('')}`
}

const indented = (lines: readonly string[]): string => lines.map((row) => `  ${row}\n`).join('')

function nextLine(trouble: readonly EdgeRow[]): string {
  const worst = trouble[0]
  if (!worst) return 'next: airspace top\n'
  const edge = edgeWord(worst.source, worst.target)
  return line`next: airspace describe edge ${quoted([edge])}\n`
}
