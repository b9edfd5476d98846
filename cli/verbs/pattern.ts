/**
 * A verb for every pattern of the catalog: the flags are its fields. What is typed is checked here,
 * asked of the control plane, and answered with where it is in force.
 */
import { EXISTING, ON_EXPIRE, PERS } from '../../policies/intent.ts'
import type { Pattern } from '../../policies/pattern.ts'
import { writeText } from '../../policies/quantity.ts'
import type { Field } from '../../policies/settings.ts'
import { intentToWire } from '../../wire/codec.ts'
import type { Change } from '../../wire/gen/airspace_pb.ts'
import { choicesOf, type Flags, readAsked, takesSet } from '../asked.ts'
import { misused } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { line } from '../printable.ts'
import { readWait, receipt, WAIT } from '../receipt.ts'
import { Verb } from '../verb.ts'
import { whatWords } from '../view/patterns.ts'
import { whatIf } from '../what-if.ts'
import { edgeName, timeOfDay } from '../words.ts'

type ActFlags = Flags & {
  readonly change?: string
  readonly dryRun?: boolean
  readonly wait: string | false
}

const VALUES: { readonly [unit in Field['unit']]: string } = {
  count: 'N',
  ms: 'TIME',
  perSecond: 'N/s',
  bytesPerSecond: 'BYTES/s',
  ratio: 'N%',
  choice: 'WORD',
  set: 'SET',
  flag: '',
}

export function patternVerb(run: Invocation, pattern: Pattern): Verb {
  const verb = new Verb(pattern.kind, pattern.help).in('push back')
  const choices = Object.values(pattern.fields).flatMap((field) => [...choicesOf(field)])
  if (choices.length > 0) verb.argument('[word]', choices.join(', '))
  if (takesSet(pattern)) verb.argument('[set]', "payments, 'shop/*', tier=3; or an edge")
  else verb.argument('[edge]', "web..payments, or '*..payments'")
  for (const field of Object.values(pattern.fields)) addField(verb, field)
  addManner(verb, pattern)
  for (const [command, means] of examplesOf(pattern)) verb.example(command, means)
  return verb.action((...given: unknown[]) => {
    const words = verb.args
    const flags = given.at(-2) as ActFlags
    return apply(run, pattern, words, flags)
  })
}

function addField(verb: Verb, field: Field): void {
  const choices = choicesOf(field)
  const value = choices.length > 0 ? choices.join('|') : VALUES[field.unit]
  const fallback =
    field.fallback === undefined || field.fallback === false
      ? ''
      : ` (${writeText(field, field.fallback)})`
  const term = value === '' ? `--${field.flag}` : `--${field.flag} <${value}>`
  verb.option(term, field.help + fallback)
  if (field.unit === 'flag' && field.fallback === true) verb.option(`--no-${field.flag}`, 'not so')
}

function addManner(verb: Verb, pattern: Pattern): void {
  verb
    .option('--from <SET>', 'its sources, instead of EDGE')
    .option('--to <SET>', 'its targets, instead of EDGE')
    .option('--for <TIME>', 'how long it lasts, at most 24h (15m)')
    .option('--until <TIME>', '18:00, or an ISO time, instead of --for')
    .option('--dry-run', 'ask the calls of the last minutes, change nothing')
    .option('--observe', 'apply it, but only count')
    .option('--percent <N>', 'of the calls (100)')
    .option(`--existing <${EXISTING.join('|')}>`, `what is under way (${pattern.existing})`)
    .option('--grace <TIME>', 'how long a drain may last')
    .option('--exempt <SET>', 'sources it is not about')
    .option(`--per <${PERS.join('|')}>`, `who shares a limit (${pattern.per})`)
    .option('--ramp <TIME>', 'how long its release takes (1m)')
    .option(`--on-expire <${ON_EXPIRE.join('|')}>`, 'how it ends by itself (ramp)')
    .option('--reason <TEXT>', 'for the ledger and the next on call')
    .option('--incident <TEXT>', 'what it belongs to: INC-2231')
    .option('--change <ID>', 'put this in the place of one in force')
    .option('--wait <TIME>', 'until every node confirms, at most', WAIT)
    .option('--no-wait', 'do not wait for the nodes')
}

/** The first fields, with values that they take: whatever pattern is added has examples. */
function examplesOf(pattern: Pattern): [string, string][] {
  return EXAMPLES[pattern.kind] ?? [[`airspace ${pattern.kind} web..payments`, pattern.help]]
}

const EXAMPLES: { readonly [kind: string]: [string, string][] } = {
  bulkhead: [
    ['airspace bulkhead web..payments --max-in-flight 60 --for 15m', 'at most 60 in the fleet'],
    ["airspace bulkhead '*..payments' --max-in-flight 40 --dry-run", 'what would it refuse?'],
    ["airspace bulkhead '*..payments' --max-in-flight 5 --per source", 'five for each caller'],
  ],
  backpressure: [
    ['airspace backpressure web..payments --rate 200/s', 'in turn, then refuse'],
    ['airspace backpressure logs..kafka --bandwidth 5MiB/s', 'bytes are paced, none is dropped'],
  ],
  breaker: [
    ['airspace breaker open web..payments', 'refuse all of it now'],
    ["airspace breaker '*..payments' --errors 50% --over 10s", 'by itself, when half of it fails'],
  ],
  segment: [
    ['airspace segment batch..orders', 'batch may not call orders'],
    ['airspace segment batch..orders --observe', 'only count what it would refuse'],
    ["airspace segment isolate 'pci/*..*' --existing cut", 'nothing in or out, cut at once'],
  ],
  quarantine: [
    ['airspace quarantine payments --for 30m', 'nothing goes in or out'],
    ["airspace quarantine 'shop/*' --dry-run", 'what would it cut?'],
    ['airspace quarantine out payments', 'it may be called, and calls nobody'],
  ],
}

async function apply(
  run: Invocation,
  pattern: Pattern,
  words: readonly string[],
  flags: ActFlags,
): Promise<void> {
  const nowMs = run.terminal.wallMs()
  const { asked, whole } = readAsked(pattern, words, flags, nowMs)
  const waitMs = readWait(flags.wait)
  if (flags.change === '') throw misused('--change needs the id of a pattern in force')
  const request = { intent: intentToWire(asked), change: flags.change ?? '' }
  const control = await run.control()
  if (flags.dryRun) {
    whatIf(run, whole, await control.ask('dryRun', request))
    return
  }
  const change = await control.ask('apply', request)
  const id = change.ids[0] ?? ''
  await receipt(run, {
    change,
    told: toldOf(change, whole, nowMs),
    hints: [line`undo: airspace undo     longer: airspace extend ${id} --for 15m\n`],
    body: { intent: { ...whole, id } },
    waitMs,
  })
}

type Whole = ReturnType<typeof readAsked>['whole']

/** 'bh-91c  bulkhead  web → payments  max in flight 60  until 14:21:04' */
function toldOf(change: Change, whole: Whole, nowMs: number): string {
  const words = [
    line`${change.ids.join(' ')}`,
    whole.kind,
    edgeName(whole.from, whole.to),
    line`${whatWords(whole)}`,
    `until ${timeOfDay(change.untilUnixMs, nowMs)}`,
  ]
  return `${words.filter((word) => word !== '').join('  ')}\n`
}
