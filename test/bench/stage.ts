/** What every bench is given: where it stands, and how long it may take. */
import type { Ground } from './peers.ts'

export interface Stage extends Ground {
  /** Contenders take turns so many times. */
  readonly rounds: number
  /** Requests in one turn. */
  readonly requests: number
  /** A look whether it runs at all; its figures mean little. */
  readonly quick: boolean
}
