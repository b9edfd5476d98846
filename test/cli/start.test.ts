/** The start file is read by any Node, and goes on in the one that came along. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ROOT } from '../support/processes.ts'

const START = join(ROOT, 'cli', 'airspace.cjs')

const CACHE = mkdtempSync(join(tmpdir(), 'airspace-cache-'))
t.teardown(() => rmSync(CACHE, { recursive: true }))

/** Loaded first, it makes this Node call itself an old one. */
const OLD = `
Object.defineProperty(process.versions, 'node', { value: process.env.AS_NODE ?? '20.20.2' })`

function start(
  file: string,
  preload: string | undefined,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): SpawnSyncReturns<string> {
  const first = preload === undefined ? [] : ['--require', preload]
  return spawnSync(process.execPath, [...first, file, ...words], {
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: CACHE, ...env },
    timeout: 20_000,
  })
}

/** A copy of the start file, far from any node_modules, and what makes a Node old. */
function alone(t: Test): { readonly file: string; readonly preload: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'airspace-start-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'cli'))
  writeFileSync(join(folder, 'old.cjs'), OLD)
  const file = join(folder, 'cli', 'airspace.cjs')
  copyFileSync(START, file)
  return { file, preload: join(folder, 'old.cjs'), folder }
}

t.test('a Node that is new enough goes straight on', async (t) => {
  const { stdout, status } = start(START, undefined, ['--version'])
  t.match(stdout, /^\d+\.\d+\.\d+\n$/)
  t.equal(status, 0)
})

t.test('what it compiled once is kept for the user, and nowhere else', async (t) => {
  start(START, undefined, ['explain'])
  t.not(readdirSync(join(CACHE, 'airspace')).length, 0)
})

t.test('an old one goes on in the pinned one, and ends as that ended', async (t) => {
  const { preload } = alone(t)
  t.match(start(START, preload, ['explain']).stdout, 'bulkhead')
  const { stderr, status } = start(START, preload, ['bulkhad'])
  t.match(stderr, 'did you mean bulkhead?')
  t.equal(status, 2)
})

t.test('without a pinned one it says what is needed and what was found', async (t) => {
  const { file, preload } = alone(t)
  for (const version of ['20.20.2', '24.14.1', '18.19.0']) {
    const { stderr, status } = start(file, preload, ['status'], { AS_NODE: version })
    t.equal(stderr, `airspace: Node 24.15 or newer needed, found ${version}\n`)
    t.equal(status, 1)
  }
})

t.test('a pinned one that is old itself is tried once, not for ever', async (t) => {
  const { file, preload, folder } = alone(t)
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(
    join(bin, 'node'),
    `#!/bin/sh\nexec '${process.execPath}' --require '${preload}' "$@"\n`,
  )
  chmodSync(join(bin, 'node'), 0o755)
  t.match(start(file, preload, ['status']).stderr, 'Node 24.15 or newer needed, found 20.20.2')
})

t.test('a published package has main.js, and that is what starts', async (t) => {
  const { file, folder } = alone(t)
  writeFileSync(
    join(folder, 'cli', 'main.js'),
    `exports.main = () => console.log('published', ...process.argv.slice(2))`,
  )
  t.equal(start(file, undefined, ['a', 'b']).stdout, 'published a b\n')
})

t.test('started by a link, as npm does it', async (t) => {
  const folder = t.testdir()
  symlinkSync(START, join(folder, 'airspace'))
  t.match(start(join(folder, 'airspace'), undefined, ['--version']).stdout, /^\d/)
})

t.test('a signal goes through, and so does the end that it made', async (t) => {
  const { file, preload, folder } = alone(t)
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(process.execPath, join(bin, 'node'))
  writeFileSync(
    join(folder, 'cli', 'main.js'),
    `exports.main = () => {
      process.on('SIGTERM', () => process.exit(7))
      setInterval(() => {}, 1000)
      console.log('ready')
    }`,
  )
  const child = spawn(process.execPath, ['--require', preload, file], {
    env: { ...process.env, XDG_CACHE_HOME: CACHE },
  })
  t.teardown(() => child.kill('SIGKILL'))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGTERM')
  t.equal(await new Promise((resolve) => child.on('exit', resolve)), 7)
})
