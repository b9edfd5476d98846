/**
 * A verb of the command line: commander parses it, we say what is wrong and how it is used.
 * Examples come first in its help, since they are what is read; each of them is run by a test.
 */
import { Command, type ErrorOptions, type Help } from 'commander'
import { EXIT, Failure } from './failure.ts'
import { line } from './printable.ts'
import { didYouMean } from './words.ts'

export interface Example {
  readonly command: string
  readonly means: string
}

/** Where a verb stands in `airspace --help`. */
export type Group = 'push back' | 'change' | 'look' | 'run'

const GROUPS: { readonly [group in Group]: string } = {
  'push back': 'push back: each for a time, each first with --dry-run if you like',
  change: 'change what is in force',
  look: 'look',
  run: 'run',
}

export class Verb extends Command {
  readonly examples: Example[] = []
  group: Group = 'look'

  constructor(name: string, summary: string) {
    super(name)
    this.description(summary)
    this.exitOverride()
    this.showSuggestionAfterError(false)
    this.helpOption('-h, --help', 'this text')
    this.configureHelp({ formatHelp: (verb, help) => helpOf(verb as Verb, help) })
  }

  example(command: string, means: string): this {
    this.examples.push({ command, means })
    return this
  }

  in(group: Group): this {
    this.group = group
    return this
  }

  /** 'airspace get edges' */
  path(): string {
    return this.parent ? `${(this.parent as Verb).path()} ${this.name()}` : this.name()
  }

  /** Every complaint of commander's ends here; its wording is not ours. */
  override error(message: string, options: ErrorOptions = {}): never {
    const said = message.replace(/^error: /, '')
    const word = /'([^']*)'/.exec(said)?.[1] ?? ''
    throw new Failure(EXIT.misused, this.#complaint(options.code ?? '', word, said), this.#hint())
  }

  #complaint(code: string, word: string, said: string): string {
    switch (code) {
      case 'commander.unknownOption':
        return `no flag ${word}${didYouMean(word.replace(/=.*/, ''), flagsOf(this))}`
      case 'commander.unknownCommand':
        return `no verb '${word}'${didYouMean(word, namesOf(this))}`
      case 'commander.missingArgument':
        return `${word.toUpperCase()} is missing`
      case 'commander.optionMissingArgument':
        return `${flagIn(word)} needs a value`
      case 'commander.excessArguments':
        return `too many words: ${this.args.slice(this.registeredArguments.length).join(' ')}`
      default:
        return said
    }
  }

  #hint(): string {
    return `${this.path()} --help`
  }
}

const flagIn = (flags: string): string => /--[\w-]+/.exec(flags)?.[0] ?? flags

const flagsOf = (verb: Command): string[] => [
  ...verb.options.flatMap((option) => (option.long && !option.hidden ? [option.long] : [])),
  ...(verb.parent ? flagsOf(verb.parent) : ['--help']),
]

const namesOf = (verb: Command): string[] =>
  verb.commands.map((each) => each.name()).filter((name) => !name.startsWith('__'))

type Row = readonly [term: string, means: string]

const EXAMPLE_COLUMNS_MAX = 66

function helpOf(verb: Verb, help: Help): string {
  const examples = verb.examples.map(({ command, means }) => [command, means] as const)
  const words = help.visibleArguments(verb).map((word) => {
    return [word.name().toUpperCase(), word.description] as const
  })
  const parts = [
    `${verb.path()}: ${verb.description()}`,
    columns(examples, EXAMPLE_COLUMNS_MAX),
    `usage: ${usageOf(verb)}`,
    columns(words),
    ...verbsOf(verb, help),
    `${verb.parent ? 'flags' : 'flags of every verb'}\n${columns(flagsWithDefaults(verb, help))}`,
    verb.parent ? 'and the flags of every verb: airspace --help' : '',
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function verbsOf(verb: Verb, help: Help): string[] {
  const all = help.visibleCommands(verb) as Verb[]
  const lines = (verbs: readonly Verb[]): string =>
    columns(verbs.map((each) => [each.name(), each.description()] as const))
  if (verb.parent) return all.length === 0 ? [] : [lines(all)]
  return (Object.keys(GROUPS) as Group[]).map((group) => {
    return `${GROUPS[group]}\n${lines(all.filter((each) => each.group === group))}`
  })
}

function flagsWithDefaults(verb: Verb, help: Help): Row[] {
  return help.visibleOptions(verb).map((option) => {
    const { defaultValue, description } = option
    const shown = typeof defaultValue === 'string' && defaultValue !== ''
    return [help.optionTerm(option), shown ? `${description} (${defaultValue})` : description]
  })
}

function usageOf(verb: Verb): string {
  const words = verb.registeredArguments.map((word) => {
    const name = word.name().toUpperCase() + (word.variadic ? '...' : '')
    return word.required ? name : `[${name}]`
  })
  const next = verb.commands.length > 0 ? ['VERB'] : []
  return [verb.path(), ...next, ...words, '[flags]'].join(' ')
}

/** A term beyond this has a line of its own; no line is wider than a page. */
const TERM_COLUMNS_MAX = 32
const COLUMNS_MAX = 100

function columns(list: readonly Row[], most = TERM_COLUMNS_MAX): string {
  const fitting = list.filter(([term]) => term.length <= most)
  const widest = Math.max(0, ...fitting.map(([term]) => term.length))
  const indent = ' '.repeat(widest + 4)
  return list
    .map(([term, means]) => {
      const [first = '', ...rest] = wrapped(means, COLUMNS_MAX - indent.length)
      const head = `  ${term.padEnd(widest)}  `
      const lines = term.length <= most ? [head + first] : [`  ${term}`, indent + first]
      return [...lines, ...rest.map((part) => indent + part)]
        .map((text) => text.trimEnd())
        .join('\n')
    })
    .join('\n')
}

function wrapped(text: string, columns: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** 'airspace get edges', as far as the words that were typed name verbs. */
export function pathIn(program: Verb, words: readonly string[]): string {
  let verb = program
  for (const word of words) {
    if (word.startsWith('-')) continue
    const next = verb.commands.find((each) => each.name() === word || each.aliases().includes(word))
    if (!next) break
    verb = next as Verb
  }
  return verb.path()
}

/** What standard error says of a failure. */
export function complaintOf(failure: Failure, path: string): string {
  const hint = failure.hint === undefined ? '' : line`  ${failure.hint}\n`
  return line`${path}: ${failure.message}\n` + hint
}
