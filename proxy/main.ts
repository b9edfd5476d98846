/**
 * The proxy as a process: flags in, one ready line out, SIGTERM drains and ends with 0. Bad input
 * is said on standard error and ends with 2, a machine that refuses (an address taken) with 1.
 */
import { availableParallelism, hostname } from 'node:os'
import { clock } from '../runtime/clock.ts'
import { type Log, logger } from '../runtime/log.ts'
import { readConfig, USAGE } from './config.ts'
import { Node } from './node.ts'
import { Unable } from './unable.ts'

const EXIT = { drained: 0, failed: 1, misused: 2 } as const

/** Mistakes of ours in this thread that are survived: it carries no traffic, workers do. */
const MISTAKES_MAX = 2
const MISTAKES_MS = 60_000

/** Runs until it is told to end; resolves with the exit code. */
export async function runProxy(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(USAGE)
    return EXIT.drained
  }
  const machine = { hostname: hostname(), cores: availableParallelism(), env: process.env }
  let node: Node
  const log = logger('proxy')
  survive(log)
  try {
    node = new Node(readConfig(argv, machine), log, clock)
  } catch (error) {
    return complain(error)
  }
  const ended = untilTold(node, log)
  try {
    log.info('ready', { ...(await node.start()) })
  } catch (error) {
    if (node.draining) return ended
    await node.stop()
    complain(error)
    return EXIT.failed
  }
  return ended
}

function complain(error: unknown): number {
  if (!(error instanceof Error)) throw error
  process.stderr.write(`airspace proxy: ${error.message}\n`)
  if (error instanceof RangeError) return EXIT.misused
  // Neither what was given nor what the machine has is wrong: a mistake of ours shows its stack.
  if (!(error instanceof Unable) && !('code' in error)) throw error
  return EXIT.failed
}

/**
 * What is thrown here and caught nowhere would end every worker with it, so it is logged and passed
 * over, unless there are too many of them. A log that nobody reads any more is no reason to end.
 */
function survive(log: Log): void {
  const seen: number[] = []
  const mistake = (error: unknown): void => {
    const nowMs = clock.nowMs()
    seen.push(nowMs)
    if (seen.length > MISTAKES_MAX) seen.shift()
    log.error('a mistake of ours', { error, stack: error instanceof Error ? error.stack : '' })
    if (seen.length === MISTAKES_MAX && nowMs - seen[0]! < MISTAKES_MS) process.exit(EXIT.failed)
  }
  process.on('uncaughtException', mistake)
  process.on('unhandledRejection', mistake)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}

/** The first signal drains, a second one ends it at once. */
function untilTold(node: Node, log: Log): Promise<number> {
  return new Promise((resolve) => {
    let told = false
    const end = (signal: string) => {
      if (told) {
        log.warn('ending at once', { signal })
        node.stop().then(() => resolve(EXIT.failed))
        return
      }
      told = true
      node.drain().then(
        () => {
          log.info('drained')
          resolve(EXIT.drained)
        },
        (error) => {
          log.error('draining failed', { error })
          resolve(EXIT.failed)
        },
      )
    }
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => end(signal))
  })
}

if (import.meta.main) process.exitCode = await runProxy(process.argv.slice(2))
