/** Completion: what could come next, in a real shell, with live names and a budget of a second. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { FakeControl, never } from '../support/fake-control.ts'
import { programOf, ROOT } from '../support/processes.ts'
import { CANNED } from './canned.ts'
import { runWith, STATE } from './run.ts'

const control = await new FakeControl(CANNED['everywhere']).start()
t.teardown(() => control.stop())

/** The words that complete `typed`, which is split at blanks. */
async function complete(typed: string, on: FakeControl | undefined = control): Promise<string[]> {
  const { stdout } = await runWith(on, [
    'airspace',
    '__complete',
    '--',
    ...typed.split(' ').slice(1),
  ])
  return stdout
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => row.split('\t')[0]!)
}

t.test('verbs, flags, words and live names', async (t) => {
  const table: [string, string[]][] = [
    ['airspace bul', ['bulkhead']],
    ['airspace ge', ['get']],
    ['airspace get s', ['services']],
    ['airspace --control 127.0.0.1:1 get no', ['nodes']],
    ['airspace bulkhead web', ['web..catalog', 'web..payments']],
    ['airspace bulkhead web..payments --max-i', ['--max-in-flight']],
    ['airspace bulkhead --from pay', ['payments']],
    ['airspace bulkhead --existing ', ['keep', 'drain', 'cut']],
    ['airspace breaker op', ['open']],
    ['airspace breaker open web..p', ['web..payments']],
    ['airspace quarantine pay', ['payments']],
    ['airspace release ', ['bh-91c', 'br-2f0']],
    ['airspace release bh-91c br', ['br-2f0']],
    ['airspace extend bh', ['bh-91c']],
    ['airspace describe node node-', ['node-6', 'node-7']],
    ['airspace describe service ca', ['catalog']],
    ['airspace explain bulkhead.', ['bulkhead.max-in-flight', 'bulkhead.max-connections']],
    ['airspace get edges --sort p', ['p50', 'p99']],
    ['airspace get edges -o ', ['table', 'json', 'yaml']],
    ['airspace check --only cl', ['cli', 'clock']],
    ['airspace completion z', ['zsh']],
    ['airspace nosuch ', []],
  ]
  for (const [typed, words] of table)
    t.strictSame((await complete(typed)).sort(), words.sort(), typed)
  t.ok((await complete('airspace ')).includes('quarantine'))
  t.notOk((await complete('airspace ')).includes('__complete'))
})

t.test('names that a shell would act on are not offered', async (t) => {
  const hostile = await new FakeControl({ ...CANNED['names of attackers'] }).start()
  t.teardown(() => hostile.stop())
  t.strictSame(await complete('airspace bulkhead $', hostile), [])
  for (const word of await complete('airspace get services ', hostile)) {
    t.match(word, /^[\w./:-]+$/)
  }
})

t.test('a control plane that hangs costs a second and no complaint', async (t) => {
  const hung = await new FakeControl({ getEdges: never }).start()
  t.teardown(() => hung.stop())
  const started = performance.now()
  const { stdout, stderr, exit } = await runWith(hung, ['airspace', '__complete', 'bulkhead', 'w'])
  t.strictSame([stdout, stderr, exit], ['', '', 0])
  t.ok(performance.now() - started < 5_000)
})

t.test('a control plane that is gone leaves verbs and flags', async (t) => {
  t.strictSame(await complete('airspace bulkhead --max-c', undefined), ['--max-connections'])
})

/** `airspace` on the path of a shell: the real executable, asking the fake control plane. */
function installed(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const main = join(ROOT, 'cli', 'main.ts')
  writeFileSync(join(bin, 'airspace'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  chmodSync(join(bin, 'airspace'), 0o755)
  return {
    HOME: folder,
    PATH: `${bin}${delimiter}${process.env['PATH']}`,
    AIRSPACE_CONTROL: control.address,
    XDG_STATE_HOME: STATE,
  }
}

/** Tests of shells run beside the fake control plane, which must go on answering meanwhile. */
async function inShell(shell: string, script: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { execFile } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    execFile(shell, ['-c', script], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(stdout)
    })
  })
}

t.test('in bash', { skip: !programOf('bash') && 'no bash here' }, async (t) => {
  const env = installed(t.testdir())
  const script = `
    source <(airspace completion bash)
    try() {
      COMP_LINE=$1 COMP_POINT=\${#1}
      _airspace
      echo "$1 => \${COMPREPLY[*]}"
    }
    try 'airspace bul'
    try 'airspace bulkhead web..p'
    try 'airspace bulkhead web..payments --max-in-flight 3 --for 5m --exi'
    try 'airspace get services unknown/10.9.8.7:5'
    try 'airspace describe '
    try "airspace bulkhead '*..payments' --per s"
    try 'airspace get services nosuch:a'
    complete -p airspace`
  t.strictSame((await inShell('bash', script, env)).trim().split('\n'), [
    'airspace bul => bulkhead',
    'airspace bulkhead web..p => web..payments',
    'airspace bulkhead web..payments --max-in-flight 3 --for 5m --exi => --existing',
    // Bash replaces only what stands after the colon.
    'airspace get services unknown/10.9.8.7:5 => 5432',
    'airspace describe  => edge service node pattern',
    "airspace bulkhead '*..payments' --per s => source",
    'airspace get services nosuch:a => ',
    'complete -o default -F _airspace airspace',
  ])
})

t.test(
  'the bash script has no fault',
  { skip: !programOf('bash') && 'no bash here' },
  async (t) => {
    const { stdout } = await runWith(undefined, ['airspace', 'completion', 'bash'])
    t.doesNotThrow(() => execFileSync('bash', ['-n'], { input: stdout }))
  },
)

t.test('in zsh', { skip: !programOf('zsh') && 'no zsh here' }, async (t) => {
  const { stdout } = await runWith(undefined, ['airspace', 'completion', 'zsh'])
  t.doesNotThrow(() => execFileSync('zsh', ['-n'], { input: stdout }))
  const env = installed(t.testdir())
  const script = `
    compdef() { :; }
    _describe() { print -rl -- "\${(@P)2}" }
    source <(airspace completion zsh)
    words=(airspace bulkhead web..p) CURRENT=3
    _airspace`
  t.match(await inShell('zsh', script, env), /^web\.\.payments:/m)
})

t.test('in fish', { skip: !programOf('fish') && 'no fish here' }, async (t) => {
  const env = installed(t.testdir())
  const script = `
    airspace completion fish | source
    complete -C 'airspace bulkhead web..p'`
  t.match(await inShell('fish', script, env), /^web\.\.payments/m)
})
