/** What a detector says of one edge: a word, why, and what it is called as an event. */
export const VERDICTS = ['stuck', 'silent', 'stressed', 'new', 'normal'] as const
export type Verdict = (typeof VERDICTS)[number]

export type Kind =
  | 'black-hole'
  | 'silent-edge'
  | 'strain'
  | 'crowd'
  | 'failing'
  | 'burst'
  | 'new-edge'

export interface Finding {
  readonly kind: Kind
  readonly word: Verdict
  /** In a sentence's words, with its numbers. */
  readonly why: string
}

/** 12, 3.4, 0.25: as many digits as say something. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '?'
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value))
  return value >= 10 ? value.toFixed(1) : String(Number(value.toPrecision(2)))
}

export const milliseconds = (ms: number): string =>
  ms >= 1_000 ? `${number(ms / 1_000)} s` : `${number(ms)} ms`

export function bytes(count: number): string {
  if (count >= 1_048_576) return `${number(count / 1_048_576)} MiB`
  return count >= 1_024 ? `${number(count / 1_024)} KiB` : `${number(count)} B`
}
