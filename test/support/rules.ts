/** The house rules that a machine can check, each a function from a source to what breaks it. */
import { posix } from 'node:path'
import { nodesOf, partOf, type Source, wordOf } from './source.ts'

export interface Finding {
  readonly line: number
  readonly what: string
}

export type Rule = (source: Source) => Iterable<Finding>

export const LINES_MAX = 300
export const FUNCTION_LINES_MAX = 60
export const COLUMNS_MAX = 100

/** Who may import whom: a room, and the rooms it stands on. Imports only go down. */
export const ROOMS: { readonly [room: string]: readonly string[] } = {
  landscape: [],
  policies: ['landscape'],
  wire: ['landscape', 'policies'],
  runtime: [],
  proxy: ['landscape', 'policies', 'wire', 'runtime'],
  'control-plane': ['landscape', 'policies', 'wire', 'runtime'],
  cli: ['landscape', 'policies', 'wire', 'runtime'],
  console: ['landscape', 'policies'],
}

/** `airspace proxy` is that part, in a process of its own: loaded when it is asked for. */
const STARTED_BY: { readonly [path: string]: string } = {
  'cli/verbs/proxy.ts': 'proxy/main.ts',
  'cli/verbs/control-plane.ts': 'control-plane/main.ts',
}

const PURE = ['landscape', 'policies']

const roomOf = (path: string): string => path.split('/')[0]!
const isProduct = (path: string): boolean => roomOf(path) in ROOMS

/** Imports only go down, name the file they mean, and name only what an install brings. */
export const importsGoDown = (installed: ReadonlySet<string>): Rule =>
  function* (source) {
    if (!isProduct(source.path)) return
    for (const { specifier, line, dynamic } of source.imports) {
      const what = complaintOf(source.path, specifier, dynamic, installed)
      if (what !== undefined) yield { line, what }
    }
  }

function complaintOf(
  path: string,
  specifier: string | undefined,
  dynamic: boolean,
  installed: ReadonlySet<string>,
): string | undefined {
  const room = roomOf(path)
  // The starter alone is read by a Node that cannot know of `.ts`, and finds its way by itself.
  if (specifier === undefined) {
    return path.endsWith('.cjs') ? undefined : 'imports what is not written there'
  }
  if (!specifier.startsWith('.')) {
    if (PURE.includes(room)) return `imports '${specifier}', but ${room}/ is pure`
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
    if (specifier.startsWith('node:') || installed.has(name)) return undefined
    return `imports '${specifier}', which is no dependency`
  }
  const target = posix.join(posix.dirname(path), specifier)
  if (!/\.(ts|cjs|json)$/.test(target)) return `imports '${specifier}' without its ending`
  const below = roomOf(target)
  if (below === room || ROOMS[room]!.includes(below) || target === 'package.json') return undefined
  if (dynamic && STARTED_BY[path] === target) return undefined
  return `imports ${target}, but ${room}/ may not know ${below}/`
}

const IMPURE_NAMES = [
  'Date performance process setTimeout setInterval setImmediate queueMicrotask',
  'fetch crypto console globalThis require',
]
const IMPURE = new RegExp(
  `(?<![.\\w$])(${IMPURE_NAMES.join(' ').replaceAll(' ', '|')})\\b` +
    '|\\bMath\\s*\\.\\s*random\\b|\\bimport\\s*\\.\\s*meta\\b',
  'g',
)

/** What decides knows no clock, timer, chance or I/O: all it knows is in its arguments. */
export const pure: Rule = function* ({ path, code, lineOf }) {
  if (!PURE.includes(roomOf(path))) return
  for (const { 0: word, index } of code.matchAll(IMPURE)) {
    yield { line: lineOf(index), what: `uses ${word}, but ${roomOf(path)}/ is pure` }
  }
}

export const fitsInTheHead: Rule = function* ({ path, text, tree }) {
  const lines = text.replace(/\n$/, '').split('\n')
  if (lines.length > LINES_MAX) {
    yield { line: LINES_MAX + 1, what: `has ${lines.length} lines, more than ${LINES_MAX}` }
  }
  for (const [at, line] of lines.entries()) {
    const columns = [...line].length
    if (columns > COLUMNS_MAX) {
      yield { line: at + 1, what: `has ${columns} columns, more than ${COLUMNS_MAX}` }
    }
  }
  if (!isProduct(path)) return
  for (const { node } of nodesOf(tree)) {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type))
      continue
    const { start, end } = node.loc!
    const long = end.line - start.line + 1
    if (long <= FUNCTION_LINES_MAX) continue
    yield { line: start.line, what: `a function of ${long} lines, more than ${FUNCTION_LINES_MAX}` }
  }
}

/** Names that say nothing about what is in the file. */
const EMPTY_NAMES =
  /^(index|utils?|utilit(y|ies)|helpers?|common|types?|constants?|misc|shared|lib|base|core|stuff)$/
/** Words for which the house has another: the glossary of STYLE.md. */
const FOREIGN = [
  'ctx context transaction allow reject rejection deny denial block blocker throttle acquire',
  'semaphore upstream downstream samples? agent sidecar shadow preview ttl revoke evict',
  'intercept hijack manager handler',
]
const FOREIGN_WORDS = new RegExp(`^(${FOREIGN.join(' ').replaceAll(' ', '|')})s?$`)

export const wellNamed: Rule = function* ({ path }) {
  const [file, ...folders] = path.split('/').reverse() as [string, ...string[]]
  if (folders.length > 2) yield { line: 1, what: 'is deeper than two folders below the root' }
  for (const name of [file.replace(/(\.test)?\.[a-z]+$/, ''), ...folders]) {
    if (EMPTY_NAMES.test(name)) yield { line: 1, what: `'${name}' says nothing: name the idea` }
    for (const word of name.split(/[-_.]/)) {
      if (FOREIGN_WORDS.test(word)) {
        yield { line: 1, what: `'${word}' is not a word of this house: see the glossary` }
      }
    }
  }
}

/** Where somebody has checked this out means nothing to anybody else. */
const PLACE = new RegExp(['', '(work|home)', '[\\w.-]+', ''].join('/'))

/** A file opens with the idea it holds; nothing is promised for later; no machine is named. */
export const wellTold: Rule = function* ({ text, comments, lineOf }) {
  const first = text.replace(/^#!.*\n/, '').replace(/^'use strict'\n/, '')
  if (!/^\s*\/[*/]/.test(first)) yield { line: 1, what: 'does not open with a comment' }
  for (const { value, start } of comments) {
    const promise = /\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck)/.exec(value)
    if (promise) yield { line: lineOf(start), what: `${promise[0]} in a comment` }
  }
  const place = PLACE.exec(text)
  if (place) yield { line: lineOf(place.index), what: `names a place on one machine: ${place[0]}` }
}

export const wellTyped: Rule = function* ({ code, tree, lineOf }) {
  for (const { index } of code.matchAll(/(?:[:<|&,(]|=>|\bas|\bextends|=)\s*any\b(?!\s*[(.:])/g)) {
    yield { line: lineOf(index), what: "'any' turns the type check off" }
  }
  const again = /\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*(?:as\s+\w+\s*)?from\b/g
  for (const { index } of code.matchAll(again)) {
    yield { line: lineOf(index), what: 'exports again what another file exports' }
  }
  for (const { node } of nodesOf(tree)) {
    if (node.type === 'ExportDefaultDeclaration') {
      yield { line: node.loc!.start.line, what: 'a default export has no name of its own' }
    }
  }
}

const CONDITIONS = /^(IfStatement|ConditionalExpression|LogicalExpression|SwitchCase)$/

/** Every test runs wherever it can: alone never, skipped only when something is really absent. */
export const wholeTests: Rule = function* ({ path, tree }) {
  if (roomOf(path) !== 'test') return
  for (const { node, around } of nodesOf(tree)) {
    const line = node.loc?.start.line ?? 0
    const called = partOf(node, 'callee')
    const verb = wordOf(called && partOf(called, 'property'))
    if (node.type === 'CallExpression' && called?.type === 'MemberExpression') {
      if (verb === 'only') yield { line, what: '.only( leaves the other tests out' }
      if (verb === 'todo') yield { line, what: '.todo( is a promise, not a test' }
      const conditional = around.some(({ type }) => CONDITIONS.test(type))
      if (verb === 'skip' && !conditional) yield { line, what: '.skip( without a condition' }
    }
    const options = around.at(-1)?.type === 'ObjectExpression' && around.at(-2)
    const asked = options && wordOf(partOf(partOf(options, 'callee') ?? node, 'property'))
    if (node.type !== 'Property' || asked !== 'test') continue
    const key = wordOf(partOf(node, 'key'))
    const literal = /^(Literal|TemplateLiteral)$/.test(partOf(node, 'value')?.type ?? '')
    if (key === 'only' || key === 'todo') yield { line, what: `'${key}' in a test's options` }
    if (key === 'skip' && literal) yield { line, what: "'skip' without a condition" }
  }
}
