/**
 * The house rules that a machine can check. A rule that is only written down is a wish, and a check
 * that was never seen to fail is one too: each rule is shown a planted fault first.
 */
import { globSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import t from 'tap'
import * as rules from './support/rules.ts'
import { readSource, type Source } from './support/source.ts'

const root = join(import.meta.dirname, '..')
const { dependencies, optionalDependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
) as { [kind: string]: { [name: string]: string } }
const installed = new Set(Object.keys({ ...dependencies, ...optionalDependencies }))

const RULES: { readonly [name: string]: rules.Rule } = {
  'imports go down': rules.importsGoDown(installed),
  'landscape and policies are pure': rules.pure,
  'a file and a function fit in the head': rules.fitsInTheHead,
  'names say something, in words of this house': rules.wellNamed,
  'a file opens with its idea': rules.wellTold,
  'nothing is any, default, or exported again': rules.wellTyped,
  'tests run whole': rules.wholeTests,
}

/** '7: what' of each finding of one rule, or of all. */
function findings(path: string, text: string, name?: string): string[] {
  let source: Source
  try {
    source = readSource(path, text)
  } catch (error) {
    return [`1: cannot be read: ${error}`]
  }
  const asked = name === undefined ? Object.values(RULES) : [RULES[name]!]
  return asked.flatMap((rule) => [...rule(source)].map(({ line, what }) => `${line}: ${what}`))
}

const lines = (count: number, line = 'f(1)'): string => `${line}\n`.repeat(count)
const functionOf = (count: number): string => `function f() {\n${lines(count - 2)}}`

/** A rule, a file, its text, and what must be found: nothing where it says nothing. */
const PLANTED: { readonly [name: string]: readonly [path: string, text: string, found: string][] } =
  {
    'imports go down': [
      ['landscape/a.ts', "import { b } from '../policies/b.ts'", '1: imports policies/b.ts, but'],
      ['landscape/a.ts', "\n\nimport type { B } from '../wire/b.ts'", '3: imports wire/b.ts, but'],
      ['landscape/a.ts', "type B = import('../wire/b.ts').B", '1: imports wire/b.ts'],
      ['landscape/a.ts', "import { b } from './b.ts'", ''],
      ['policies/a.ts', "import { b } from '../landscape/b.ts'", ''],
      [
        'policies/a.ts',
        "import '../runtime/clock.ts'",
        '1: imports runtime/clock.ts, but policies/',
      ],
      [
        'policies/a.ts',
        "import { join } from 'node:path'",
        "1: imports 'node:path', but policies/ is",
      ],
      [
        'landscape/a.ts',
        "import { parse } from 'yaml'",
        "1: imports 'yaml', but landscape/ is pure",
      ],
      ['runtime/a.ts', "import { a } from '../landscape/a.ts'", '1: imports landscape/a.ts, but'],
      ['proxy/http1/a.ts', "import { a } from '../../wire/a.ts'", ''],
      ['proxy/a.ts', "import { a } from '../control-plane/a.ts'", '1: imports control-plane/a.ts'],
      [
        'control-plane/a.ts',
        "const a = await import('../proxy/main.ts')",
        '1: imports proxy/main.ts',
      ],
      ['proxy/a.ts', "new Worker(new URL('../cli/a.ts', import.meta.url))", '1: imports cli/a.ts'],
      ['proxy/a.ts', "new Worker(new URL('./a.ts', import.meta.url))", ''],
      ['proxy/a.ts', "import { a } from '../test/support/a.ts'", '1: imports test/support/a.ts'],
      ['proxy/a.ts', "export { a } from '../cli/a.ts'", '1: imports cli/a.ts'],
      ['proxy/a.ts', "// from '../cli/a.ts'\nconst a = `import '../cli/a.ts'`", ''],
      ['proxy/a.ts', "import { a } from './a'", "1: imports './a' without its ending"],
      ['proxy/a.ts', 'enum A { B }', '1: cannot be read: '],
      ['proxy/a.ts', 'const a = (', '1: cannot be read: '],
      ['proxy/a.ts', "import t from 'tap'", "1: imports 'tap', which is no dependency"],
      ['proxy/a.ts', "import { x } from '@bufbuild/protobuf/wkt'\nimport 'node:net'", ''],
      ['cli/a.cjs', "const a = require('../proxy/main.ts')", '1: imports proxy/main.ts'],
      ['cli/verbs/proxy.ts', "await import('../../proxy/main.ts')", ''],
      ['cli/verbs/proxy.ts', "import { a } from '../../proxy/main.ts'", '1: imports proxy/main.ts'],
      ['cli/verbs/proxy.ts', "await import('../../proxy/worker.ts')", '1: imports proxy/worker.ts'],
      ['cli/verbs/proxy.ts', 'await import(WHERE)', '1: imports what is not written there'],
      ['cli/verbs/top.ts', "await import('../../proxy/main.ts')", '1: imports proxy/main.ts'],
      ['test/a.test.ts', "import { a } from '../proxy/a.ts'\nimport t from 'tap'", ''],
    ],
    'landscape and policies are pure': [
      [
        'landscape/a.ts',
        'const a = 1\nconst b = Date.now()',
        '2: uses Date, but landscape/ is pure',
      ],
      ['policies/a.ts', 'const a = performance.now()', '1: uses performance'],
      ['policies/a.ts', 'const a = Math.random()', '1: uses Math.random'],
      ['policies/a.ts', 'setTimeout(f, 1)', '1: uses setTimeout'],
      ['policies/a.ts', 'const a = process.env', '1: uses process'],
      ['policies/a.ts', 'const a = `$'.concat('{process.pid}`'), '1: uses process'],
      ['policies/a.ts', "// Date\nconst a = 'process' + /Date/.source + row.process", ''],
      ['policies/a.ts', 'interface A {\n  /** Of a process, by Date. */\n  a: number\n}', ''],
      ['proxy/a.ts', 'const a = Date.now()', ''],
    ],
    'a file and a function fit in the head': [
      ['proxy/a.ts', lines(300), ''],
      ['proxy/a.ts', lines(301), '301: has 301 lines, more than 300'],
      ['test/a.test.ts', lines(301), '301: has 301 lines'],
      ['proxy/a.ts', `const a = 1\n// ${'x'.repeat(97)}`, ''],
      ['proxy/a.ts', `const a = 1\n// ${'é'.repeat(98)}`, '2: has 101 columns, more than 100'],
      ['proxy/a.ts', functionOf(60), ''],
      ['proxy/a.ts', `\n${functionOf(61)}`, '2: a function of 61 lines, more than 60'],
      ['proxy/a.ts', `const f = (): { a: 1 } => {\n${lines(60)}}`, '1: a function of 62 lines'],
      ['proxy/a.ts', `class A {\n  f<T>(a: T): T {\n${lines(60)}  }\n}`, '2: a function of 62'],
      ['proxy/a.ts', `const b = {\n${lines(70, '  ...a,')}}\nclass B {\n${lines(70, '  ;')}}`, ''],
      ['test/a.test.ts', functionOf(90), ''],
    ],
    'names say something, in words of this house': [
      ['proxy/index.ts', '', "1: 'index' says nothing"],
      ['proxy/utils.ts', '', "1: 'utils' says nothing"],
      ['test/support/helpers.test.ts', '', "1: 'helpers' says nothing"],
      ['proxy/common/a.ts', '', "1: 'common' says nothing"],
      ['proxy/call-context.ts', '', "1: 'context' is not a word of this house"],
      ['proxy/upstream.ts', '', "1: 'upstream' is not a word"],
      ['proxy/rejects.ts', '', "1: 'rejects' is not a word"],
      ['proxy/http1/body/a.ts', '', '1: is deeper than two folders'],
      ['proxy/http1/body.ts', '', ''],
    ],
    'a file opens with its idea': [
      ['proxy/a.ts', '/** An idea. */\nconst a = 1', ''],
      ['proxy/a.ts', '// An idea.\nconst a = 1', ''],
      ['cli/a.cjs', "#!/usr/bin/env node\n'use strict'\n// An idea.", ''],
      ['proxy/a.ts', "import 'node:net'\n/** An idea. */", '1: does not open with a comment'],
      ['proxy/a.ts', '// An idea.\n/* TODO later */', '2: TODO in a comment'],
      ['proxy/a.ts', '// An idea.\n// @ts-ignore', '2: @ts-ignore in a comment'],
      ['proxy/a.ts', '// An idea.\nconst TODO = 1', ''],
      [
        'proxy/a.ts',
        `// An idea.\nconst a = '${['', 'home', 'me', 'x'].join('/')}'`,
        '2: names a place',
      ],
    ],
    'nothing is any, default, or exported again': [
      ['proxy/a.ts', '\nconst a: any = 1', "2: 'any' turns"],
      ['proxy/a.ts', 'const a = b as any', "1: 'any' turns"],
      ['proxy/a.ts', 'type A = Map<string, any>', "1: 'any' turns"],
      ['proxy/a.ts', 'type A = any', "1: 'any' turns"],
      ['proxy/a.ts', 'const f = (a: any[]): any => a', "1: 'any' turns"],
      ['proxy/a.ts', "const any = [1]\nf(any.length, x.any, 'as any') // as any", ''],
      ['proxy/a.ts', '\nexport default 1', '2: a default export'],
      ['proxy/a.ts', "export { a } from './a.ts'", '1: exports again'],
      ['proxy/a.ts', "export type {\n  A,\n} from './a.ts'", '1: exports again'],
      ['proxy/a.ts', "export * as a from './a.ts'", '1: exports again'],
      ['proxy/a.ts', 'const a = 1\nexport { a }', ''],
    ],
    'tests run whole': [
      ['test/a.test.ts', "\nt.only('a', f)", '2: .only( leaves'],
      ['test/a.test.ts', "t.test('a', { only: true }, f)", "1: 'only' in"],
      ['test/a.test.ts', "t.skip('a', f)", '1: .skip( without'],
      ['test/a.test.ts', "t.test('a', { skip: true }, f)", "1: 'skip' without"],
      ['test/a.test.ts', "t.test('a', { skip: 'slow' }, f)", "1: 'skip' without"],
      ['test/a.test.ts', "t.test('a', { skip: !psql && 'no psql' }, f)", ''],
      ['test/a.test.ts', "if (!psql) t.skip('no psql')", ''],
      ['test/a.test.ts', "t.todo('a')", '1: .todo( is'],
      ['test/a.test.ts', "t.test('a', { todo: 'later' }, f)", "1: 'todo' in"],
      ['test/bench/a.ts', "parseArgs({ options: { only: { type: 'string' } } })", ''],
      ['test/a.test.ts', "const a = '.only(' // t.only('a')", ''],
      ['proxy/a.ts', 'reader.skip(4)', ''],
    ],
  }

for (const [name, planted] of Object.entries(PLANTED)) {
  t.test(`the check that ${name} finds what is planted`, async (t) => {
    for (const [path, text, found] of planted) {
      const all = findings(path, text, name)
      const shown = `${path}: ${text.slice(0, 60)}`
      if (found === '') t.strictSame(all, [], shown)
      else t.ok(all[0]?.startsWith(found), shown, { found: all, wanted: found })
    }
  })
}

t.strictSame(Object.keys(PLANTED), Object.keys(RULES), 'every rule has its planted faults')

const rooms = [...Object.keys(rules.ROOMS), 'test']
const files = globSync(`{${rooms.join(',')}}/**/*.{ts,mts,cts,js,mjs,cjs}`, { cwd: root })
  .map((path) => path.replaceAll(sep, '/'))
  .filter((path) => !path.startsWith('wire/gen/'))
  .sort()

t.test('the house is tidy', async (t) => {
  t.ok(files.includes('landscape/edge.ts') && files.length > 30, 'the files are found')
  const found = files.flatMap((path) => {
    return findings(path, readFileSync(join(root, path), 'utf8')).map((what) => `${path}:${what}`)
  })
  t.strictSame(found, [])
})

t.test('nothing else in a room lies deeper than two folders', async (t) => {
  const deep = globSync(`{${rooms.join(',')}}/*/*/**`, { cwd: root, withFileTypes: true })
  const found = deep.filter((entry) => entry.isFile())
  t.strictSame(
    found.map(({ parentPath, name }) => relative(root, join(parentPath, name))),
    [],
  )
})

t.test('no room is unknown to the rules', async (t) => {
  const folders = globSync('*/**/*.ts', { cwd: root, exclude: ['node_modules', 'dist', '.tap'] })
  const strangers = folders
    .map((path) => path.split(sep)[0]!)
    .filter((room) => !rooms.includes(room))
  t.strictSame([...new Set(strangers)], [])
})
