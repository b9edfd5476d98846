/** `airspace describe pattern bh-91c` */

import { catalog } from '../../policies/catalog.ts'
import { writeText } from '../../policies/quantity.ts'
import { around, aroundWords, nothing } from '../about.ts'
import { freshnessBody, freshnessWords } from '../freshness.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { line, toned } from '../printable.ts'
import { pairs, table } from '../table.ts'
import { Verb } from '../verb.ts'
import {
  existingWords,
  leftWords,
  type PatternRow,
  patternRow,
  type Toll,
  whatWords,
} from '../view/patterns.ts'
import { count, duration, edgeName, percent, timeOfDay } from '../words.ts'

export function describePattern(run: Invocation): Verb {
  return new Verb('pattern', 'what was asked, where it is enforced, what it did, who asked')
    .argument('<id>', 'as get patterns lists them')
    .example('airspace describe pattern bh-91c', 'with its shares and its ledger')
    .action(async (id: string) => {
      const nowMs = run.terminal.wallMs()
      const control = await run.control()
      const found = await control.ask('getPatterns', { ended: true })
      const rows = found.patterns.map(patternRow)
      const row = rows.find(({ intent }) => intent.id === id)
      if (!row) {
        throw nothing(
          'pattern',
          id,
          rows.map(({ intent }) => intent.id),
        )
      }
      const past = await around(control, nowMs, { entry: (entry) => entry.id === id })
      const fresh = freshnessWords(found.freshness)
      print(run, {
        kind: 'PatternDescription',
        body: {
          freshness: freshnessBody(found.freshness),
          pattern: row,
          entries: past.entries,
        },
        ids: [id],
        table: () => patternWords(row, fresh, nowMs) + sharesWords(row) + aroundWords(past, nowMs),
      })
    })
}

function patternWords(row: PatternRow, fresh: string, nowMs: number): string {
  const { intent } = row
  const at = row.at === null ? 0 : Date.parse(row.at)
  const what = whatWords(intent)
  const head = line`${intent.id}  ${intent.kind}  ` + edgeName(intent.from ?? '', intent.to ?? '')
  const left = row.state === 'ended' ? '' : `, ${leftWords(row, nowMs)} left`
  const lines: [string, string][] = [
    ['state', line`${row.state}, until ${timeOfDay(row.untilUnixMs, nowMs)}${left}`],
    ['enforced', `on ${row.enforcing} of ${row.expected} nodes`],
    ['asked by', line`${row.author} at ${timeOfDay(at, nowMs)}`],
    ['reason', line`${intent.reason ?? '-'}`],
    ['in flight', count(row.inFlight)],
    ['so far', tollWords(row.total, intent.mode === 'observe')],
    ['last 10 s', tollWords(row.recent, intent.mode === 'observe')],
  ]
  if (intent.exempt !== undefined) lines.push(['exempt', line`${intent.exempt}`])
  if (intent.existing !== undefined) lines.push(['running work', existingWords(intent)])
  const told = pairs([...lines, ...settings(row)])
  return `${head}  ${line`${what}`}\n${toned('faint', fresh)}\n${told}`
}

function tollWords(toll: Toll, observed: boolean): string {
  const { matched } = toll
  const refused = observed ? toll.wouldRefuse : toll.refused
  const delayed = observed ? toll.wouldDelay : toll.delayed
  const would = observed ? 'would have ' : ''
  const words = [
    `${count(matched)} matched`,
    `${would}refused ${count(refused)} (${percent(refused, matched)})`,
    `delayed ${count(delayed)}`,
  ]
  if (toll.delayed > 0 && !observed) words.push(`${duration(toll.delayedMs / toll.delayed)} each`)
  const cut = observed ? toll.wouldCut : toll.cut
  if (cut > 0) words.push(`cut ${count(cut)}`)
  return words.join(', ')
}

/** Every setting, those that were not said too: what holds is what matters. */
function settings({ intent }: PatternRow): [string, string][] {
  const fields = catalog.find(({ kind }) => kind === intent.kind)?.fields ?? {}
  return Object.entries(intent.settings ?? {}).map(([name, value]) => {
    const field = fields[name]
    const said = field ? `--${field.flag}` : name
    return [line`${said}`, line`${field ? writeText(field, value) : String(value)}`]
  })
}

function sharesWords({ shares }: PatternRow): string {
  const text = table(
    [
      { title: 'NODE', cell: (share) => share.node },
      { title: 'LIMIT', cell: (share) => share.field },
      { title: 'SHARE', align: 'right', cell: (share) => String(share.share) },
      { title: '', cell: (share) => (share.stranded ? 'stranded' : ''), tone: () => 'warn' },
    ],
    shares,
  )
  return text && `\nshares\n${text}`
}
