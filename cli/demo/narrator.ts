/** Prints what happens: a line with the time of day, what belongs to it indented below. */
import { type Tone, toned } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { timeOfDay } from '../words.ts'

const INDENT = ' '.repeat(10)

export class Narrator {
  readonly #terminal: Terminal

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  plain(text = ''): void {
    this.#terminal.out(`${text}\n`)
  }

  say(text: string, tone?: Tone): void {
    const nowMs = this.#terminal.wallMs()
    this.#terminal.out(`${timeOfDay(nowMs, nowMs)}  ${toned(tone, text)}\n`)
  }

  below(text: string): void {
    for (const each of text.split('\n'))
      this.#terminal.out(`${INDENT}${each}`.trimEnd().concat('\n'))
  }
}
