/**
 * How a command ends when it does not simply end: an exit code that scripts may rely on, what is
 * wrong, and what to do next.
 */
export const EXIT = {
  done: 0,
  failed: 1,
  misused: 2,
  missing: 3,
  guarded: 4,
  conflict: 5,
  unconfirmed: 6,
  notAllowed: 7,
  unreachable: 8,
  skewed: 9,
  warned: 10,
  interrupted: 130,
} as const

export type Exit = (typeof EXIT)[keyof typeof EXIT]

export class Failure extends Error {
  readonly exit: Exit
  readonly hint: string | undefined

  constructor(exit: Exit, message: string, hint?: string) {
    super(message)
    this.name = 'Failure'
    this.exit = exit
    this.hint = hint
  }
}

export const misused = (message: string, hint?: string): Failure =>
  new Failure(EXIT.misused, message, hint)

/** Runs what reads an operator's words; its complaint becomes ours, with the place before it. */
export function reading<T>(place: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw misused(error.message.startsWith(place) ? error.message : `${place}: ${error.message}`)
  }
}
