/**
 * From whom to whom, as it is typed: `web..payments`, or `--from web --to payments`. A blank is
 * never everything; a complaint says which end it is about.
 */
import { BETWEEN } from '../landscape/edge.ts'
import { readSet } from '../landscape/service-set.ts'
import { misused } from './failure.ts'

export interface Ends {
  readonly from: string
  readonly to: string
}

export interface EndFlags {
  readonly from?: string
  readonly to?: string
}

const HINT = "an edge is written web..payments or '*..payments', or --from web --to payments"

/** A selector in canonical writing. `place` is what the operator called it. */
export function readSelector(place: string, text: string): string {
  try {
    return readSet(text).text
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw misused(`${place}: ${error.message.replace(/^service set: /, '')}`)
  }
}

/** Both ends, or undefined when nothing was said of either. */
export function endsIn(word: string | undefined, flags: EndFlags): Ends | undefined {
  const { from, to } = flags
  if (word !== undefined) {
    if (from === undefined && to === undefined) return readEdge(word)
    throw misused(`EDGE '${word}' and --${from === undefined ? 'to' : 'from'} say the same twice`)
  }
  if (from === undefined && to === undefined) return undefined
  if (from === undefined) throw misused("--from is missing; --from '*' is everyone", HINT)
  if (to === undefined) throw misused("--to is missing; --to '*' is everything", HINT)
  return { from: readSelector('--from', from), to: readSelector('--to', to) }
}

/** Both ends, said. */
export function readEnds(word: string | undefined, flags: EndFlags): Ends {
  const ends = endsIn(word, flags)
  if (ends) return ends
  throw misused('EDGE is missing', HINT)
}

/** For what looks: an end that was not said is everyone. */
export function readView(word: string | undefined, flags: EndFlags): Ends {
  if (word !== undefined) return readEnds(word, flags)
  return {
    from: flags.from === undefined ? '*' : readSelector('--from', flags.from),
    to: flags.to === undefined ? '*' : readSelector('--to', flags.to),
  }
}

function readEdge(word: string): Ends {
  const arrow = /^(.+?)\s*(?:->|→)\s*(.+)$/.exec(word)
  if (arrow) throw misused(`EDGE '${word}': write it ${arrow[1]}${BETWEEN}${arrow[2]}`)
  const ends = word.split(BETWEEN)
  if (ends.length !== 2) {
    const many = ends.length < 2 ? 'no' : 'more than one'
    throw misused(`EDGE '${word}' has ${many} '${BETWEEN}' between two ends`, HINT)
  }
  const [from, to] = ends as [string, string]
  return {
    from: readSelector(`EDGE '${word}', its source`, from),
    to: readSelector(`EDGE '${word}', its target`, to),
  }
}
