/** How whole and how old a screen is: the one thing that every screen says. */
import type { Freshness } from '../wire/gen/airspace_pb.ts'
import { line } from './printable.ts'
import { duration, plural } from './words.ts'

/** Clocks of nodes that differ by more make the times of windows doubtful. */
export const SKEW_MS_MAX = 1_000
/** A view older than this is old. */
export const AGE_MS_MAX = 5_000
const NAMES_MAX = 3

export const isWhole = (freshness: Freshness | undefined): boolean =>
  freshness !== undefined &&
  freshness.expected > 0 &&
  freshness.reporting >= freshness.expected &&
  freshness.oldestMs <= AGE_MS_MAX

/** '2/2 nodes, 0.8 s old', and what is missing. */
export function freshnessWords(freshness: Freshness | undefined): string {
  if (!freshness || (freshness.expected === 0 && freshness.reporting === 0)) return 'no nodes'
  const { expected, reporting, silent, oldestMs, skewMs, gaps } = freshness
  const words = [`${reporting}/${expected} nodes${silentWords(silent)}`]
  words.push(reporting === 0 ? 'nothing heard' : `${duration(oldestMs)} old`)
  if (Math.abs(skewMs) > SKEW_MS_MAX) words.push(`clocks differ by ${duration(Math.abs(skewMs))}`)
  if (gaps > 0n) words.push(`${plural(Number(gaps), 'window')} missing`)
  return words.join(', ')
}

function silentWords(silent: readonly string[]): string {
  if (silent.length === 0) return ''
  const named = silent.slice(0, NAMES_MAX).map((node) => line`${node}`)
  const more = silent.length - named.length
  return ` (silent: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''})`
}

/** The same for `-o json`. */
export const freshnessBody = (freshness: Freshness | undefined): object => ({
  expected: freshness?.expected ?? 0,
  reporting: freshness?.reporting ?? 0,
  silent: freshness?.silent ?? [],
  oldestMs: freshness?.oldestMs ?? null,
  skewMs: freshness?.skewMs ?? null,
  gaps: Number(freshness?.gaps ?? 0n),
})
