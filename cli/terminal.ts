/**
 * Where words go and keys come from: data to standard output, talk to standard error. It is the
 * only file that writes an escape sequence; all else is escaped on the way out.
 */
import { emitKeypressEvents } from 'node:readline'
import { type Abilities, rendered } from './printable.ts'

export type Environment = { readonly [name: string]: string | undefined }

export interface Terminal {
  readonly env: Environment
  /** Standard output is a screen with a person before it. */
  readonly interactive: boolean
  columns(): number
  rows(): number
  /** Unix time in ms. */
  wallMs(): number
  out(text: string): void
  err(text: string): void
  /** Bytes for a program, not words for a person: already free of control characters. */
  data(text: string): void
  /** Takes the whole screen until `leave` is called. */
  screen(): Screen
  /** Calls back at the first interrupt; the second one ends the process. */
  onInterrupt(call: () => void): () => void
}

export interface Screen {
  paint(lines: readonly string[]): void
  onKey(call: (key: string) => void): void
  leave(): void
}

/** What a terminal says of itself in its environment. */
export function abilitiesOf(env: Environment, interactive: boolean, noColour: boolean): Abilities {
  const dumb = env['TERM'] === 'dumb' || Boolean(env['NO_COLOR'])
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return { colour: interactive && !dumb && !noColour, unicode: /utf-?8/i.test(locale) }
}

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J'
const LEAVE = '\x1b[?25h\x1b[?1049l'

/** The process's own terminal. */
export function processTerminal(noColour: boolean): Terminal {
  const { stdout, stderr, env } = process
  const interactive = stdout.isTTY === true
  const ability = abilitiesOf(env, interactive, noColour)
  const quiet = abilitiesOf(env, stderr.isTTY === true, noColour)
  // `airspace get edges | head`: who reads has had enough, and so have we.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    throw error
  })
  return {
    env,
    interactive,
    columns: () => stdout.columns ?? 80,
    rows: () => stdout.rows ?? 24,
    wallMs: () => Date.now(),
    out: (text) => stdout.write(rendered(text, ability)),
    err: (text) => stderr.write(rendered(text, quiet)),
    data: (text) => stdout.write(text),
    screen: () => alternateScreen(ability),
    onInterrupt(call) {
      process.once('SIGINT', call)
      return () => process.off('SIGINT', call)
    },
  }
}

/** A frame is one write: each line over the old one, then the rest of the line is cleared. */
function alternateScreen(ability: Abilities): Screen {
  const { stdin, stdout } = process
  stdout.write(ENTER)
  let listener: ((text: string, key: KeyPress) => void) | undefined
  const raw = (on: boolean): void => {
    if (stdin.isTTY) stdin.setRawMode(on)
  }
  return {
    paint(lines) {
      const shown = lines.slice(0, stdout.rows ?? 24).map((text) => rendered(text, ability))
      stdout.write(`\x1b[H${shown.join('\x1b[K\r\n')}\x1b[K\x1b[J`)
    },
    onKey(call) {
      emitKeypressEvents(stdin)
      raw(true)
      listener = (text, key) => call(nameOf(text, key))
      stdin.on('keypress', listener)
      stdin.resume()
    },
    leave() {
      if (listener) stdin.off('keypress', listener)
      raw(false)
      stdin.pause()
      stdout.write(LEAVE)
    },
  }
}

interface KeyPress {
  readonly name?: string
  readonly ctrl?: boolean
  readonly sequence?: string
}

/** 'up', 'return', 'ctrl-c', or the character typed. */
function nameOf(text: string | undefined, key: KeyPress): string {
  if (key.ctrl) return `ctrl-${key.name ?? ''}`
  if (text !== undefined && /^[\x21-\x7e]$/.test(text)) return text
  return key.name ?? text ?? ''
}
