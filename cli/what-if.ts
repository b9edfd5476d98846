/**
 * What a pattern would have done: every node asked the calls it remembers. The answer says how sure
 * it is: whose calls are in it, whose are not, and what no replay can know.
 */
import type { IntentText } from '../policies/intent.ts'
import type { Rehearsal, WhatIf } from '../wire/gen/airspace_pb.ts'
import { EXIT } from './failure.ts'
import { freshnessBody } from './freshness.ts'
import type { Invocation } from './invocation.ts'
import { iso, print } from './output.ts'
import { line, toned } from './printable.ts'
import { pairs } from './table.ts'
import { intentRow } from './view/patterns.ts'
import { count, duration, edgeName, percent, plural, quoted, timeOfDay } from './words.ts'

/** Sources that are named; the rest is one number. */
const SOURCES_MAX = 5

interface Share {
  readonly name: string
  calls: number
  refused: number
  delayed: number
}

export interface Replay {
  /** Nodes whose calls are in it. */
  readonly replayed: number
  readonly calls: number
  readonly refused: number
  readonly delayed: number
  readonly delayedMsMax: number
  readonly live: number
  readonly oldestLiveMs: number
  readonly forgotten: number
  readonly inFlightPeak: number
  readonly fromUnixMs: number
  readonly toUnixMs: number
  readonly sources: readonly Share[]
  readonly edges: readonly Share[]
  /** Nodes that could not replay it, and why. */
  readonly errors: readonly { readonly node: string; readonly error: string }[]
}

/** All nodes' answers as one. */
export function replayOf(found: WhatIf): Replay {
  const good = found.nodes.flatMap(({ rehearsal }) =>
    rehearsal && rehearsal.error === '' ? [rehearsal] : [],
  )
  const sum = (of: (each: Rehearsal) => number | bigint): number =>
    good.reduce((total, each) => total + Number(of(each)), 0)
  const most = (of: (each: Rehearsal) => number): number => Math.max(0, ...good.map(of))
  const edges = good.flatMap((each) => each.edges)
  return {
    replayed: good.length,
    calls: sum((each) => each.calls),
    refused: sum((each) => each.refused),
    delayed: sum((each) => each.delayed),
    delayedMsMax: most((each) => each.delayedMsMax),
    live: sum((each) => each.live),
    oldestLiveMs: most((each) => each.oldestLiveMs),
    forgotten: sum((each) => each.forgotten),
    inFlightPeak: sum((each) => each.inFlightPeak),
    fromUnixMs: good.length === 0 ? 0 : Math.min(...good.map((each) => each.fromUnixMs)),
    toUnixMs: most((each) => each.toUnixMs),
    sources: shares(edges.map((each) => [each.source, each])),
    edges: shares(edges.map((each) => [edgeName(each.source, each.target), each])),
    errors: found.nodes.flatMap(({ node, rehearsal }) =>
      rehearsal && rehearsal.error !== '' ? [{ node, error: rehearsal.error }] : [],
    ),
  }
}

interface Counted {
  readonly calls: bigint
  readonly refused: bigint
  readonly delayed: bigint
}

function shares(counted: readonly (readonly [string, Counted])[]): Share[] {
  const by = new Map<string, Share>()
  for (const [name, { calls, refused, delayed }] of counted) {
    const share = by.get(name) ?? { name, calls: 0, refused: 0, delayed: 0 }
    share.calls += Number(calls)
    share.refused += Number(refused)
    share.delayed += Number(delayed)
    by.set(name, share)
  }
  return [...by.values()].sort((a, b) => b.refused - a.refused || b.delayed - a.delayed)
}

export function whatIf(run: Invocation, whole: IntentText, found: WhatIf): void {
  const replay = replayOf(found)
  const nodes = silentOf(found)
  print(run, {
    kind: 'WhatIf',
    body: {
      intent: found.intent ? intentRow(found.intent) : whole,
      freshness: freshnessBody(found.freshness),
      answered: found.answered,
      notAnswered: nodes,
      ...replay,
      from: iso(replay.fromUnixMs),
      to: iso(replay.toUnixMs),
      warnings: found.warnings,
    },
    ids: [],
    table: () => words(run, whole, found, replay),
  })
  if (replay.replayed === 0) run.exit = EXIT.failed
  for (const warning of found.warnings) run.say(line`warning: ${warning}\n`)
  const command = run.words.filter((word) => word !== '--dry-run')
  run.say(line`apply it: airspace ${quoted(command)}\n`)
}

/** Nodes that were asked, or ought to have been, and did not replay. */
function silentOf({ freshness, nodes }: WhatIf): string[] {
  const answered = new Set(nodes.map(({ node }) => node))
  return (freshness?.silent ?? []).filter((node) => !answered.has(node))
}

function words(run: Invocation, whole: IntentText, found: WhatIf, replay: Replay): string {
  const head = headWords(run, found, replay)
  const lines: [string, string][] = []
  if (replay.replayed > 0 && replay.calls === 0) {
    lines.push(['would have refused', 'nothing: no recorded call was on these edges'])
  } else if (replay.replayed > 0) lines.push(...resultLines(replay))
  lines.push(...liveLines(whole, replay), ...doubtLines(whole, found, replay))
  return `${head}\n\n${pairs(lines)}`
}

function headWords(run: Invocation, { freshness, answered }: WhatIf, replay: Replay): string {
  const nowMs = run.terminal.wallMs()
  const expected = Math.max(freshness?.expected ?? 0, answered)
  const { fromUnixMs, toUnixMs, replayed, calls } = replay
  const stretch =
    replayed > 0 && calls > 0
      ? `replayed ${timeOfDay(fromUnixMs, nowMs)}-${timeOfDay(toUnixMs, nowMs)} ` +
        `(${duration(toUnixMs - fromUnixMs)}) from ${replayed}/${expected} nodes`
      : `${replayed === 0 ? 'none' : replayed} of ${expected} nodes replayed it`
  return `${toned('strong', 'dry run, nothing changed')} · ${stretch}`
}

function resultLines({ calls, refused, delayed, ...replay }: Replay): [string, string][] {
  const of = `of ${count(calls)} requests`
  const only = replay.edges.length === 1 ? line`      all from ${replay.edges[0]!.name}` : ''
  const lines: [string, string][] = [
    ['would have refused', `${count(refused)} ${of} (${percent(refused, calls)})${only}`],
  ]
  if (refused > 0) lines.push(['  by source', bySource(replay.sources, 'refused')])
  if (delayed > 0) {
    const longest = `the longest by ${duration(replay.delayedMsMax)}`
    lines.push(
      ['would have delayed', `${count(delayed)} ${of} (${percent(delayed, calls)}), ${longest}`],
      ['  by source', bySource(replay.sources, 'delayed')],
    )
  }
  lines.push(['in flight', `peak ${count(replay.inFlightPeak)}, the nodes' own peaks added up`])
  return lines
}

function bySource(sources: readonly Share[], what: 'refused' | 'delayed'): string {
  const touched = sources.filter((share) => share[what] > 0).sort((a, b) => b[what] - a[what])
  const named = touched.slice(0, SOURCES_MAX)
  const rest = touched.slice(SOURCES_MAX)
  const parts = named.map((share) => line`${share.name} ${count(share[what])}`)
  const others = rest.reduce((sum, share) => sum + share[what], 0)
  if (rest.length > 0) parts.push(`${plural(rest.length, 'other')} ${count(others)}`)
  return parts.join(' · ')
}

/** What applying it would do to exchanges and connections that are under way. */
function liveLines({ existing, graceMs }: IntentText, replay: Replay): [string, string][] {
  if (replay.live === 0) return []
  const grace = graceMs === undefined ? '' : ` within ${duration(graceMs)}`
  const how = existing === 'drain' ? `would be drained${grace}` : 'would be cut'
  const oldest = `the oldest ${duration(replay.oldestLiveMs)} old`
  return [['under way now', `${count(replay.live)} ${how}, ${oldest}`]]
}

const unmodelled = ({ settings }: IntentText): string =>
  'retries by callers, answers that get faster, shares that move' +
  (settings['bytesPerSecond'] === undefined ? '' : ', bytes that come later')

function doubtLines(whole: IntentText, found: WhatIf, replay: Replay): [string, string][] {
  const lines: [string, string][] = []
  if (replay.replayed > 0) {
    const exempt = found.intent?.exempt ? `, ${found.intent.exempt}` : ''
    const { forgotten } = replay
    const gone = forgotten > 0 ? `; ${count(forgotten)} older ones are forgotten` : ''
    lines.push(
      ['never refused', line`services labelled protected=true${exempt}`],
      ['how sure', `recorded calls asked again by their own node, durations as they were${gone}`],
      ['not modelled', unmodelled(whole)],
    )
  }
  const silent = silentOf(found)
  if (silent.length > 0) lines.push(['did not answer', line`${silent.join(', ')}`])
  for (const { node, error } of replay.errors) lines.push(['could not', line`${node}: ${error}`])
  return lines
}
