/**
 * What could come next on a command line: verbs, flags and words from the program itself, names of
 * edges, services, patterns and nodes from the control plane, which has a second to answer.
 */
import type { Option } from 'commander'
import { catalog } from '../policies/catalog.ts'
import { choicesOf } from './asked.ts'
import type { Control } from './client.ts'
import { CATEGORIES } from './findings.ts'
import type { Invocation } from './invocation.ts'
import type { Verb } from './verb.ts'
import { EDGE_ORDERS } from './view/edges.ts'
import { edgeWord } from './words.ts'

export type Candidate = readonly [word: string, means: string]

const BUDGET = '1s'
/** More do not fit on a screen. */
const CANDIDATES_MAX = 200
const WINDOW_MS = 60_000

/** What a shell would take for more than a name is never put on a command line. */
const SAFE = /^[\w./:@%+-]+$/

type Source = (run: Invocation) => Promise<readonly Candidate[]> | readonly Candidate[]

const named = (words: readonly string[]): readonly Candidate[] => words.map((word) => [word, ''])

const asking =
  (ask: (control: Control) => Promise<readonly string[]>): Source =>
  async (run) => {
    run.hurry(BUDGET)
    return named((await ask(await run.control())).filter((word) => SAFE.test(word)))
  }

const edges = asking(async (control) => {
  const found = await control.ask('getEdges', { from: '*', to: '*', windowMs: WINDOW_MS })
  return found.edges.map(({ signal }) => edgeWord(signal?.source ?? '', signal?.target ?? ''))
})
const services = asking(async (control) => {
  return (await control.ask('getServices', { set: '*' })).services.map(({ name }) => name)
})
const ids = asking(async (control) => {
  const { patterns } = await control.ask('getPatterns', { ended: false })
  return patterns.map(({ intent }) => intent?.id ?? '')
})
const nodes = asking(async (control) => {
  return (await control.ask('getNodes', {})).nodes.map(({ node }) => node)
})

/** By the name of an argument, as `--help` shows it. */
const ARGUMENTS: { readonly [name: string]: Source } = {
  edge: edges,
  set: services,
  id: ids,
  node: nodes,
  shell: () => named(['bash', 'zsh', 'fish']),
  what: () =>
    catalog.flatMap(({ kind, help, fields }): Candidate[] => [
      [kind, help],
      ...Object.values(fields).map(({ flag, help }): Candidate => [`${kind}.${flag}`, help]),
    ]),
}

/** By the long name of a flag. */
const FLAGS: { readonly [flag: string]: Source } = {
  '--from': services,
  '--to': services,
  '--exempt': services,
  '--edge': edges,
  '--change': ids,
  '--output': () => named(['table', 'json', 'yaml']),
  '--sort': () => named(Object.keys(EDGE_ORDERS)),
  '--only': () => named(CATEGORIES),
}

/** `words` are those after `airspace`; the last is the one being typed, perhaps blank. */
export async function candidates(
  run: Invocation,
  program: Verb,
  words: readonly string[],
): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? ''
  const place = placeOf(program, words.slice(0, -1))
  run.begin(place.globals)
  const found = await offered(run, program, place, typed)
  return found.filter(([word]) => word.startsWith(typed)).slice(0, CANDIDATES_MAX)
}

interface Place {
  readonly verb: Verb
  /** Words that are neither verbs nor flags. */
  readonly operands: readonly string[]
  /** The flag whose value is being typed. */
  readonly flag: Option | undefined
  readonly globals: { control?: string; tokenFile?: string }
}

/** Reads what was typed as far as it goes; what it does not know, it passes over. */
function placeOf(program: Verb, words: readonly string[]): Place {
  let verb = program
  let flag: Option | undefined
  const operands: string[] = []
  const globals: Place['globals'] = {}
  for (const word of words) {
    if (flag) {
      if (flag.long === '--control') globals.control = word
      if (flag.long === '--token-file') globals.tokenFile = word
      flag = undefined
    } else if (word.startsWith('-')) {
      const option = optionsOf(verb).find(({ long, short }) => word === long || word === short)
      if (option?.required) flag = option
    } else {
      const next = verb.commands.find((each) => {
        return each.name() === word || each.aliases().includes(word)
      })
      if (next && operands.length === 0) verb = next as Verb
      else operands.push(word)
    }
  }
  return { verb, operands, flag, globals }
}

function optionsOf(verb: Verb): Option[] {
  const own = verb.options.filter((option) => !option.hidden)
  return verb.parent ? [...own, ...optionsOf(verb.parent as Verb)] : own
}

async function offered(
  run: Invocation,
  program: Verb,
  { verb, operands, flag }: Place,
  typed: string,
): Promise<readonly Candidate[]> {
  if (flag) return valuesOf(run, flag)
  if (typed.startsWith('-')) {
    return optionsOf(verb).flatMap((option): Candidate[] =>
      option.long ? [[option.long, option.description]] : [],
    )
  }
  if (verb.commands.length > 0) {
    if (operands.length > 0) return [] // after a word that is no verb nothing can come
    const known = verb.commands.filter((each) => !each.name().startsWith('__'))
    return known.map((each) => [each.name(), each.description()])
  }
  const pattern = verb.parent === program ? catalog.find(({ kind }) => kind === verb.name()) : null
  const words = pattern && operands.length === 0 ? wordsOf(verb.name()) : []
  return [...words, ...(await namesOf(run, verb, operands.length))]
}

/** The choices of a flag stand in its own help: `--existing <keep|drain|cut>`. */
function valuesOf(
  run: Invocation,
  flag: Option,
): Promise<readonly Candidate[]> | readonly Candidate[] {
  const choices = /<([\w-]+(?:\|[\w-]+)+)>/.exec(flag.flags)?.[1]?.split('|')
  return choices ? named(choices) : (FLAGS[flag.long ?? '']?.(run) ?? [])
}

/** Words that a pattern takes before its edge: `breaker open`. */
const wordsOf = (kind: string): readonly Candidate[] =>
  catalog
    .filter((pattern) => pattern.kind === kind)
    .flatMap(({ fields }) => Object.values(fields))
    .flatMap((field) => choicesOf(field).map((word): Candidate => [word, field.help]))

async function namesOf(run: Invocation, verb: Verb, at: number): Promise<readonly Candidate[]> {
  const { registeredArguments } = verb
  const last = registeredArguments.at(-1)
  const argument = registeredArguments[at] ?? (last?.variadic ? last : undefined)
  if (!argument) return []
  const name = argument.name() === 'word' ? registeredArguments[at + 1]?.name() : argument.name()
  const source = name === 'name' ? NAMES[verb.name()] : ARGUMENTS[name ?? '']
  return (await source?.(run)) ?? []
}

/** `describe service NAME`, `describe node NAME`. */
const NAMES: { readonly [verb: string]: Source } = { service: services, node: nodes }
