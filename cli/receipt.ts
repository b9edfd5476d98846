/**
 * What a change says when it was made: its ids first, since they are what an operator needs when
 * the rest fails, and then where it is in force, or which nodes are not there and why.
 */
import type { Change, Enforcement, Lagging } from '../wire/gen/airspace_pb.ts'
import { EXIT, Failure } from './failure.ts'
import type { Invocation } from './invocation.ts'
import { iso, print } from './output.ts'
import { line } from './printable.ts'
import { readLength } from './times.ts'
import { duration } from './words.ts'

export const WAIT = '10s'
/** The control plane waits no longer than this. */
const WAIT_MS_MAX = 60_000

/** `--wait 10s` in ms, 0 for `--no-wait`. */
export function readWait(wait: string | false): number {
  if (wait === false) return 0
  const ms = readLength('--wait', wait)
  if (ms > 0 && ms <= WAIT_MS_MAX) return ms
  throw new Failure(EXIT.misused, `--wait: '${wait}' is not between 1ms and 60s; or --no-wait`)
}

interface Receipt {
  readonly change: Change
  /** What was done, printable, for people. */
  readonly told: string
  /** What to do about it next, for standard error. */
  readonly hints: readonly string[]
  readonly body?: Readonly<Record<string, unknown>>
  readonly waitMs: number
}

/** Prints, waits, prints; the exit code says whether it is in force everywhere. */
export async function receipt(run: Invocation, given: Receipt): Promise<void> {
  const { change, waitMs } = given
  const early = run.form === 'table' && !run.quiet
  if (early) run.out(given.told)
  for (const warning of change.warnings) run.say(line`warning: ${warning}\n`)
  const { enforced, failure } = await waitFor(run, change.revision, waitMs)
  if (early) run.out(enforcementWords(change.revision, waitMs, enforced, failure))
  else {
    print(run, {
      kind: 'Change',
      body: { ...changeBody(change), ...given.body, enforcement: enforcementBody(enforced) },
      ids: change.ids,
      table: () => '',
    })
  }
  for (const hint of given.hints) run.say(hint)
  if (failure?.exit === EXIT.interrupted) run.exit = EXIT.interrupted
  else if (waitMs > 0 && !isEverywhere(enforced)) run.exit = EXIT.unconfirmed
}

interface Waited {
  readonly enforced: Enforcement | undefined
  readonly failure?: Failure
}

const DID: { readonly [act: string]: string } = {
  release: 'released',
  extend: 'extended',
  apply: 'applied',
}

/** What the ledger says was done, a line for each; `otherwise` when it says nothing. */
export function doneWords({ text }: Change, otherwise: string): string {
  if (text === '') return line`${otherwise}\n`
  return text
    .split('; ')
    .map((each) => line`${each.replace(/^\w+(?= )/, (word) => DID[word] ?? word)}\n`)
    .join('')
}

/** A control plane lost while waiting took nothing back: the change is in its ledger. */
async function waitFor(run: Invocation, revision: bigint, waitMs: number): Promise<Waited> {
  let enforced: Enforcement | undefined
  if (waitMs === 0) return { enforced }
  try {
    const control = await run.control()
    for await (const each of control.follow('await', { revision, waitMs }, waitMs)) {
      enforced = each
      if (each.done) break
    }
    return { enforced }
  } catch (error) {
    if (error instanceof Failure) return { enforced, failure: error }
    throw error
  }
}

/** In force on no node is not in force: a fleet of none confirms nothing. */
const isEverywhere = (enforced: Enforcement | undefined): boolean =>
  enforced !== undefined && enforced.expected > 0 && enforced.reported >= enforced.expected

function enforcementWords(
  revision: bigint,
  waitMs: number,
  enforced: Enforcement | undefined,
  failure: Failure | undefined,
): string {
  const lost = failure ? line`revision ${revision} is accepted; ${failure.message}\n` : ''
  if (waitMs === 0) return `revision ${revision} is accepted; not waited for\n`
  if (!enforced) return lost || `revision ${revision} is accepted; nothing was heard of it\n`
  const { expected, reported, elapsedMs } = enforced
  if (expected === 0)
    return `revision ${revision} is accepted; no node follows this control plane\n`
  const where = `in force on ${reported} of ${expected} nodes after ${duration(elapsedMs)}`
  return `${lost}revision ${revision} ${where}\n${enforced.lagging.map(laggingLine).join('')}`
}

const laggingLine = (lagging: Lagging): string =>
  line`  ${lagging.node}: ${laggingWords(lagging)}\n`

function laggingWords({ state, reported, heardMs, reason }: Lagging): string {
  const why = reason === '' ? '' : `: ${reason}`
  if (state === 'silent' && !Number.isFinite(heardMs)) return 'silent, not heard of since the start'
  if (state === 'silent') return `silent for ${duration(heardMs)}, last at revision ${reported}`
  if (state === 'behind') return `behind at revision ${reported}, heard ${duration(heardMs)} ago`
  if (state === 'refused') return `refused it${why}; still at revision ${reported}`
  return `${state}${why}`
}

export const changeBody = (change: Change) => ({
  ids: change.ids,
  revision: Number(change.revision),
  act: change.act,
  until: iso(change.untilUnixMs),
  warnings: change.warnings,
})

function enforcementBody(enforced: Enforcement | undefined): object | null {
  if (!enforced) return null
  const { expected, reported, elapsedMs, done, lagging } = enforced
  return {
    expected,
    reported,
    elapsedMs,
    done,
    lagging: lagging.map(({ node, state, reported, heardMs, reason }) => {
      return { node, state, reported: Number(reported), heardMs, reason }
    }),
  }
}
