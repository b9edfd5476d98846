/**
 * A source file as the house rules look at it: its text, its syntax tree, its comments, what it
 * imports, and its code with comments and strings blanked out, at the same places.
 */
import { stripTypeScriptTypes } from 'node:module'
import { type Comment, type Node, parse, type Token } from 'acorn'

export interface Source {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
  readonly code: string
  readonly tree: Node
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
  lineOf(offset: number): number
}

export interface Import {
  /** Undefined where it is computed, and only running can tell. */
  readonly specifier: string | undefined
  readonly line: number
  /** By `import()`: loaded when it is called for, and not before. */
  readonly dynamic: boolean
}

/** Throws a SyntaxError of the file when it cannot be read. */
export function readSource(path: string, text: string): Source {
  const script = path.endsWith('.cjs')
  // Types are replaced by blanks, so every place in the tree is the same place in the text.
  const plain = script ? text : stripTypeScriptTypes(text, { mode: 'strip' })
  const comments: Comment[] = []
  const tokens: Token[] = []
  const tree = parse(plain, {
    ecmaVersion: 'latest',
    sourceType: script ? 'script' : 'module',
    allowHashBang: true,
    locations: true,
    onComment: comments,
    onToken: tokens,
  })
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length
  const code = blanked(text, [...comments, ...tokens.filter(isText)])
  const imports = [...importsOf(tree), ...typeImportsOf(code, lineOf)]
  return { path, text, code, tree, comments, imports, lineOf }
}

/** Every node below and including `node`, each with those around it, the nearest last. */
export function* nodesOf(
  node: Node,
  around: readonly Node[] = [],
): Iterable<{ node: Node; around: readonly Node[] }> {
  yield { node, around }
  const inner = [...around, node]
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* nodesOf(child, inner)
    }
  }
}

/** A property of a node that is a node itself. */
export function partOf(node: Node, name: string): Node | undefined {
  const part: unknown = Reflect.get(node, name)
  return isNode(part) ? part : undefined
}

/** The text of a literal or a plain name; undefined for everything else. */
export function wordOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined
  const word: unknown = Reflect.get(node, node.type === 'Literal' ? 'value' : 'name')
  return typeof word === 'string' ? word : undefined
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' &&
  value !== null &&
  typeof Reflect.get(value, 'type') === 'string' &&
  typeof Reflect.get(value, 'start') === 'number'

const isText = ({ type }: Token): boolean =>
  ['string', 'template', 'regexp', 'invalidTemplate'].includes(type.label)

function blanked(text: string, ranges: readonly { start: number; end: number }[]): string {
  const blank = (part: string): string => part.replace(/[^\n]/g, ' ')
  let code = ''
  let at = 0
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    code += text.slice(at, start) + blank(text.slice(start, end))
    at = end
  }
  // Comments among types are no tokens any more; what is left of strings holds no `//`.
  return (code + text.slice(at)).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, blank)
}

function* importsOf(tree: Node): Iterable<Import> {
  for (const { node } of nodesOf(tree)) {
    const line = node.loc?.start.line ?? 0
    const written = partOf(node, 'source')
    if (written !== undefined) {
      const specifier = written.type === 'Literal' ? wordOf(written) : undefined
      yield { specifier, line, dynamic: node.type === 'ImportExpression' }
    }
    const called = wordOf(partOf(node, 'callee'))
    if (called !== 'require' && called !== 'URL') continue
    const given: unknown = Reflect.get(node, 'arguments')
    const first = wordOf(Array.isArray(given) ? given[0] : undefined)
    // `new URL('./worker.ts', import.meta.url)` starts a file as surely as an import does.
    if (first !== undefined && (called === 'require' || /^\.\.?\/.*\.ts$/.test(first))) {
      yield { specifier: first, line, dynamic: true }
    }
  }
}

/** Imports of types alone are blanks in the tree; in the code their strings are still there. */
function* typeImportsOf(code: string, lineOf: (offset: number) => number): Iterable<Import> {
  const statement = /\b(?:import|export)\s+type\b[^;'"]*?\bfrom\s*'([^']+)'|\bimport\(\s*'([^']+)'/g
  for (const match of code.matchAll(statement)) {
    yield { specifier: match[1] ?? match[2]!, line: lineOf(match.index), dynamic: false }
  }
}
