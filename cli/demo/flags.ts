/** What the demo can be told. */
import { parseArgs } from 'node:util'
import { nearest } from '../../policies/words.ts'
import { misused } from '../failure.ts'
import { readLength } from '../times.ts'

export interface DemoFlags {
  readonly story: string
  /** Nobody is there to type: the demo acts by itself and ends when the story has. */
  readonly headless: boolean
  /** The exit code tells whether the landscape recovered. */
  readonly assert: boolean
  /** How many times shorter the waits for people are. */
  readonly speed: number
  readonly forMs: number
  readonly perSecond: number
  readonly workers: number
  /** The state folder stays, for a look at what is in it. */
  readonly keep: boolean
}

export const STORIES = ['logging-storm', 'green-router'] as const
const FAST = 4
const SPEED_MAX = 10
const FOR = '10m'
const RATE = 240
const RATE_MAX = 1_000
const WORKERS_MAX = 4

export const DEMO_USAGE = `airspace demo: a small landscape on loopback, a fault,
and the command that remedies it

  --story logging-storm   (S3, default) a flapping broker makes every logger speak at once
  --story green-router    (S1) a router takes everything in and lets nothing out, all lights green
  --headless              nobody types: act by itself, then end (as fast as --speed fast)
  --assert                exit 0 only if the fault was seen, the pattern in force and all recovered
  --speed N|fast          waits for people are N times shorter; fast is ${FAST}
  --for DURATION          ends by itself after this long (default ${FOR})
  --rate N                requests a second that visitors ask (default ${RATE})
  --workers N             threads of each proxy (default 1)
  --keep                  keep the state folder
`

const OPTIONS = {
  story: { type: 'string' },
  headless: { type: 'boolean' },
  assert: { type: 'boolean' },
  speed: { type: 'string' },
  for: { type: 'string' },
  rate: { type: 'string' },
  workers: { type: 'string' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Undefined when only help was asked for. Throws a Failure with the sentence to show. */
export function readDemoFlags(argv: readonly string[]): DemoFlags | undefined {
  const flags = parsed(argv)
  if (flags.help) return undefined
  const headless = flags.headless === true
  return {
    story: readStory(flags.story ?? STORIES[0]),
    headless,
    assert: flags.assert === true,
    speed: readSpeed(flags.speed ?? (headless ? 'fast' : '1')),
    forMs: readLength('--for', flags.for ?? FOR),
    perSecond: readCount('--rate', flags.rate ?? String(RATE), RATE_MAX),
    workers: readCount('--workers', flags.workers ?? '1', WORKERS_MAX),
    keep: flags.keep === true,
  }
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false }).values
  } catch (error) {
    const said = error instanceof Error ? error.message.split('. ')[0] : String(error)
    throw misused(said ?? '', 'airspace demo --help')
  }
}

function readStory(text: string): string {
  if (STORIES.some((story) => story === text)) return text
  const near = nearest(text, STORIES)
  throw misused(`--story: '${text}' is none of ${STORIES.join(', ')}`, near && `--story ${near}`)
}

function readSpeed(text: string): number {
  const speed = text === 'fast' ? FAST : Number(text)
  if (speed >= 1 && speed <= SPEED_MAX) return speed
  throw misused(`--speed: '${text}' is not between 1 and ${SPEED_MAX}, nor 'fast'`)
}

function readCount(flag: string, text: string, most: number): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw misused(`${flag}: '${text}' is not between 1 and ${most}`)
}
