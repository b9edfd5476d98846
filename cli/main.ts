/**
 * The one executable. Three verbs start parts of the system and read their own flags; all others
 * are an operator's, are parsed here, and end with an exit code that scripts may rely on.
 */
import { CommanderError } from 'commander'
import { catalog } from '../policies/catalog.ts'
import { EXIT, Failure, misused } from './failure.ts'
import { type GlobalFlags, Invocation } from './invocation.ts'
import { processTerminal, type Terminal } from './terminal.ts'
import { complaintOf, pathIn, Verb } from './verb.ts'
import { check } from './verbs/check.ts'
import { complete, completion } from './verbs/completion.ts'
import { controlPlane } from './verbs/control-plane.ts'
import { demo } from './verbs/demo.ts'
import { describe } from './verbs/describe.ts'
import { event } from './verbs/event.ts'
import { explain } from './verbs/explain.ts'
import { extend } from './verbs/extend.ts'
import { get } from './verbs/get.ts'
import { nodes } from './verbs/nodes.ts'
import { patternVerb } from './verbs/pattern.ts'
import { proxy } from './verbs/proxy.ts'
import { release } from './verbs/release.ts'
import { status } from './verbs/status.ts'
import { top } from './verbs/top.ts'
import { undo } from './verbs/undo.ts'
import { VERSION } from './version.ts'

type Part = (argv: readonly string[]) => Promise<number>

/** Long-running parts: what follows their name is theirs. */
const PARTS: { readonly [verb: string]: readonly [start: Part, summary: string] } = {
  'control-plane': [controlPlane, 'the control plane, in the foreground; its flags are its own'],
  proxy: [proxy, 'a proxy, in the foreground; its flags are its own'],
  demo: [demo, 'a small landscape on loopback, trouble in it, and the remedy'],
}

const VERBS = [
  release,
  extend,
  undo,
  event,
  nodes,
  status,
  top,
  get,
  describe,
  check,
  explain,
  completion,
]

export function programOf(run: Invocation): Verb {
  const program = new Verb('airspace', 'see every interaction, push back in seconds')
    .example('airspace status', 'where to begin')
    .example('airspace top', 'every edge, live')
    .example('airspace bulkhead web..payments --max-in-flight 60 --for 15m', 'push back')
    .example('airspace release --all', 'let go of everything, at once')
  program
    .version(VERSION, '-V, --version', 'of this executable')
    .option('--control <HOST:PORT>', 'the control plane (127.0.0.1:7400; AIRSPACE_CONTROL)')
    .option('--token-file <FILE>', 'who you are (AIRSPACE_TOKEN_FILE; else found by itself)')
    .option('--at-node <HOST:PORT>', 'past a dead control plane: one proxy, by its admin port')
    .option('-o, --output <FORM>', 'table, json or yaml')
    .option('-q, --quiet', 'ids only')
    .option('--timeout <TIME>', 'for an answer (10s)')
    .option('--no-color', 'as NO_COLOR does')
    .option('--yes', 'nothing ever asks; accepted for habit')
  for (const pattern of catalog) program.addCommand(patternVerb(run, pattern))
  for (const make of VERBS) program.addCommand(make(run))
  for (const [name, [, summary]] of Object.entries(PARTS)) {
    program.addCommand(new Verb(name, summary).in('run').allowUnknownOption() as Verb)
  }
  program.addCommand(complete(run, program), { hidden: true })
  program.hook('preAction', (_program, verb) => {
    run.begin(program.opts<GlobalFlags>(), verb.name() === 'check')
  })
  writeTo(program, run)
  return program
}

/** Help is data: it was asked for. */
function writeTo(verb: Verb, run: Invocation): void {
  verb.configureOutput({
    writeOut: (text) => run.out(text),
    writeErr: (text) => run.terminal.err(text),
  })
  for (const each of verb.commands as Verb[]) writeTo(each, run)
}

/** Carries out one command. Never throws for what the world did. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const part = words[0] === undefined ? undefined : PARTS[words[0]]
  if (part) return part[0](words.slice(1))
  const invocation = new Invocation(terminal, words)
  const program = programOf(invocation)
  const release = terminal.onInterrupt(() => invocation.interrupt())
  try {
    await program.parseAsync([...words], { from: 'user' })
    return invocation.exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.misused
    const failure = error instanceof RangeError ? misused(error.message) : error
    if (!(failure instanceof Failure)) throw error
    terminal.err(complaintOf(failure, pathIn(program, words)))
    return failure.exit
  } finally {
    release()
    invocation.end()
  }
}

/** Called by airspace.cjs. The process ends by itself once nothing is under way. */
export async function main(): Promise<void> {
  const words = process.argv.slice(2)
  process.exitCode = await run(words, processTerminal(words.includes('--no-color')))
}

if (import.meta.main) await main()
