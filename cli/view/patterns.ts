/** A pattern at work: what was asked, where it is enforced, what it did and how long it lasts. */
import { catalog } from '../../policies/catalog.ts'
import type { IntentText } from '../../policies/intent.ts'
import { writeText } from '../../policies/quantity.ts'
import type { Field } from '../../policies/settings.ts'
import { intentFromWire } from '../../wire/codec.ts'
import type { Intent, PatternView, PolicySignal } from '../../wire/gen/airspace_pb.ts'
import { iso } from '../output.ts'
import type { Tone } from '../printable.ts'
import type { Column } from '../table.ts'
import { count, duration, edgeName, percentCell } from '../words.ts'

export interface Toll {
  readonly matched: number
  readonly refused: number
  readonly delayed: number
  readonly delayedMs: number
  readonly wouldRefuse: number
  readonly wouldDelay: number
  readonly cut: number
  readonly wouldCut: number
}

export interface PatternRow {
  readonly intent: Partial<IntentText> & { readonly id: string; readonly kind: string }
  readonly state: string
  readonly until: string | null
  readonly untilUnixMs: number
  readonly expected: number
  readonly enforcing: number
  readonly total: Toll
  readonly recent: Toll
  readonly author: string
  readonly at: string | null
  readonly inFlight: number
  readonly shares: readonly ShareRow[]
}

export interface ShareRow {
  readonly node: string
  readonly field: string
  readonly share: number
  readonly stranded: boolean
}

const tollOf = (signal: PolicySignal | undefined): Toll => ({
  matched: Number(signal?.matched ?? 0n),
  refused: Number(signal?.refused ?? 0n),
  delayed: Number(signal?.delayed ?? 0n),
  delayedMs: signal?.delayedMs ?? 0,
  wouldRefuse: Number(signal?.wouldRefuse ?? 0n),
  wouldDelay: Number(signal?.wouldDelay ?? 0n),
  cut: Number(signal?.cut ?? 0n),
  wouldCut: Number(signal?.wouldCut ?? 0n),
})

/** Showing must not depend on this build knowing all of it: what it cannot read is left out. */
export function intentRow(intent: Intent | undefined): PatternRow['intent'] {
  const id = intent?.id ?? ''
  const kind = intent?.kind ?? ''
  if (!intent) return { id, kind }
  try {
    return { ...intentFromWire(intent), id, kind }
  } catch {
    return { id, kind, from: intent.from, to: intent.to }
  }
}

export const patternRow = (view: PatternView): PatternRow => ({
  intent: intentRow(view.intent),
  state: view.state,
  until: iso(view.untilUnixMs),
  untilUnixMs: view.untilUnixMs,
  expected: view.expected,
  enforcing: view.enforcing,
  total: tollOf(view.total),
  recent: tollOf(view.recent),
  author: view.author,
  at: iso(view.atUnixMs),
  inFlight: view.inFlight,
  shares: view.shares.map(({ node, field, share, stranded }) => ({ node, field, share, stranded })),
})

/** 'max in flight 40, max wait 500ms': what differs from what would hold anyway. */
export function settingsWords(kind: string, settings: IntentText['settings'] = {}): string {
  const fields = catalog.find((pattern) => pattern.kind === kind)?.fields ?? {}
  return Object.entries(settings)
    .filter(([name, value]) => value !== fields[name]?.fallback)
    .map(([name, value]) => settingWords(name, fields[name], value))
    .join(', ')
}

function settingWords(
  name: string,
  field: Field | undefined,
  value: number | string | boolean,
): string {
  if (field === undefined) return `${name} ${value}`
  const words = field.flag.replace(/^--/, '').replaceAll('-', ' ')
  return value === true ? words : `${words} ${writeText(field, value)}`
}

/** What an intent does beside its pattern's settings: 'observed', '10 %', 'per source'. */
export function mannerWords(intent: PatternRow['intent']): string {
  const words: string[] = []
  if (intent.mode === 'observe') words.push('only observed')
  if (intent.percent !== undefined && intent.percent < 100) words.push(`${intent.percent} %`)
  const pattern = catalog.find(({ kind }) => kind === intent.kind)
  if (intent.per !== undefined && intent.per !== pattern?.per) words.push(`per ${intent.per}`)
  if (intent.existing !== undefined && intent.existing !== pattern?.existing) {
    words.push(`running work ${existingWords(intent)}`)
  }
  return words.join(', ')
}

export const whatWords = (intent: PatternRow['intent']): string =>
  [settingsWords(intent.kind, intent.settings), mannerWords(intent)]
    .filter((words) => words !== '')
    .join(', ')

/** What happens to work under way. */
export function existingWords({ existing, graceMs }: Partial<IntentText>): string {
  if (existing === 'keep') return 'goes on'
  if (existing === 'cut') return 'is cut'
  return graceMs === undefined ? 'drains' : `drains for ${duration(graceMs)}`
}

/** The calls it said no to; of one that is only observed, those it would have. */
const refusals = ({ intent, recent }: PatternRow): string =>
  intent.mode === 'observe'
    ? `(${percentCell(recent.wouldRefuse, recent.matched)})`
    : percentCell(recent.refused, recent.matched)

const stateTone = ({ state }: PatternRow): Tone | undefined => {
  if (state === 'in force') return 'good'
  return state === 'ended' ? 'faint' : 'warn'
}

export const leftWords = (row: PatternRow, nowUnixMs: number): string => {
  if (row.state === 'ended') return ''
  return duration(Math.max(0, row.untilUnixMs - nowUnixMs))
}

export const patternColumns = (nowUnixMs: number): readonly Column<PatternRow>[] => [
  { title: 'ID', cell: ({ intent }) => intent.id },
  { title: 'PATTERN', cell: ({ intent }) => intent.kind },
  { title: 'SOURCE → TARGET', cell: ({ intent }) => edgeName(intent.from ?? '', intent.to ?? '') },
  { title: 'WHAT', cell: ({ intent }) => whatWords(intent), widest: 64 },
  { title: 'STATE', cell: (row) => row.state, tone: stateTone },
  {
    title: 'ENFORCED',
    align: 'right',
    cell: (row) => `${row.enforcing}/${row.expected}`,
    tone: (row) => (row.enforcing < row.expected ? 'warn' : undefined),
  },
  { title: 'MATCHED', align: 'right', cell: ({ total }) => count(total.matched) },
  { title: 'REFUSED', align: 'right', cell: refusals },
  { title: 'LEFT', align: 'right', cell: (row) => leftWords(row, nowUnixMs) },
  { title: 'BY', cell: (row) => row.author },
]
