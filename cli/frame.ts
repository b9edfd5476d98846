/** A frame of `airspace top`: what is on the screen, given what is known and what was pressed. */
import type { Landscape } from '../wire/gen/airspace_pb.ts'
import { freshnessWords } from './freshness.ts'
import { clipped, line, toned, width } from './printable.ts'
import { rows } from './table.ts'
import { restWords } from './verbs/get-edges.ts'
import {
  EDGE_COLUMNS,
  EDGE_ORDERS,
  type EdgeRow,
  edgeRows,
  sorted,
  trendColumn,
} from './view/edges.ts'
import { duration, edgeWord, timeOfDay } from './words.ts'

export interface Seen {
  /** Numbers, over the window asked for. */
  readonly now: Landscape
  /** The last minute, for its trend. */
  readonly minute: Landscape
  readonly atUnixMs: number
}

export interface Viewing {
  readonly sort: string
  readonly filter: string
  /** The filter is being typed. */
  readonly typing: boolean
  readonly paused: boolean
  /** The first row shown. */
  readonly first: number
  readonly help: boolean
}

export const VIEWING: Viewing = {
  sort: 'p99',
  filter: '',
  typing: false,
  paused: false,
  first: 0,
  help: false,
}

const FILTER_MAX = 100
const KEYS = '[p]ause [/]filter [s]ort [?]keys [q]uit'
const FEWER_KEYS = '[?]keys'
/** Heading, titles of columns, what was left out. */
const LINES_AROUND = 3

/** What a key does; undefined is the end. */
export function pressed(viewing: Viewing, key: string, page: number): Viewing | undefined {
  if (key === 'ctrl-c') return undefined
  if (viewing.typing) return typed(viewing, key)
  if (viewing.help) return { ...viewing, help: false }
  const moved = (by: number): Viewing => ({ ...viewing, first: Math.max(0, viewing.first + by) })
  switch (key) {
    case 'q':
      return undefined
    case 'p':
    case 'space':
      return { ...viewing, paused: !viewing.paused }
    case 's':
      return { ...viewing, sort: after(viewing.sort), first: 0 }
    case '/':
      return { ...viewing, typing: true, filter: '', first: 0 }
    case 'escape':
      return { ...viewing, filter: '', first: 0 }
    case '?':
      return { ...viewing, help: true }
    case 'up':
    case 'k':
      return moved(-1)
    case 'down':
    case 'j':
      return moved(1)
    case 'pageup':
      return moved(-page)
    case 'pagedown':
      return moved(page)
    default:
      return viewing
  }
}

function typed(viewing: Viewing, key: string): Viewing {
  const { filter } = viewing
  if (key === 'return' || key === 'enter') return { ...viewing, typing: false }
  if (key === 'escape') return { ...viewing, typing: false, filter: '' }
  if (key === 'backspace') return { ...viewing, filter: filter.slice(0, -1) }
  if (!/^[\x21-\x7e]$/.test(key) || filter.length >= FILTER_MAX) return viewing
  return { ...viewing, filter: filter + key }
}

function after(sort: string): string {
  const names = Object.keys(EDGE_ORDERS)
  return names[(names.indexOf(sort) + 1) % names.length]!
}

/** Rows that pass the filter, in order; `!` before it keeps the others. */
export function chosen(seen: Seen, { sort, filter }: Viewing): EdgeRow[] {
  const trends = new Map(
    seen.minute.edges.map((view) => {
      return [edgeWord(view.signal?.source ?? '', view.signal?.target ?? ''), view.trend] as const
    }),
  )
  const inverse = filter.startsWith('!')
  const part = inverse ? filter.slice(1) : filter
  const found = edgeRows(seen.now)
    .map((row) => ({ ...row, word: edgeWord(row.source, row.target) }))
    .filter(({ word, verdict, patterns }) => {
      return [word, verdict, ...patterns].some((text) => text.includes(part)) !== inverse
    })
    .map(({ word, ...row }) => ({ ...row, trendMs: trends.get(word) ?? [] }))
  return sorted(found, sort)
}

const COLUMNS = [...EDGE_COLUMNS, trendColumn('LAST MINUTE p99')]

/** Lines of a frame; `trouble` is said when the newest could not be had. */
export function frame(
  seen: Seen | undefined,
  viewing: Viewing,
  columns: number,
  height: number,
  trouble?: string,
): string[] {
  if (viewing.help) return HELP.slice(0, height).map((text) => clipped(text, columns))
  const said = trouble === undefined ? [] : [toned('bad', clipped(line`${trouble}`, columns))]
  if (!seen) return [...said, 'asking the control plane ...']
  const all = chosen(seen, viewing)
  const room = Math.max(1, height - LINES_AROUND - said.length)
  const first = Math.min(viewing.first, Math.max(0, all.length - room))
  const shown = all.slice(first, first + room)
  const rest = restWords([...all.slice(0, first), ...all.slice(first + room)])
  const body = rows(COLUMNS, shown).map((row) => clipped(row, columns))
  const none = viewing.filter === '' ? 'no edge was seen' : line`no edge has '${viewing.filter}'`
  return [
    heading(seen, viewing, columns),
    ...said,
    ...(body.length > 0 ? body : [none]),
    ...(rest === undefined ? [] : [toned('faint', clipped(rest, columns))]),
  ]
}

function heading({ now, atUnixMs }: Seen, viewing: Viewing, columns: number): string {
  const parts = [
    'top edges',
    `window ${duration(now.toUnixMs - now.fromUnixMs)}`,
    `sort ${viewing.sort}`,
    freshnessWords(now.freshness),
  ]
  if (viewing.typing) parts.push(line`/${viewing.filter}_`)
  else if (viewing.filter !== '') parts.push(line`/${viewing.filter}`)
  if (viewing.paused) parts.push('paused')
  const left = parts.join(' · ')
  if (!Number.isFinite(columns)) return toned('strong', left)
  const time = timeOfDay(atUnixMs, atUnixMs)
  const right = [`${time}  ${KEYS}`, `${time}  ${FEWER_KEYS}`, FEWER_KEYS].find((text) => {
    return width(left) + 2 + width(text) <= columns
  })
  if (right === undefined) return toned('strong', clipped(left, columns))
  return toned('strong', left + ' '.repeat(columns - width(left) - width(right)) + right)
}

const HELP = [
  'p, space   pause, go on',
  's          sort by the next column',
  '/          only what has this in its name, verdict or patterns',
  '/!         only what has it not; esc shows all again',
  'up, down   scroll (also j, k, page up, page down)',
  'q          quit',
  '',
  'any key goes back',
]
