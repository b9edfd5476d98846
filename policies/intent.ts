/**
 * What an operator wants: a pattern, on the edges from one set of services to another, for a time.
 * It is read in full where it enters, at both ends of the wire; a blank never means everything,
 * and a zero that was not meant is refused (a blank policy field once took down half a cloud).
 */
import type { Service } from '../landscape/service.ts'
import { readSet, type ServiceSet } from '../landscape/service-set.ts'
import { catalog, kinds, patternOf } from './catalog.ts'
import type { Existing, Pattern, Per, Reach, Side } from './pattern.ts'
import { writeText } from './quantity.ts'
import {
  checkNumber,
  checkWord,
  type Fields,
  readSettings,
  type Setting,
  SettingError,
  type SettingsOf,
  stranger,
} from './settings.ts'
import { type Given, isObject, show } from './words.ts'

/** An intent as it travels and is written down: plain JSON. */
export interface IntentText {
  readonly id: string
  readonly kind: string
  readonly from: string
  readonly to: string
  readonly settings: { readonly [name: string]: Setting }
  readonly mode?: string
  readonly percent?: number
  readonly existing?: string
  readonly graceMs?: number
  readonly leaseMs?: number
  readonly onExpire?: string
  readonly rampMs?: number
  readonly exempt?: string
  readonly per?: string
  readonly reason?: string
  readonly owner?: string
  readonly incident?: string
}

export interface Intent {
  readonly id: string
  readonly pattern: Pattern
  readonly from: ServiceSet
  readonly to: ServiceSet
  readonly settings: SettingsOf<Fields>
  /** The settings of unit `set`, read. */
  readonly sets: { readonly [field: string]: ServiceSet }
  readonly mode: 'enforce' | 'observe'
  readonly percent: number
  readonly existing: Existing
  /** How long a drain lasts; undefined leaves it to the pattern and the side. */
  readonly graceMs: number | undefined
  readonly leaseMs: number
  readonly onExpire: 'ramp' | 'now'
  readonly rampMs: number
  readonly exempt: ServiceSet | undefined
  readonly per: Per
  readonly reason: string
  readonly owner: string
  readonly incident: string
  /** As given. */
  readonly text: IntentText
}

export const LEASE_MS = 15 * 60_000
export const LEASE_MS_MAX = 24 * 3_600_000
export const LEASE_MS_MIN = 1000
export const RAMP_MS = 60_000
export const RAMP_MS_MAX = 3_600_000
export const GRACE_MS = 5000
export const GRACE_MS_MAX = 3_600_000
export const TEXT_MAX = 500

export const MODES = ['enforce', 'observe'] as const
export const EXISTING = ['keep', 'drain', 'cut'] as const
export const ON_EXPIRE = ['ramp', 'now'] as const
export const PERS = ['policy', 'node', 'edge', 'source', 'target'] as const

const NAMES: readonly (keyof IntentText)[] = [
  'id',
  'kind',
  'from',
  'to',
  'settings',
  'mode',
  'percent',
  'existing',
  'graceMs',
  'leaseMs',
  'onExpire',
  'rampMs',
  'exempt',
  'per',
  'reason',
  'owner',
  'incident',
]

export class IntentError extends SettingError {
  override name = 'IntentError'
}

/** Throws an error with the path of what is wrong, below `path`, and what would do. */
export function readIntent(given: unknown, path = ''): Intent {
  if (!isObject(given)) throw new IntentError(path, `${show(given)} is not an intent`)
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  for (const name of Object.keys(given)) {
    if (!NAMES.includes(name as keyof IntentText)) throw stranger(at(name), name, NAMES)
  }
  const id = readId(given['id'], at('id'))
  const pattern = patternOf(checkWord(kinds, given['kind'], at('kind')))!
  const from = readSelector(given['from'], at('from'))
  const to = readSelector(given['to'], at('to'))
  const settings = readSettings(pattern.fields, given['settings'], at('settings'))
  const complaint = pattern.check?.(settings, { from: from.text, to: to.text })
  if (complaint) throw new IntentError(at('settings'), complaint)
  return {
    id,
    pattern,
    from,
    to,
    settings,
    sets: readSets(pattern.fields, settings, at('settings')),
    ...readManner(given, pattern, at),
    text: given as unknown as IntentText,
  }
}

/** An intent before it was given an id, as an operator sends it. */
export function readDraft(given: unknown, path = ''): Intent {
  return readIntent(isObject(given) && !given['id'] ? { ...given, id: 'draft' } : given, path)
}

type Manner = Omit<Intent, 'id' | 'pattern' | 'from' | 'to' | 'settings' | 'sets' | 'text'>

/** How it is applied: what every pattern has alike. */
function readManner(given: Given, pattern: Pattern, at: (name: string) => string): Manner {
  const word = <W extends string>(name: string, words: readonly W[], fallback: W): W =>
    given[name] === undefined ? fallback : checkWord(words, given[name], at(name))
  const ms = (name: string, min: number, max: number): number | undefined =>
    given[name] === undefined
      ? undefined
      : checkNumber({ unit: 'ms', min, max }, given[name], at(name))
  const percent = given['percent'] === undefined ? 100 : given['percent']
  if (typeof percent !== 'number' || !(percent > 0 && percent <= 100)) {
    throw new IntentError(at('percent'), `${show(percent)} is not above 0 and at most 100`)
  }
  return {
    mode: word('mode', MODES, 'enforce'),
    percent,
    existing: word('existing', EXISTING, pattern.existing),
    graceMs: ms('graceMs', 0, GRACE_MS_MAX),
    leaseMs: ms('leaseMs', LEASE_MS_MIN, LEASE_MS_MAX) ?? LEASE_MS,
    onExpire: word('onExpire', ON_EXPIRE, 'ramp'),
    rampMs: ms('rampMs', 0, RAMP_MS_MAX) ?? RAMP_MS,
    exempt: given['exempt'] === undefined ? undefined : readSelector(given['exempt'], at('exempt')),
    per: word('per', PERS, pattern.per),
    reason: readWords(given['reason'], at('reason')),
    owner: readWords(given['owner'], at('owner')),
    incident: readWords(given['incident'], at('incident')),
  }
}

function readId(given: unknown, path: string): string {
  if (typeof given === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(given)) return given
  throw new IntentError(
    path,
    `${show(given)} is not an id of 1 to 64 letters, digits, '.', '_', '-'`,
  )
}

function readWords(given: unknown, path: string): string {
  if (given === undefined) return ''
  if (typeof given !== 'string') throw new IntentError(path, `${show(given)} is not a text`)
  if (given.length <= TEXT_MAX) return given
  throw new IntentError(path, `${given.length} characters are more than ${TEXT_MAX}`)
}

function readSelector(given: unknown, path: string): ServiceSet {
  if (typeof given !== 'string') {
    throw new IntentError(path, `${show(given)} is not a set of services, such as 'shop/*'`)
  }
  try {
    return readSet(given)
  } catch (error) {
    throw new IntentError(path, (error as Error).message)
  }
}

function readSets(fields: Fields, settings: SettingsOf<Fields>, path: string): Intent['sets'] {
  const sets: { [field: string]: ServiceSet } = {}
  for (const [name, { unit }] of Object.entries(fields)) {
    if (unit !== 'set' || settings[name] === undefined) continue
    sets[name] = readSelector(settings[name], `${path}.${name}`)
  }
  return sets
}

/** Services that ask to be left alone are: no pattern covers an edge that they are an end of. */
const isProtected = ({ labels }: Service): boolean => labels['protected'] === 'true'

/** Which side of the intent an edge is on, or undefined when it is not about that edge. */
export function covers(intent: Intent, source: Service, target: Service): Side | undefined {
  if (isProtected(source) || isProtected(target)) return undefined
  if (intent.exempt?.has(source)) return undefined
  const { pattern, from, to } = intent
  if (pattern.covers) return pattern.covers(intent.settings, reachOf(intent), source, target)
  return from.has(source) && to.has(target) ? 'on' : undefined
}

const reachOf = ({ from, to, sets }: Intent): Reach => ({
  from: (service) => from.has(service),
  to: (service) => to.has(service),
  set: (field, service) => sets[field]?.has(service) ?? false,
})

/** `bulkhead *..web maxInFlight=1 observe`: what was set, and not the fallbacks. */
export function describeIntent({ pattern, from, to, settings, mode, percent }: Intent): string {
  const words = [pattern.kind, `${from.text}..${to.text}`]
  for (const [name, field] of Object.entries(pattern.fields)) {
    const value = settings[name]
    if (value === undefined || value === field.fallback) continue
    words.push(`${name}=${writeText(field, value)}`)
  }
  if (mode === 'observe') words.push('observe')
  if (percent < 100) words.push(`${percent}%`)
  return words.join(' ')
}

/** The whole of it with defaults filled in, as it would be applied. */
export function writeIntent(intent: Intent): IntentText {
  const { pattern, from, to, sets: _sets, text: _text, ...rest } = intent
  const given = Object.entries(intent.settings).filter(([, value]) => value !== undefined)
  const { graceMs, exempt, ...manner } = rest
  return {
    ...manner,
    kind: pattern.kind,
    from: from.text,
    to: to.text,
    settings: Object.fromEntries(given) as IntentText['settings'],
    ...(graceMs === undefined ? {} : { graceMs }),
    ...(exempt === undefined ? {} : { exempt: exempt.text }),
  }
}

/** The order in which intents are asked: the catalog's, then as they were given. */
export const inOrder = <T extends { readonly intent: Intent }>(given: readonly T[]): T[] =>
  catalog.flatMap((pattern) => given.filter(({ intent }) => intent.pattern === pattern))
