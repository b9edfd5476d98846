/**
 * `npm test`: runs every test file as a process of its own, tells of each as it ends, and closes
 * with the count of named tests, alone on its line: `312 passed, 0 failed`.
 *
 *   npm test -- [--no-skip] [--jobs=2] [--timeout=120] [test/x.test.ts | test/landscape]...
 *
 * `--no-skip`: a skipped test is a failed one. The runner of tap itself is not used: when one file
 * times out it loses the results of others, and a lost result reads as a pass.
 */
import { spawn } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type FileResult, type Named, Tally } from './tally.ts'

/** These start whole landscapes and measure time: they run one at a time, after all others. */
const ALONE = /^test\/journey\//
/** After its time a file is told to say what it waits for; so long after that it is ended. */
const LAST_WORDS_MS = 2000
/** Output may still be under way when a process has ended; a grandchild may hold it for ever. */
const OUTPUT_WAIT_MS = 1000

/** Groups of processes under way: none of them outlives the run. */
const groups = new Set<number>()

interface Options {
  readonly noSkip: boolean
  readonly jobs: number
  readonly timeoutS: number
  readonly files: readonly string[]
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'no-skip': { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
      timeout: { type: 'string', default: '120' },
    },
  })
  const asked = positionals.length > 0 ? positionals : ['test']
  const files = asked.flatMap((path) => {
    const found = statSync(path).isDirectory() ? globSync(`${path}/**/*.test.ts`) : [path]
    if (found.length === 0) throw new RangeError(`${path}: there is no test in it`)
    return found.sort()
  })
  return {
    noSkip: values['no-skip'],
    jobs: positive('jobs', values.jobs),
    timeoutS: positive('timeout', values.timeout),
    files: [...new Set(files)],
  }
}

function positive(name: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new RangeError(`--${name}: '${text}' is not a whole number above 0`)
}

/** TAP of ours would be taken for that of a run around this one. */
function environment(timeoutS: number): NodeJS.ProcessEnv {
  const env = { ...process.env, TAP_TIMEOUT: String(timeoutS), FORCE_COLOR: '0' }
  for (const name of Object.keys(env)) {
    if (name.startsWith('TAP_') && name !== 'TAP_TIMEOUT') Reflect.deleteProperty(env, name)
  }
  return env
}

function end(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // It has ended by itself.
  }
}

/** Twice its time is more than a test may take that asked tap for more; then it is hung. */
function runFile(file: string, timeoutS: number): Promise<FileResult> {
  const tally = new Tally(file)
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(timeoutS),
    detached: true, // a group of its own, so that what it leaves behind can be ended with it
  })
  const group = child.pid
  if (group === undefined) throw new Error(`${file}: cannot start ${process.execPath}`)
  groups.add(group)
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => tally.stdout(chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => tally.stderr(chunk))
  return new Promise((resolve) => {
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGALRM')
      ending = setTimeout(() => end(group, 'SIGKILL'), LAST_WORDS_MS)
    }, timeoutS * 2000)
    let ending: NodeJS.Timeout | undefined
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      clearTimeout(ending)
      const tell = (): void => {
        if (!groups.delete(group)) return
        clearTimeout(waiting)
        end(group, 'SIGKILL')
        child.stdout.destroy()
        child.stderr.destroy()
        resolve(tally.end({ code, signal, ...(timedOut ? { timedOutS: timeoutS * 2 } : {}) }))
      }
      const waiting = setTimeout(tell, OUTPUT_WAIT_MS)
      child.on('close', tell)
    })
  })
}

function describe({ file, passed, failed, skipped, stderr }: FileResult, tookMs: number): string {
  const counts = [`${passed} passed`]
  if (failed.length > 0) counts.push(`${failed.length} failed`)
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`)
  const mark = failed.length > 0 ? 'FAIL' : 'ok  '
  const lines = [`${mark} ${file}  ${counts.join(', ')}  ${(tookMs / 1000).toFixed(1)} s`]
  for (const { name, why } of failed) lines.push(`  ${name}`, ...why.map((line) => `    ${line}`))
  if (failed.length > 0 && stderr !== '') {
    lines.push(
      '  standard error:',
      ...stderr
        .trimEnd()
        .split('\n')
        .map((line) => `    ${line}`),
    )
  }
  return lines.join('\n')
}

async function runAll({ files, jobs, timeoutS }: Options): Promise<FileResult[]> {
  const results: FileResult[] = []
  const work = async (queue: string[]): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const startMs = performance.now()
      const result = await runFile(file, timeoutS)
      console.log(describe(result, performance.now() - startMs))
      results.push(result)
    }
  }
  const together = files.filter((file) => !ALONE.test(file))
  await Promise.all(Array.from({ length: jobs }, () => work(together)))
  await work(files.filter((file) => ALONE.test(file)))
  return results
}

/** Prints what was skipped and the last line; true when nothing failed. */
function conclude(results: readonly FileResult[], noSkip: boolean): boolean {
  const skipped: Named[] = results.flatMap((result) => result.skipped)
  const passed = results.reduce((sum, result) => sum + result.passed, 0)
  const failed = results.reduce((sum, result) => sum + result.failed.length, 0)
  if (failed > 0) {
    console.log('\nfailed:')
    for (const result of results) for (const { name } of result.failed) console.log(`  ${name}`)
  }
  if (skipped.length > 0) console.log(`\nskipped${noSkip ? ', which counts as failed here' : ''}:`)
  for (const { name, why } of skipped) console.log(`  ${name}: ${why.join(' ')}`)
  console.log('')
  const failures = failed + (noSkip ? skipped.length : 0)
  const rest = noSkip || skipped.length === 0 ? '' : `, ${skipped.length} skipped`
  console.log(`${passed} passed, ${failures} failed${rest}`)
  return failures === 0 && passed > 0
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const group of groups) end(group, 'SIGKILL')
    process.exit(130)
  })
}
try {
  const options = readOptions(process.argv.slice(2))
  process.exitCode = conclude(await runAll(options), options.noSkip) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
