/**
 * Quantities as people read them. A number that is not zero never reads as zero, and one that is
 * not everything never reads as everything: `<0.1 %`, `>99.9 %`.
 */
import { BETWEEN } from '../landscape/edge.ts'
import { nearest } from '../policies/words.ts'
import { printable } from './printable.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** What a number that is not there reads as. */
export const NOTHING = '-'

/** 9310 -> '9,310'. */
export const count = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')

/** For cells of a table: 812, 2.4k, 41.2k, 3.1M; 0.4 for what is less than ten. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return NOTHING
  if (value > 0 && value < 0.05) return '<0.1'
  if (value < 9.95 && !Number.isInteger(value)) return value.toFixed(1)
  if (value < 999.5) return String(Math.round(value))
  if (value < 999_950) return `${(value / 1e3).toFixed(1)}k`
  if (value < 999_950_000) return `${(value / 1e6).toFixed(1)}M`
  return `${(value / 1e9).toFixed(1)}G`
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** 3.1MiB; powers of 1024, as the flags read them. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return NOTHING
  let size = 0
  let rest = value
  while (rest >= 999.5 && size < SIZES.length - 1) {
    rest /= 1024
    size += 1
  }
  const text = rest < 9.95 && size > 0 ? rest.toFixed(1) : String(Math.round(rest))
  return `${text}${SIZES[size]}`
}

/** For cells: 0.4ms, 41ms, 2.1s, 3m12s. NaN is an edge that completed nothing. */
export function latency(ms: number): string {
  if (!Number.isFinite(ms)) return NOTHING
  if (ms > 0 && ms < 0.05) return '<0.1ms'
  if (ms < 9.95) return `${ms.toFixed(1)}ms`
  if (ms < 999.5) return `${Math.round(ms)}ms`
  if (ms < 9_950) return `${(ms / SECOND).toFixed(1)}s`
  if (ms < 59_500) return `${Math.round(ms / SECOND)}s`
  return duration(ms).replaceAll(' ', '')
}

/** For sentences: '38 ms', '0.8 s', '12 s', '3 m 12 s', '11 m', '2 h 5 m', '29 d'. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return NOTHING
  if (ms < 0) return `-${duration(-ms)}`
  if (ms < 500) return `${Math.round(ms)} ms`
  if (ms < 9_950 && ms % SECOND !== 0) return `${(ms / SECOND).toFixed(1)} s`
  if (ms < 59_500) return `${Math.round(ms / SECOND)} s`
  if (ms < 10 * MINUTE) return both(Math.round(ms / SECOND), 60, 'm', 's')
  if (ms < HOUR - MINUTE / 2) return `${Math.round(ms / MINUTE)} m`
  if (ms < DAY) return both(Math.round(ms / MINUTE), 60, 'h', 'm')
  return both(Math.round(ms / HOUR), 24, 'd', 'h')
}

function both(units: number, each: number, great: string, small: string): string {
  const rest = units % each
  const whole = `${(units - rest) / each} ${great}`
  return rest === 0 ? whole : `${whole} ${rest} ${small}`
}

/** '4.4 %'; a part of nothing is '-'. */
export function percent(part: number, whole: number): string {
  if (!(whole > 0)) return NOTHING
  const share = (100 * part) / whole
  if (share > 0 && share < 0.05) return '<0.1 %'
  if (share < 100 && share >= 99.95) return '>99.9 %'
  return `${share.toFixed(1)} %`
}

/** The same for cells: '4.4%'. */
export const percentCell = (part: number, whole: number): string =>
  percent(part, whole).replace(' ', '')

const two = (value: number): string => String(value).padStart(2, '0')

/** '14:21:04', with the date when it is another day; in the operator's own time zone. */
export function timeOfDay(unixMs: number, nowUnixMs: number): string {
  if (!(unixMs > 0)) return NOTHING
  const at = new Date(unixMs)
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const day = (date: Date): string =>
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return day(at) === day(new Date(nowUnixMs)) ? time : `${day(at)} ${time}`
}

/** The arrow and the gap between columns are ours: a name with them would read as more than one. */
const end = (name: string): string =>
  printable(name).replaceAll('→', '\\u{2192}').replaceAll('  ', ' \\u{20}')

/** 'web → payments', printable. */
export const edgeName = (source: string, target: string): string =>
  `${end(source)} → ${end(target)}`

/** 'web..payments', as it is typed. */
export const edgeWord = (source: string, target: string): string => source + BETWEEN + target

const BARS = '▁▂▃▄▅▆▇█'

/** A bar a point, the highest is the full one; a point without data is a gap. */
export function sparkline(points: readonly number[]): string {
  const most = Math.max(0, ...points.filter(Number.isFinite))
  return points
    .map((point) => {
      if (!Number.isFinite(point)) return ' '
      return BARS[most === 0 ? 0 : Math.min(7, Math.floor((point / most) * 7.999))]
    })
    .join('')
}

/** 'requests', 'request': English for one and for more. */
export const plural = (value: number, one: string, more = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : more}`

/** A command line as a shell reads it back. */
export const quoted = (words: readonly string[]): string =>
  words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')

/** `, did you mean --for?`, or nothing when nothing is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === undefined ? '' : `, did you mean ${near}?`
}
