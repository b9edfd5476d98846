/**
 * `npm run bench`: ratios against others, measured side by side in one run, as a table and as
 * bench-results.json. Everything it starts is its own, on loopback, and ends with it.
 *
 *   npm run bench -- [--quick] [--rounds N] [--requests N] [--only P1,P9,packages]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Processes, programOf, ROOT } from '../support/processes.ts'
import { benchApply } from './apply.ts'
import { benchDecision } from './decision.ts'
import { benchForward } from './forward.ts'
import { startTarget } from './load.ts'
import { benchPackages } from './packages.ts'
import { benchPatterns } from './patterns.ts'
import { benchRefusal } from './refusal.ts'
import { Report } from './report.ts'
import type { Stage } from './stage.ts'

type Bench = (stage: Stage, report: Report) => Promise<void>

/** By the numbers of the goals they measure. */
const benches: readonly {
  readonly names: readonly string[]
  readonly run: Bench
  /** Nothing is forwarded: it needs no target. */
  readonly alone?: true
}[] = [
  { names: ['P1', 'P2'], run: benchForward },
  { names: ['P9'], run: benchDecision, alone: true },
  { names: ['P10'], run: benchRefusal },
  { names: ['P11'], run: benchApply },
  { names: ['P14'], run: benchPatterns },
  { names: ['packages'], run: benchPackages },
]

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    requests: { type: 'string' },
    only: { type: 'string' },
  },
})

function whole(name: string, text: string | undefined, fallback: number, most: number): number {
  const value = text === undefined ? fallback : Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new RangeError(`--${name}: ${text} is not a whole number from 1 to ${most}`)
}

function chosen(): typeof benches {
  if (flags.only === undefined) return benches
  const wanted = flags.only.split(',')
  const known = benches.flatMap(({ names }) => names)
  const stray = wanted.find((name) => !known.includes(name))
  if (stray !== undefined) throw new RangeError(`--only: no bench ${stray}; there are ${known}`)
  return benches.filter(({ names }) => names.some((name) => wanted.includes(name)))
}

/** Figures without what they were measured with are worth nothing. */
function surroundings(): Record<string, unknown> {
  const version = (name: string, flag: string): string => {
    const program = programOf(name)
    if (program === undefined) return 'missing'
    // nginx says its version on standard error.
    const said = execFileSync('sh', ['-c', '"$1" "$2" 2>&1', 'sh', program, flag])
    return said.toString().split('\n')[0]!.trim()
  }
  return {
    at: new Date().toISOString(),
    node: process.version,
    kernel: release(),
    cores: cpus().map(({ model }) => model),
    loadBefore: loadavg()[0],
    haproxy: version('haproxy', '-v'),
    nginx: version('nginx', '-v'),
    h2load: version('h2load', '--version'),
  }
}

async function main(): Promise<void> {
  const rounds = whole('rounds', flags.rounds, flags.quick ? 1 : 7, 100)
  const requests = whole('requests', flags.requests, flags.quick ? 4_000 : 60_000, 1_000_000)
  const around = surroundings()
  const report = new Report()
  for (const { names, run, alone } of chosen()) {
    process.stderr.write(`${names.join(', ')} ...\n`)
    const folder = mkdtempSync(join(tmpdir(), 'airspace-bench-'))
    const processes = new Processes()
    try {
      const target = alone ? '' : await startTarget(processes, folder)
      await run({ processes, folder, target, rounds, requests, quick: flags.quick }, report)
    } catch (error) {
      process.exitCode = 1
      report.note(names[0]!, `NOT MEASURED: ${(error as Error).message}`)
    } finally {
      await processes.end()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  if (flags.quick) report.note('all', 'A quick run: it shows that the bench works, not how fast.')
  process.stdout.write(`${report.toText()}\n`)
  const results = {
    ...around,
    rounds,
    requests,
    quick: flags.quick,
    ...(report.toJson() as object),
  }
  writeFileSync(join(ROOT, 'bench-results.json'), `${JSON.stringify(results, undefined, 2)}\n`)
}

await main()
