/** A terminal that keeps what it was told; its clock stands, or is moved by the test. */
import { type Abilities, rendered } from '../../cli/printable.ts'
import type { Environment, Screen, Terminal } from '../../cli/terminal.ts'

/** Monday 5 January 2026, 14:06:04 UTC. */
export const NOW_MS = Date.UTC(2026, 0, 5, 14, 6, 4)

export interface Options {
  readonly env?: Environment
  readonly interactive?: boolean
  readonly abilities?: Partial<Abilities>
  readonly columns?: number
  readonly rows?: number
}

export class FakeTerminal implements Terminal {
  readonly env: Environment
  readonly interactive: boolean
  readonly #abilities: Abilities
  readonly #columns: number
  readonly #rows: number
  nowMs = NOW_MS
  stdout = ''
  stderr = ''
  readonly frames: string[][] = []
  isOnScreen = false
  press: (key: string) => void = () => {}
  interrupt: () => void = () => {}
  /** Called with every frame, so that a test can press a key once it has seen something. */
  onFrame: (lines: readonly string[]) => void = () => {}

  constructor(options: Options = {}) {
    this.env = options.env ?? {}
    this.interactive = options.interactive ?? false
    this.#abilities = { colour: false, unicode: true, ...options.abilities }
    this.#columns = options.columns ?? 160
    this.#rows = options.rows ?? 24
  }

  columns(): number {
    return this.#columns
  }

  rows(): number {
    return this.#rows
  }

  wallMs(): number {
    return this.nowMs
  }

  out(text: string): void {
    this.stdout += rendered(text, this.#abilities)
  }

  err(text: string): void {
    this.stderr += rendered(text, this.#abilities)
  }

  data(text: string): void {
    this.stdout += text
  }

  screen(): Screen {
    this.isOnScreen = true
    return {
      paint: (lines) => {
        const shown = lines.slice(0, this.#rows).map((text) => rendered(text, this.#abilities))
        this.frames.push(shown)
        this.onFrame(shown)
      },
      onKey: (call) => {
        this.press = call
      },
      leave: () => {
        this.isOnScreen = false
      },
    }
  }

  onInterrupt(call: () => void): () => void {
    this.interrupt = call
    return () => {
      this.interrupt = () => {}
    }
  }
}
