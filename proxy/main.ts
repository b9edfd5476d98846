/**
 * The proxy as a process: flags in, one ready line out, SIGTERM drains and ends with 0. Bad input is
 * said on standard error and ends with 2, a machine that refuses (an address taken) with 1.
 */
import { availableParallelism, hostname } from 'node:os'
import { clock } from '../runtime/clock.ts'
import { type Log, logger } from '../runtime/log.ts'
import { readConfig, USAGE } from './config.ts'
import { Node } from './node.ts'

const EXIT = { drained: 0, failed: 1, misused: 2 } as const

/** Runs until it is told to end; resolves with the exit code. */
export async function runProxy(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(USAGE)
    return EXIT.drained
  }
  const machine = { hostname: hostname(), cores: availableParallelism(), env: process.env }
  let node: Node
  const log = logger('proxy')
  try {
    node = new Node(readConfig(argv, machine), log, clock)
  } catch (error) {
    return complain(error)
  }
  const ended = untilTold(node, log)
  try {
    log.info('ready', { ...(await node.start()) })
  } catch (error) {
    await node.stop()
    complain(error)
    return EXIT.failed
  }
  return ended
}

function complain(error: unknown): number {
  if (!(error instanceof Error)) throw error
  process.stderr.write(`airspace proxy: ${error.message}\n`)
  // What was given is wrong, or what the machine has is: a mistake of ours shows its stack.
  if (error instanceof RangeError) return EXIT.misused
  if (!('code' in error)) throw error
  return EXIT.failed
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
