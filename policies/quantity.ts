/**
 * Settings as people write them: `40`, `200/s`, `500ms`, `15m`, `5MiB/s`, `50%`. Where a unit
 * matters a bare number is refused: 500 of what? Writing is the inverse of reading.
 */
import { checkSetting, type Field, type Setting, SettingError } from './settings.ts'
import { show } from './words.ts'

const NUMBER = String.raw`\d+(?:\.\d+)?`
const MS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const PER_SECOND: { readonly [unit: string]: number } = { s: 1, m: 60, min: 60, h: 3600 }
const BYTES: { readonly [unit: string]: number } = {
  GiB: 2 ** 30,
  MiB: 2 ** 20,
  KiB: 2 ** 10,
  GB: 1e9,
  MB: 1e6,
  kB: 1e3,
  KB: 1e3,
  B: 1,
}

/** To the thousandth: 2.3 s are 2300 ms, whatever binary fractions say. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** `500ms`, `1.5s`, `1h30m` in ms, or undefined when it is not one. */
export function durationOf(text: string): number | undefined {
  if (!new RegExp(`^(?:${NUMBER}(?:ms|s|m|h|d))+$`).test(text)) return undefined
  let ms = 0
  for (const [, amount, unit] of text.matchAll(new RegExp(`(${NUMBER})(ms|s|m|h|d)`, 'g'))) {
    ms += Number(amount) * MS[unit!]!
  }
  return rounded(ms)
}

/** Throws a SettingError that names the path. */
export function readDuration(text: string, path = 'duration'): number {
  const ms = durationOf(text.trim())
  if (ms !== undefined) return ms
  throw new SettingError(path, `${show(text)} is not a duration, such as 500ms, 15m or 1h30m`)
}

export function writeDuration(ms: number): string {
  if (!(ms >= 1000)) return `${rounded(ms)}ms`
  let rest = ms
  let text = ''
  for (const unit of ['h', 'm']) {
    const whole = Math.floor(rest / MS[unit]!)
    if (whole > 0) text += `${whole}${unit}`
    rest -= whole * MS[unit]!
  }
  return rest > 0 ? `${text}${rounded(rest * 1000) / 1e6}s` : text
}

/** What a flag says, checked against its field's bounds. Throws a SettingError for `--flag`. */
export function readText(field: Field, text: string, path = `--${field.flag}`): Setting {
  const value = quantityOf(field, text.trim())
  if (value === undefined) {
    throw new SettingError(path, `${show(text)} is not ${EXAMPLE[field.unit]}`)
  }
  return checkSetting(field, value, path)
}

const EXAMPLE: { readonly [unit in Field['unit']]: string } = {
  count: 'a whole number, such as 40',
  ms: 'a duration, such as 500ms or 15m',
  perSecond: 'a rate, such as 200/s',
  bytesPerSecond: 'a bandwidth, such as 5MiB/s',
  ratio: 'a percentage, such as 50%',
  choice: 'a word',
  set: "a set of services, such as 'shop/*'",
  flag: 'true or false',
}

function quantityOf(field: Field, text: string): Setting | undefined {
  switch (field.unit) {
    case 'count':
      return /^-?\d+$/.test(text) ? Number(text) : undefined
    case 'ms':
      return durationOf(text)
    case 'perSecond':
      return scaled(text, new RegExp(`^(${NUMBER})/(s|m|min|h)$`), (unit) => 1 / PER_SECOND[unit]!)
    case 'bytesPerSecond':
      return scaled(text, new RegExp(`^(${NUMBER})([GMK]i?B|kB|B)/s$`), (unit) => BYTES[unit]!)
    case 'ratio':
      return scaled(text, new RegExp(`^(${NUMBER})(%)$`), () => 1 / 100)
    case 'flag':
      return text === 'true' ? true : text === 'false' ? false : undefined
    default:
      return text === '' ? undefined : text
  }
}

function scaled(text: string, form: RegExp, by: (unit: string) => number): number | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  // 7 * (1 / 100) is not 7 / 100: twelve digits are what people write.
  return Number((Number(match[1]) * by(match[2]!)).toPrecision(12))
}

/** The shortest text that `readText` reads as the same value. */
export function writeText(field: Field, value: Setting): string {
  switch (field.unit) {
    case 'ms':
      return writeDuration(Number(value))
    case 'perSecond':
      return `${value}/s`
    case 'bytesPerSecond':
      return writeBytes(Number(value))
    case 'ratio':
      return `${Number((Number(value) * 100).toPrecision(12))}%`
    default:
      return String(value)
  }
}

function writeBytes(bytes: number): string {
  for (const [unit, size] of Object.entries(BYTES)) {
    const amount = bytes / size
    if (amount >= 1 && rounded(amount) === amount) return `${amount}${unit}/s`
  }
  return `${bytes}B/s`
}
