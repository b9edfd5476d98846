/**
 * What a command found, in the form asked for. JSON and YAML are a contract: `apiVersion` says
 * which, numbers are numbers, times are ISO 8601, durations are ms. The table is for eyes.
 */
import { Document, isScalar, visit } from 'yaml'
import { misused } from './failure.ts'
import type { Invocation } from './invocation.ts'
import { line } from './printable.ts'
import { didYouMean } from './words.ts'

export const API_VERSION = 'airspace/v1'

const FORMS = ['table', 'json', 'yaml', 'short'] as const
export type Form = (typeof FORMS)[number]

const HINT = '-o table, -o json or -o yaml'

/** Read before anything is done: a change must not be made and then not be told of. */
export function readForm(text: string | undefined, hasShort: boolean): Form {
  if (text === undefined) return 'table'
  if (text === 'short' && !hasShort) throw misused("-o short is for 'check' alone", HINT)
  const form = FORMS.find((known) => known === text)
  if (form) return form
  throw misused(`-o: no form '${text}'${didYouMean(text, FORMS)}`, HINT)
}

export interface Found {
  readonly kind: string
  /** All of it, as plain objects. */
  readonly body: Readonly<Record<string, unknown>>
  /** For people. */
  table(): string
  /** For `-q`: one a line. */
  readonly ids: readonly string[]
  /** `-o short`, where a verb has it. */
  readonly short?: () => string
}

export function print(run: Invocation, found: Found): void {
  const { form } = run
  if (form === 'json') run.terminal.data(`${json(whole(found))}\n`)
  else if (form === 'yaml') run.terminal.data(yaml(whole(found)))
  else if (form === 'short') run.out(found.short?.() ?? '')
  else if (run.quiet) run.out(found.ids.map((id) => line`${id}\n`).join(''))
  else run.out(found.table())
}

const whole = ({ kind, body }: Found): object => ({ apiVersion: API_VERSION, kind, ...body })

/** What JSON allows as it is but a terminal would obey: C1 controls, bidi marks and their like. */
const ACTING = /[\x7f\p{C}\p{Zl}\p{Zp}]/gu

const asEscapes = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => {
    return `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`
  }).join('')

/** Counts of the wire become numbers; infinities and what was not measured become null. */
const plain = (_name: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' && !Number.isFinite(value) ? null : value
}

/** Escaped so that it may be printed, and parses back to the very same names. */
export function json(value: unknown): string {
  const text = JSON.stringify(value, plain, 2)
  return text.replace(ACTING, (char) => (char === '\n' ? char : asEscapes(char)))
}

export function yaml(value: unknown): string {
  const document = new Document(JSON.parse(JSON.stringify(value, plain)))
  visit(document, {
    Scalar(_key, node) {
      const odd = typeof node.value === 'string' && node.value.search(ACTING) >= 0
      if (isScalar(node) && odd) node.type = 'QUOTE_DOUBLE'
    },
  })
  const text = document.toString({ lineWidth: 0 })
  return text.replace(ACTING, (char) => (char === '\n' ? char : asEscapes(char)))
}

/** An ISO time for `-o json`; what never was is null. */
export const iso = (unixMs: number): string | null =>
  unixMs > 0 ? new Date(unixMs).toISOString() : null
