/** `airspace check`: is all as it should be? By category, with what to do where it is not. */
import { EXIT, type Exit, misused } from '../failure.ts'
import { CATEGORIES, type Findings, type Item, inspect } from '../findings.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { line, type Tone, toned } from '../printable.ts'
import { Verb } from '../verb.ts'
import { didYouMean, plural } from '../words.ts'

interface Flags {
  readonly only?: string
  readonly strict?: boolean
}

const MARKS: { readonly [level in Item['level']]: readonly [string, Tone] } = {
  ok: ['√', 'good'],
  warn: ['‼', 'warn'],
  fail: ['×', 'bad'],
}

export function check(run: Invocation): Verb {
  return new Verb('check', 'is everything as it should be? with a fix for what is not')
    .option('--only <CATEGORY>', CATEGORIES.join(', '))
    .option('--strict', 'end with 10 when there are warnings')
    .example('airspace check', 'all of it')
    .example('airspace check --only nodes', 'one category')
    .example('airspace check --strict -o short', 'for a script: only what is wrong')
    .action(async (flags: Flags) => {
      const { only } = flags
      if (only !== undefined && !CATEGORIES.some((known) => known === only)) {
        const meant = didYouMean(only, CATEGORIES) || `; there is ${CATEGORIES.join(', ')}`
        throw misused(`--only: no category '${only}'${meant}`)
      }
      const findings = await inspect(run)
      const items = findings.items.filter(({ category }) => !only || category === only)
      const many = (level: Item['level']): number =>
        items.filter((item) => item.level === level).length
      const counts = { ok: many('ok'), warnings: many('warn'), failed: many('fail') }
      const wrong = items.filter(({ level }) => level !== 'ok')
      print(run, {
        kind: 'CheckReport',
        body: { counts, items },
        ids: wrong.map((item) => `${item.category}: ${item.what}`),
        short: () =>
          wrong.map((item) => `${markOf(item)} ${item.category}: ${saidOf(item)}`).join(''),
        table: () => report(items) + summary(counts),
      })
      run.exit = exitOf(findings, counts, flags)
    })
}

function exitOf(
  findings: Findings,
  counts: { readonly warnings: number; readonly failed: number },
  flags: Flags,
): Exit {
  if (counts.failed > 0) return findings.exit ?? EXIT.failed
  return flags.strict && counts.warnings > 0 ? EXIT.warned : EXIT.done
}

const markOf = ({ level }: Item): string => {
  const [mark, tone] = MARKS[level]
  return toned(tone, mark)
}

const saidOf = ({ what, fix }: Item): string =>
  line`${what}\n` + (fix === undefined ? '' : line`      fix: ${fix}\n`)

function report(items: readonly Item[]): string {
  return CATEGORIES.map((category) => {
    const found = items.filter((item) => item.category === category)
    if (found.length === 0) return ''
    return `${category}\n${found.map((item) => `  ${markOf(item)} ${saidOf(item)}`).join('')}`
  }).join('')
}

const summary = (counts: { ok: number; warnings: number; failed: number }): string =>
  `${counts.ok} ok, ${plural(counts.warnings, 'warning')}, ${counts.failed} failed\n`
