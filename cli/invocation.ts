/**
 * One command being carried out: its terminal, the flags that every verb takes, the way to the
 * control plane (opened when first asked) and the exit code it will end with.
 */
import { readDuration } from '../policies/quantity.ts'
import type { Control } from './client.ts'
import { EXIT, type Exit, misused, reading } from './failure.ts'
import { type Form, readForm } from './output.ts'
import type { Terminal } from './terminal.ts'
import { findToken, type Token } from './token.ts'

/** As commander hands them over: what was typed. */
export interface GlobalFlags {
  readonly control?: string
  readonly tokenFile?: string
  readonly output?: string
  readonly quiet?: boolean
  readonly timeout?: string
  readonly atNode?: string
  readonly yes?: boolean
}

export const TIMEOUT_MS = 10_000
const TIMEOUT_MS_MAX = 10 * 60_000

export class Invocation {
  readonly terminal: Terminal
  readonly #interrupt = new AbortController()
  #flags: GlobalFlags = {}
  #form: Form = 'table'
  #control: Control | undefined
  #token: Token | undefined
  /** What was typed, without the name of the program. */
  readonly words: readonly string[]
  exit: Exit = EXIT.done

  constructor(terminal: Terminal, words: readonly string[]) {
    this.terminal = terminal
    this.words = words
  }

  /** Called once, when the verb is known and before it acts. */
  begin(flags: GlobalFlags, hasShort = false): void {
    this.#flags = flags
    this.#form = readForm(flags.output, hasShort)
  }

  /** Whoever asks cannot wait: a shell, for what could come next. */
  hurry(timeout: string): void {
    this.#flags = { ...this.#flags, timeout }
  }

  get interrupted(): AbortSignal {
    return this.#interrupt.signal
  }

  interrupt(): void {
    this.#interrupt.abort()
  }

  get form(): Form {
    return this.#form
  }

  get quiet(): boolean {
    return this.#flags.quiet === true
  }

  get atNode(): string | undefined {
    return this.#flags.atNode
  }

  get address(): string {
    const { env } = this.terminal
    return this.#flags.control ?? env['AIRSPACE_CONTROL'] ?? '127.0.0.1:7400'
  }

  get tokenFile(): string | undefined {
    return this.#flags.tokenFile ?? this.terminal.env['AIRSPACE_TOKEN_FILE']
  }

  get timeoutMs(): number {
    const given = this.#flags.timeout
    if (given === undefined) return TIMEOUT_MS
    const ms = reading('--timeout', () => readDuration(given, '--timeout'))
    if (ms > 0 && ms <= TIMEOUT_MS_MAX) return ms
    throw misused(`--timeout: ${given} is not between 1ms and 10m`)
  }

  token(): Token | undefined {
    this.#token ??= findToken(this.tokenFile)
    return this.#token
  }

  /** The control plane; loaded late, since `explain` and `--help` need none of it. */
  async control(): Promise<Control> {
    if (this.atNode !== undefined) {
      throw misused(
        '--at-node: a single node answers get edges, get patterns and release, nothing else',
      )
    }
    const { Control } = await import('./client.ts')
    this.#control ??= new Control({
      address: this.address,
      token: () => this.token(),
      timeoutMs: this.timeoutMs,
      interrupted: this.interrupted,
    })
    return this.#control
  }

  /** Data, on standard output. */
  out(text: string): void {
    this.terminal.out(text)
  }

  /** Talk, on standard error; none when asked to be quiet. */
  say(text: string): void {
    if (!this.quiet) this.terminal.err(text)
  }

  end(): void {
    this.#control?.close()
  }
}
