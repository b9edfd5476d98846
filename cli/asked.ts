/**
 * What an operator typed, as an intent. A pattern's flags come from its fields in the catalog, so
 * a pattern that is added there is a verb here; what all patterns have alike is below.
 */
import { serviceNamed } from '../landscape/service.ts'
import {
  EXISTING,
  GRACE_MS_MAX,
  type IntentText,
  ON_EXPIRE,
  PERS,
  RAMP_MS_MAX,
  readDraft,
  writeIntent,
} from '../policies/intent.ts'
import type { Pattern, Reach } from '../policies/pattern.ts'
import { readText } from '../policies/quantity.ts'
import { checkWord, type Field, readSettings, type Setting } from '../policies/settings.ts'
import { type Ends, endsIn, readSelector } from './ends.ts'
import { misused, reading } from './failure.ts'
import { readLease, readLength } from './times.ts'
import { didYouMean } from './words.ts'

export interface Flags {
  readonly [name: string]: unknown
  readonly from?: string
  readonly to?: string
  readonly for?: string
  readonly until?: string
  readonly observe?: boolean
  readonly percent?: string
  readonly existing?: string
  readonly grace?: string
  readonly ramp?: string
  readonly onExpire?: string
  readonly exempt?: string
  readonly per?: string
  readonly reason?: string
  readonly incident?: string
}

/** The name commander gives a flag's value: `--max-in-flight` -> maxInFlight. */
export const valueName = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

interface Words {
  readonly settings: { readonly [name: string]: Setting }
  readonly edge: string | undefined
}

/** `open web..payments`: a word of the pattern before the edge sets the field it belongs to. */
export function readWords(pattern: Pattern, words: readonly string[], hasEnds: boolean): Words {
  const [first, second] = words
  if (first === undefined) return { settings: {}, edge: undefined }
  if (second === undefined && !hasEnds) return { settings: {}, edge: first }
  const chosen = Object.entries(pattern.fields).filter(([, field]) => field.unit === 'choice')
  for (const [name, field] of chosen) {
    if (!choicesOf(field).includes(first)) continue
    return { settings: { [name]: first }, edge: second }
  }
  if (second === undefined) return { settings: {}, edge: first }
  const known = chosen.flatMap(([, field]) => choicesOf(field))
  const would = known.length > 0 ? `; before an EDGE goes ${known.join(', ')}` : ''
  throw misused(`${pattern.kind} knows no '${first}'${didYouMean(first, known) || would}`)
}

export const choicesOf = (field: Field): readonly string[] =>
  field.unit === 'choice' ? field.choices : []

/**
 * A pattern that fences a set in is, with everyone as `from`, about calls out of `to` as well: then
 * one set says it all. Asked of the pattern itself, so that no list of kinds is kept here.
 */
export function takesSet(pattern: Pattern): boolean {
  if (!pattern.covers) return false
  const [inside, outside] = [serviceNamed('inside'), serviceNamed('outside')]
  const reach: Reach = { from: () => true, to: (service) => service === inside, set: () => false }
  return pattern.covers(readSettings(pattern.fields, {}), reach, inside, outside) !== undefined
}

function readWhom(pattern: Pattern, word: string | undefined, flags: Flags): Ends {
  if (word !== undefined && takesSet(pattern) && !word.includes('..') && !flags.from && !flags.to) {
    return { from: '*', to: readSelector('SET', word) }
  }
  const ends = endsIn(word, flags)
  if (ends) return ends
  const example = takesSet(pattern) ? 'payments' : 'web..payments'
  throw misused(
    `${takesSet(pattern) ? 'SET' : 'EDGE'} is missing`,
    `airspace ${pattern.kind} ${example}; or --from web --to payments`,
  )
}

function readFields(pattern: Pattern, flags: Flags): { [name: string]: Setting } {
  const settings: { [name: string]: Setting } = {}
  for (const [name, field] of Object.entries(pattern.fields)) {
    const given = flags[valueName(field.flag)]
    if (typeof given === 'boolean') settings[name] = given
    else if (typeof given === 'string') {
      settings[name] = reading(`--${field.flag}`, () => readText(field, given))
    }
  }
  return settings
}

/** As it would be applied, with what was not said filled in. Throws a Failure that says where. */
export function readAsked(
  pattern: Pattern,
  words: readonly string[],
  flags: Flags,
  nowMs: number,
): { readonly asked: IntentText; readonly whole: IntentText } {
  const said = readWords(pattern, words, flags.from !== undefined || flags.to !== undefined)
  const asked: IntentText = {
    id: '',
    kind: pattern.kind,
    ...readWhom(pattern, said.edge, flags),
    settings: { ...said.settings, ...readFields(pattern, flags) },
    ...readManner(flags, nowMs),
  }
  try {
    return { asked, whole: writeIntent(readDraft(asked)) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw misused(inFlags(pattern, error.message), `airspace ${pattern.kind} --help`)
  }
}

/** A complaint about settings says them as they are typed. */
function inFlags(pattern: Pattern, complaint: string): string {
  let text = complaint.replace(/^settings(\.\w+)?: /, '')
  for (const [name, { flag }] of Object.entries(pattern.fields)) {
    text = text.replaceAll(new RegExp(`\\b(?<!-)${name}\\b`, 'g'), `--${flag}`)
  }
  return text
}

function readManner(flags: Flags, nowMs: number): Partial<IntentText> {
  const leaseMs = readLease(flags, nowMs)
  const word = (flag: string, known: readonly string[], given: string | undefined) =>
    given === undefined ? undefined : reading(flag, () => checkWord(known, given, flag))
  const manner = {
    leaseMs,
    mode: flags.observe ? 'observe' : undefined,
    percent: flags.percent === undefined ? undefined : readPercent(flags.percent),
    existing: word('--existing', EXISTING, flags.existing),
    graceMs: lengthUpTo('--grace', flags.grace, GRACE_MS_MAX),
    rampMs: lengthUpTo('--ramp', flags.ramp, RAMP_MS_MAX),
    onExpire: word('--on-expire', ON_EXPIRE, flags.onExpire),
    exempt: flags.exempt === undefined ? undefined : readSelector('--exempt', flags.exempt),
    per: word('--per', PERS, flags.per),
    reason: flags.reason,
    incident: flags.incident,
  }
  return Object.fromEntries(
    Object.entries(manner).filter(([, value]) => value !== undefined),
  ) as Partial<IntentText>
}

function lengthUpTo(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined
  const ms = readLength(flag, text)
  if (ms <= max) return ms
  throw misused(`${flag}: '${text}' is more than ${max / 60_000}m`)
}

function readPercent(text: string): number {
  const percent = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN
  if (percent > 0 && percent <= 100) return percent
  throw misused(`--percent: '${text}' is not above 0 and at most 100, such as 10 or 10%`)
}
