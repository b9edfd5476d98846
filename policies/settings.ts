/**
 * A pattern's settings, declared as data: one table gives validation, flags, forms and help.
 * Every number says its unit in its name and has bounds; a field without a fallback may be absent.
 */
import { isObject, nearest, show } from './words.ts'

interface Said {
  /** The flag on the command line, without dashes. */
  readonly flag: string
  readonly help: string
}

export interface NumberField extends Said {
  readonly unit: 'count' | 'ms' | 'perSecond' | 'bytesPerSecond' | 'ratio'
  readonly min: number
  readonly max: number
  readonly fallback?: number
  /** A limit of the whole fleet, split among its nodes. */
  readonly shared?: true
  /** Shrinks with the node's share of that field: `burst` with `ratePerSecond`. */
  readonly follows?: string
}

export interface ChoiceField extends Said {
  readonly unit: 'choice'
  readonly choices: readonly string[]
  readonly fallback?: string
}

export interface SetField extends Said {
  readonly unit: 'set'
  readonly fallback?: string
}

export interface FlagField extends Said {
  readonly unit: 'flag'
  readonly fallback?: boolean
}

export type Field = NumberField | ChoiceField | SetField | FlagField
export type Fields = { readonly [name: string]: Field }
export type Setting = number | string | boolean

type ValueOf<F> = F extends { choices: readonly (infer Choice)[] }
  ? Choice
  : F extends { unit: 'set' }
    ? string
    : F extends { unit: 'flag' }
      ? boolean
      : number

export type SettingsOf<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends { fallback: Setting }
    ? ValueOf<F[Name]>
    : ValueOf<F[Name]> | undefined
}

type Rest<F extends Field> = Omit<F, 'unit'>

export const count = <const F extends Rest<NumberField>>(field: F) =>
  ({ ...field, unit: 'count' }) as const
export const milliseconds = <const F extends Rest<NumberField>>(field: F) =>
  ({ ...field, unit: 'ms' }) as const
export const perSecond = <const F extends Rest<NumberField>>(field: F) =>
  ({ ...field, unit: 'perSecond' }) as const
export const bytesPerSecond = <const F extends Rest<NumberField>>(field: F) =>
  ({ ...field, unit: 'bytesPerSecond' }) as const
export const ratio = <const F extends Rest<NumberField>>(field: F) =>
  ({ ...field, unit: 'ratio' }) as const
export const choice = <const F extends Rest<ChoiceField>>(field: F) =>
  ({ ...field, unit: 'choice' }) as const
export const set = <const F extends Rest<SetField>>(field: F) =>
  ({ ...field, unit: 'set' }) as const
export const flag = <const F extends Rest<FlagField>>(field: F) =>
  ({ ...field, unit: 'flag' }) as const

/** What is wrong with something given, and where: `settings.maxInFlight`, `--rate`. */
export class SettingError extends RangeError {
  readonly path: string

  constructor(path: string, complaint: string) {
    super(path === '' ? complaint : `${path}: ${complaint}`)
    this.name = 'SettingError'
    this.path = path
  }
}

/** Checks all of it and fills in the fallbacks. Throws a SettingError. */
export function readSettings<F extends Fields>(
  fields: F,
  given: unknown,
  path = 'settings',
): SettingsOf<F> {
  if (!isObject(given)) {
    throw new SettingError(path, `${show(given)} is not settings by name`)
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(fields, name)) throw stranger(`${path}.${name}`, name, Object.keys(fields))
  }
  const settings: { [name: string]: Setting | undefined } = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(given, name) ? given[name] : field.fallback
    const absent = value === undefined
    settings[name] = absent ? undefined : checkSetting(field, value, `${path}.${name}`)
  }
  return settings as SettingsOf<F>
}

/** The complaint about a name that is none of the known ones. */
export function stranger(path: string, name: string, known: readonly string[]): SettingError {
  const meant = nearest(name, known)
  const would = meant ? `did you mean '${meant}'?` : `there is ${known.join(', ') || 'none'}`
  return new SettingError(path, `no '${name}' here; ${would}`)
}

export function checkSetting(field: Field, value: unknown, path: string): Setting {
  switch (field.unit) {
    case 'choice':
      return checkWord(field.choices, value, path)
    case 'set':
      if (typeof value === 'string' && value.trim() !== '') return value
      throw new SettingError(path, `${show(value)} is not a set of services, such as 'shop/*'`)
    case 'flag':
      if (typeof value === 'boolean') return value
      throw new SettingError(path, `${show(value)} is neither true nor false`)
    default:
      return checkNumber(field, value, path)
  }
}

export function checkNumber(
  { unit, min, max }: Pick<NumberField, 'unit' | 'min' | 'max'>,
  value: unknown,
  path: string,
): number {
  if (typeof value !== 'number') throw new SettingError(path, `${show(value)} is not a number`)
  if (!(value >= min && value <= max)) {
    throw new SettingError(path, `${value} is not between ${min} and ${max}`)
  }
  if (unit === 'count' && !Number.isInteger(value)) {
    throw new SettingError(path, `${value} is not a whole number`)
  }
  return value
}

export function checkWord<W extends string>(words: readonly W[], value: unknown, path: string): W {
  if (words.includes(value as W)) return value as W
  const meant = typeof value === 'string' ? nearest(value, words) : undefined
  const hint = meant ? `; did you mean '${meant}'?` : ''
  throw new SettingError(path, `${show(value)} is not one of ${words.join(', ')}${hint}`)
}
