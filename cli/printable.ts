/**
 * Names come from whoever opens a connection, so they are printed as what they are and never as
 * what they would do to a terminal: control characters, escape sequences, marks that reorder or
 * stack upon text, and line ends are shown as `\u{1b}`. Colours are asked for by marks that no
 * foreign text can carry, and only terminal.ts turns a mark into an escape sequence.
 */

/** What may be printed: letters, digits, punctuation, symbols and the plain space. */
const FOREIGN = /[^\p{L}\p{N}\p{P}\p{S} ]/gu

/** A name is cut to this many columns in tables; `-o json` has all of it. */
export const NAME_COLUMNS_MAX = 48

/** No message, however long the name in it, prints more than this. */
const MESSAGE_MAX = 2_000

const escaped = (char: string): string => `\\u{${char.codePointAt(0)!.toString(16)}}`

/** One line, safe to print. Doing it twice changes nothing. */
export function printable(text: string): string {
  const safe = text.slice(0, MESSAGE_MAX).replace(FOREIGN, escaped)
  return text.length > MESSAGE_MAX ? `${safe}…` : safe
}

type Value = string | number | bigint

/** A template whose values are made printable: the only way foreign words get into a sentence. */
export function line(parts: TemplateStringsArray, ...values: readonly Value[]): string {
  let text = parts[0]!
  for (const [i, value] of values.entries()) {
    text += (typeof value === 'string' ? printable(value) : String(value)) + parts[i + 1]
  }
  return text
}

export type Tone = 'good' | 'warn' | 'bad' | 'faint' | 'strong'

// Noncharacters, kept for a program's own use (Unicode 16 §23.7): `printable` escapes them.
const MARKS: { readonly [tone in Tone]: string } = {
  good: '\ufdd0',
  warn: '\ufdd1',
  bad: '\ufdd2',
  faint: '\ufdd3',
  strong: '\ufdd4',
}
const END = '\ufdd5'

const SEQUENCES: ReadonlyMap<string, string> = new Map([
  [MARKS.good, '\x1b[32m'],
  [MARKS.warn, '\x1b[33m'],
  [MARKS.bad, '\x1b[31m'],
  [MARKS.faint, '\x1b[2m'],
  [MARKS.strong, '\x1b[1m'],
  [END, '\x1b[0m'],
])

export const toned = (tone: Tone | undefined, text: string): string =>
  tone === undefined ? text : MARKS[tone] + text + END

/** What a terminal without UTF-8 shows instead of our own signs. */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ['→', '->'],
  ['√', 'ok'],
  ['‼', '!!'],
  ['×', 'xx'],
  ['·', '-'],
  ['…', '~'],
  ['▲', '*'],
  ['▁', '_'],
  ['▂', '.'],
  ['▃', '-'],
  ['▄', '='],
  ['▅', '+'],
  ['▆', 'o'],
  ['▇', 'O'],
  ['█', '#'],
])

export interface Abilities {
  readonly colour: boolean
  readonly unicode: boolean
}

/**
 * The last step before a terminal. Whatever was forgotten before is escaped here: of the
 * characters that act rather than show, only the line feed goes through.
 */
export function rendered(text: string, { colour, unicode }: Abilities): string {
  const shown = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => {
    if (char === '\n') return char
    const sequence = SEQUENCES.get(char)
    if (sequence === undefined) return escaped(char)
    return colour ? sequence : ''
  })
  if (unicode) return shown
  return shown.replace(/\P{ASCII}/gu, (char) => PLAIN.get(char) ?? escaped(char))
}

/** First and last of the blocks that terminals show two columns wide (Unicode, EastAsianWidth). */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
]

const columnsOf = (char: string): number => {
  if (SEQUENCES.has(char)) return 0
  const code = char.codePointAt(0)!
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}

/** How many columns a printable text takes. */
export function width(text: string): number {
  let columns = 0
  for (const char of text) columns += columnsOf(char)
  return columns
}

/** Cut in the middle: the two ends of a name tell more than its beginning. */
export function fitted(text: string, columns: number): string {
  if (width(text) <= columns) return text
  const chars = [...text]
  const head: string[] = []
  const tail: string[] = []
  let room = columns - 1
  while (chars.length > 0) {
    const fromHead = head.length <= tail.length
    const next = fromHead ? chars.shift()! : chars.pop()!
    if (columnsOf(next) > room) break
    room -= columnsOf(next)
    if (fromHead) head.push(next)
    else tail.unshift(next)
  }
  return `${head.join('')}…${tail.join('')}`
}

/** Cut at the end, for a screen that is too narrow; marks of colour survive the cut. */
export function clipped(text: string, columns: number): string {
  if (width(text) <= columns) return text
  let room = columns - 1
  let kept = ''
  for (const char of text) {
    room -= columnsOf(char)
    if (room < 0) break
    kept += char
  }
  return `${kept}…${END}`
}
