/** Help is a promise: every example in it is run, every flag of every pattern is in it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Invocation } from '../../cli/invocation.ts'
import { programOf } from '../../cli/main.ts'
import type { Verb } from '../../cli/verb.ts'
import { catalog } from '../../policies/catalog.ts'
import { FakeControl } from '../support/fake-control.ts'
import { ROOT } from '../support/processes.ts'
import { CANNED } from './canned.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { runWith, wordsOf } from './run.ts'

const program = programOf(new Invocation(new FakeTerminal(), []))

const everyVerb = (verb: Verb): Verb[] => [verb, ...(verb.commands as Verb[]).flatMap(everyVerb)]

/** What only a shell or a whole other test can run. */
const ELSEWHERE = /^(source |airspace (control-plane|proxy|demo)\b)|--at-node|\| source$/

/** The scenery has nothing on that edge, and a lease in it that is about to end. */
const OTHERWISE: { readonly [command: string]: number } = {
  "airspace release --edge '*..payments'": 3,
  'airspace check --strict -o short': 10,
}

t.test('every example in every --help does what it says', async (t) => {
  const control = await new FakeControl(CANNED['everywhere']).start()
  t.teardown(() => control.stop())
  const examples = everyVerb(program).flatMap((verb) => verb.examples)
  t.ok(examples.length > 40, `${examples.length} examples`)
  for (const { command } of examples) {
    if (ELSEWHERE.test(command)) continue
    const { exit, stderr } = await runWith(control, wordsOf(command))
    t.equal(exit, OTHERWISE[command] ?? 0, `${command}\n${stderr}`)
  }
})

t.test('every command that the README shows does what it says', async (t) => {
  const control = await new FakeControl(CANNED['everywhere']).start()
  t.teardown(() => control.stop())
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const shown = [...text.matchAll(/(?:^(?:npx )?|`)(airspace [^`\n#&\\]+)/gm)].map(([, it]) =>
    it!.trim(),
  )
  t.ok(shown.length > 5, `${shown.length} commands`)
  for (const command of shown) {
    if (ELSEWHERE.test(command)) continue
    const { exit, stderr } = await runWith(control, wordsOf(command))
    t.not(exit, 2, `${command}\n${stderr}`)
  }
})

t.test('every verb has help with an example first, on standard output', async (t) => {
  for (const verb of everyVerb(program)) {
    if (verb.name().startsWith('__')) continue
    const path = verb.path().split(' ')
    if (['control-plane', 'proxy', 'demo'].includes(path[1] ?? '')) continue
    const { stdout, stderr, exit } = await runWith(undefined, [...path, '--help'])
    t.equal(exit, 0, verb.path())
    t.equal(stderr, '')
    t.match(stdout, /^airspace[^\n]*: [^\n]+\n\n {2}\S/, `${verb.path()}: an example comes first`)
    for (const { command } of verb.examples) t.ok(stdout.includes(command), command)
    for (const row of stdout.split('\n')) t.ok(row.length <= 100, `${verb.path()}: ${row}`)
  }
})

t.test('every pattern of the catalog is a verb, every field of it a flag', async (t) => {
  for (const { kind, fields } of catalog) {
    const { stdout } = await runWith(undefined, ['airspace', kind, '--help'])
    for (const { flag } of Object.values(fields)) t.match(stdout, `--${flag}`)
  }
})

t.test('no flag means two things', async (t) => {
  const globals = program.options.flatMap(({ long, short }) => [long, short])
  for (const verb of everyVerb(program).slice(1)) {
    const own = verb.options.flatMap(({ long, short }) => [long, short])
    const all = [...own, ...globals].filter((flag) => flag !== undefined && flag !== '--help')
    t.strictSame(
      all.filter((flag, i) => all.indexOf(flag) !== i),
      [],
      verb.path(),
    )
  }
})

t.test('the version is that of the package', async (t) => {
  const { stdout, exit } = await runWith(undefined, ['airspace', '--version'])
  t.match(stdout, /^\d+\.\d+\.\d+\n$/)
  t.equal(exit, 0)
})
