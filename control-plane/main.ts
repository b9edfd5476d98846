/**
 * The control plane as a process: `airspace control-plane`, or this file by itself. It says in one
 * line of JSON where it listens, and ends cleanly on SIGTERM and SIGINT. Nodes go on without it.
 */
import type { AddressInfo } from 'node:net'
import { clock } from '../runtime/clock.ts'
import type { Address } from '../runtime/environment.ts'
import { type Log, logger } from '../runtime/log.ts'
import { type Config, readConfig, USAGE } from './config.ts'
import { ControlPlane } from './plane.ts'
import { VERSION } from './version.ts'

/** Exit codes are those of the command line. */
const DONE = 0
const FAILED = 1
const MISUSED = 2

export async function runControlPlane(argv: readonly string[]): Promise<number> {
  const log = logger('control-plane')
  let config: Config | undefined
  try {
    config = readConfig(argv)
  } catch (error) {
    return misused(error)
  }
  if (config === undefined) {
    process.stdout.write(USAGE)
    return DONE
  }
  // The ledger says who did what, and the tokens who may: both are for their owner's eyes.
  process.umask(0o077)
  // A file that may grow no more is a full disk, which is lived with: it must not end us.
  process.on('SIGXFSZ', () => log.warn('a file may not grow: the limit of its size is reached'))
  try {
    const plane = new ControlPlane(config, clock, log)
    await serve(plane, config, log)
    return DONE
  } catch (error) {
    if (error instanceof RangeError) return misused(error)
    log.error('the control plane cannot run', { error })
    return FAILED
  }
}

function misused(error: unknown): number {
  process.stderr.write(`airspace control-plane: ${(error as Error).message}\n`)
  return MISUSED
}

async function serve(plane: ControlPlane, config: Config, log: Log): Promise<void> {
  const ended = signalled()
  try {
    const grpc = await plane.server.listen(config.grpc)
    const http = await listening(plane, config.http)
    log.info('ready', { grpc, http, state: config.state, version: VERSION, pid: process.pid })
    log.info('ending', { signal: await ended })
  } finally {
    await plane.close()
  }
}

function listening({ gateway }: ControlPlane, { host, port }: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    gateway.once('error', reject)
    gateway.listen(port, host, () => {
      const { port: bound } = gateway.address() as AddressInfo
      resolve(`${host.includes(':') ? `[${host}]` : host}:${bound}`)
    })
  })
}

const signalled = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })

if (import.meta.main) process.exitCode = await runControlPlane(process.argv.slice(2))
