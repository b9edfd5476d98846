/**
 * What a bench found: figures with their spread, and verdicts that hold a ratio against its gate
 * (the least that is acceptable) and its goal. The ratio is the result; the figures beneath it are
 * of this machine on this day.
 */
export interface Figure {
  readonly bench: string
  readonly what: string
  readonly who: string
  readonly unit: string
  readonly values: readonly number[]
}

export interface Verdict {
  readonly bench: string
  readonly what: string
  readonly unit: string
  readonly values: readonly number[]
  readonly gate?: number
  readonly goal?: number
  /** Which way is better. */
  readonly better: 'less' | 'more'
}

export interface Note {
  readonly bench: string
  readonly text: string
}

/** Median, least and most of what was measured round by round. */
export function spread(values: readonly number[]): { median: number; least: number; most: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
  return { median, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN }
}

export const median = (values: readonly number[]): number => spread(values).median

/** Round by round, so that what slows both in one round cancels out. */
export const ratios = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.slice(0, theirs.length).map((value, round) => value / theirs[round]!)

export function isMet(verdict: Verdict, line: number | undefined): boolean | undefined {
  if (line === undefined) return undefined
  const value = median(verdict.values)
  return verdict.better === 'less' ? value <= line : value >= line
}

export class Report {
  readonly figures: Figure[] = []
  readonly verdicts: Verdict[] = []
  readonly notes: Note[] = []

  figure(bench: string, what: string, who: string, unit: string, values: readonly number[]): void {
    if (values.length > 0) this.figures.push({ bench, what, who, unit, values })
  }

  verdict(verdict: Verdict): void {
    if (verdict.values.length > 0) this.verdicts.push(verdict)
  }

  note(bench: string, text: string): void {
    if (!this.notes.some((note) => note.text === text)) this.notes.push({ bench, text })
  }

  toJson(): unknown {
    const figures = this.figures.map((figure) => ({ ...figure, ...spread(figure.values) }))
    const verdicts = this.verdicts.map((verdict) => ({
      ...verdict,
      ...spread(verdict.values),
      gateMet: isMet(verdict, verdict.gate),
      goalMet: isMet(verdict, verdict.goal),
    }))
    return { figures, verdicts, notes: this.notes }
  }

  toText(): string {
    const figures = this.figures.map((figure) => [
      figure.bench,
      figure.what,
      figure.who,
      show(figure.values, figure.unit),
    ])
    const verdicts = this.verdicts.map((verdict) => [
      verdict.bench,
      verdict.what,
      show(verdict.values, verdict.unit),
      judge(verdict, 'gate'),
      judge(verdict, 'goal'),
    ])
    return [
      table(['bench', 'what', 'who', 'median (least - most)'], figures),
      table(['bench', 'ratio or limit', 'median (least - most)', 'gate', 'goal'], verdicts),
      ...this.notes.map(({ bench, text }) => `${bench}: ${text}`),
    ].join('\n\n')
  }
}

function judge(verdict: Verdict, line: 'gate' | 'goal'): string {
  const limit = verdict[line]
  if (limit === undefined) return '-'
  const sign = verdict.better === 'less' ? '<=' : '>='
  return `${sign} ${digits(limit)} ${isMet(verdict, limit) ? 'met' : 'MISSED'}`
}

const digits = (value: number): string =>
  value === 0 ? '0' : value.toLocaleString('en', { maximumSignificantDigits: 3 })

function show(values: readonly number[], unit: string): string {
  const { median, least, most } = spread(values)
  if (values.length === 1) return `${digits(median)} ${unit}`
  return `${digits(median)} ${unit} (${digits(least)} - ${digits(most)})`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
