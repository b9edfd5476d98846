/** `airspace explain bulkhead.max-in-flight`: unit, bounds, default and an example, offline. */
import { catalog, kinds } from '../../policies/catalog.ts'
import type { Pattern } from '../../policies/pattern.ts'
import { writeText } from '../../policies/quantity.ts'
import type { Field, Setting } from '../../policies/settings.ts'
import { choicesOf, takesSet } from '../asked.ts'
import { EXIT, Failure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { line } from '../printable.ts'
import { pairs, table } from '../table.ts'
import { Verb } from '../verb.ts'
import { didYouMean } from '../words.ts'

export function explain(run: Invocation): Verb {
  return new Verb('explain', 'what a pattern does and what its settings mean')
    .argument('[what]', 'a pattern, or one of its settings: bulkhead.max-in-flight')
    .example('airspace explain', 'all patterns, in the order they are asked')
    .example('airspace explain bulkhead', 'its settings')
    .example('airspace explain bulkhead.max-in-flight', 'unit, bounds, default, example')
    .action((what: string | undefined) => {
      if (what === undefined) return explainAll(run)
      const [kind, ...rest] = what.split('.')
      const pattern = catalog.find((each) => each.kind === kind)
      if (!pattern) throw missing(`pattern '${kind}'`, didYouMean(kind!, kinds))
      if (rest.length === 0) return explainPattern(run, pattern)
      return explainField(run, pattern, rest.join('.'))
    })
}

const missing = (what: string, meant: string): Failure =>
  new Failure(EXIT.missing, `no ${what}${meant}`, 'airspace explain')

interface Explained {
  readonly name: string
  readonly flag: string
  readonly help: string
  readonly unit: string
  readonly min: number | null
  readonly max: number | null
  readonly choices: readonly string[]
  readonly default: Setting | null
  readonly shared: boolean
}

const explained = (name: string, field: Field): Explained => ({
  name,
  flag: `--${field.flag}`,
  help: field.help,
  unit: field.unit,
  min: 'min' in field ? field.min : null,
  max: 'max' in field ? field.max : null,
  choices: choicesOf(field),
  default: field.fallback ?? null,
  shared: 'shared' in field && field.shared === true,
})

const bodyOf = (pattern: Pattern): object => ({
  kind: pattern.kind,
  help: pattern.help,
  per: pattern.per,
  existing: pattern.existing,
  settings: Object.entries(pattern.fields).map(([name, field]) => explained(name, field)),
})

function explainAll(run: Invocation): void {
  print(run, {
    kind: 'PatternExplanationList',
    body: { items: catalog.map(bodyOf) },
    ids: kinds,
    table: () =>
      table<Pattern>(
        [
          { title: 'PATTERN', cell: ({ kind }) => kind },
          { title: 'WHAT IT DOES', cell: ({ help }) => help, widest: 90 },
        ],
        catalog,
      ),
  })
}

const COUNTED: { readonly [per in Pattern['per']]: string } = {
  policy: 'over the whole fleet',
  node: 'by each node for itself',
  edge: 'for each edge apart',
  source: 'for each source apart',
  target: 'for each target apart',
}

function explainPattern(run: Invocation, pattern: Pattern): void {
  print(run, {
    kind: 'PatternExplanation',
    body: { pattern: bodyOf(pattern) },
    ids: [pattern.kind],
    table: () => {
      const head = line`${pattern.kind}: ${pattern.help}\n`
      const manner = pairs([
        ['running work', `${pattern.existing}, unless --existing says otherwise`],
        ['counted', `${COUNTED[pattern.per]}, unless --per says otherwise`],
      ])
      const fields = Object.entries(pattern.fields)
      return `${head}${manner}\n${table(
        [
          { title: 'SETTING', cell: ([, field]) => `--${field.flag}` },
          { title: 'TAKES', cell: ([, field]) => boundsOf(field), widest: 60 },
          { title: 'DEFAULT', cell: ([, field]) => fallbackOf(field) },
          { title: 'MEANS', cell: ([, field]) => field.help, widest: 80 },
        ],
        fields,
      )}`
    },
  })
}

function explainField(run: Invocation, pattern: Pattern, word: string): void {
  const asked = word.replace(/^--/, '')
  const fields = Object.entries(pattern.fields)
  const found = fields.find(([name, { flag }]) => name === asked || flag === asked)
  if (!found) {
    const known = fields.map(([, { flag }]) => flag)
    throw missing(`setting '${asked}' of ${pattern.kind}`, didYouMean(asked, known))
  }
  const [name, field] = found
  print(run, {
    kind: 'SettingExplanation',
    body: { pattern: pattern.kind, setting: explained(name, field) },
    ids: [field.flag],
    table: () =>
      line`${pattern.kind} --${field.flag}: ${field.help}\n` +
      pairs([
        ['takes', boundsOf(field)],
        ['default', fallbackOf(field)],
        ['of', 'shared' in field ? 'the whole fleet, shared among its nodes' : 'each node'],
        ['in JSON', `settings.${name}`],
        ['example', exampleOf(pattern, field)],
      ]),
  })
}

function boundsOf(field: Field): string {
  switch (field.unit) {
    case 'choice':
      return field.choices.join(', ')
    case 'set':
      return "a set of services, such as 'shop/*'"
    case 'flag':
      return 'nothing: it is said or not'
    default:
      return `${writeText(field, field.min)} to ${writeText(field, field.max)}`
  }
}

const fallbackOf = (field: Field): string =>
  field.fallback === undefined ? '-' : writeText(field, field.fallback)

function exampleOf(pattern: Pattern, field: Field): string {
  const value = field.unit === 'flag' ? '' : ` ${exampleValue(field)}`
  const whom = takesSet(pattern) ? 'payments' : 'web..payments'
  return `airspace ${pattern.kind} ${whom} --${field.flag}${value}`
}

const EXAMPLES: { readonly [unit in Field['unit']]: number | string } = {
  count: 40,
  ms: 15_000,
  perSecond: 200,
  bytesPerSecond: 5 * 2 ** 20,
  ratio: 0.5,
  choice: '',
  set: "'shop/*'",
  flag: '',
}

/** One that the setting's own bounds let through. */
function exampleValue(field: Field): string {
  if (field.unit === 'choice') return field.choices[0] ?? ''
  if (field.unit === 'set' || field.unit === 'flag') return String(EXAMPLES[field.unit])
  const value = Number(EXAMPLES[field.unit])
  return writeText(field, Math.min(field.max, Math.max(field.min, value)))
}
