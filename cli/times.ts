/** Times as they are typed: how long (`15m`), until when (`18:00`), since when (`1h`, `14:02`). */
import { readDuration } from '../policies/quantity.ts'
import { misused, reading } from './failure.ts'

const DAY_MS = 24 * 60 * 60_000

/** A whole lease: at most a day, as every intent ends. */
export const LEASE_MS_MAX = DAY_MS

export const readLength = (flag: string, text: string): number =>
  reading(flag, () => readDuration(text, flag))

interface Ask {
  readonly for?: string
  readonly until?: string
}

/** The length of a lease in ms, from `--for` or `--until`; undefined when neither was said. */
export function readLease(flags: Ask, nowMs: number): number | undefined {
  if (flags.for !== undefined && flags.until !== undefined) {
    throw misused('--for and --until say the same twice')
  }
  if (flags.for !== undefined) return bounded('--for', flags.for, readLength('--for', flags.for))
  if (flags.until === undefined) return undefined
  const at = readTime('--until', flags.until, nowMs, 'next')
  return bounded('--until', flags.until, at - nowMs)
}

function bounded(flag: string, text: string, ms: number): number {
  if (ms > 0 && ms <= LEASE_MS_MAX) return ms
  if (ms <= 0) throw misused(`${flag}: '${text}' is over already`)
  throw misused(`${flag}: '${text}' is more than 24h; longer by 'airspace extend'`)
}

/** Unix ms of `1h` (ago), `14:02` (the last one) or an ISO time. */
export function readAgo(flag: string, text: string, nowMs: number): number {
  if (/^\d{1,2}:\d{2}|^\d{4}-/.test(text)) return readTime(flag, text, nowMs, 'last')
  return nowMs - readLength(flag, text)
}

/** `18:00`, `18:00:30` of the operator's own day, or an ISO time. */
function readTime(flag: string, text: string, nowMs: number, which: 'next' | 'last'): number {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text)
  if (!clock) {
    const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN
    if (Number.isFinite(at)) return at
    throw misused(`${flag}: '${text}' is not a time, such as 18:00 or 2026-01-31T18:00:00Z`)
  }
  const at = new Date(nowMs)
  at.setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), 0)
  if (which === 'next' && at.getTime() <= nowMs) at.setDate(at.getDate() + 1)
  if (which === 'last' && at.getTime() > nowMs) at.setDate(at.getDate() - 1)
  return at.getTime()
}
