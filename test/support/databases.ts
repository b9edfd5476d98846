/** Databases as everybody runs them, on a free port, in a folder that goes when they do. */
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { accepts, freePort } from './ports.ts'
import { type Processes, programOf } from './processes.ts'

const HOST = '127.0.0.1'

export async function startRedis(processes: Processes, folder: string): Promise<string> {
  const port = await freePort()
  const nothing = ['--save', '', '--appendonly', 'no', '--daemonize', 'no']
  const args = ['--port', `${port}`, '--bind', HOST, '--dir', folder, ...nothing]
  processes.start('redis-server', programOf('redis-server')!, args)
  await accepts(`${HOST}:${port}`)
  return `${HOST}:${port}`
}

/** Debian keeps PostgreSQL's own programs out of PATH, a folder a version; the newest will do. */
function postgresFolder(): string | undefined {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base) : []
  const folders = versions.map((version) => join(base, version, 'bin'))
  return folders.filter((folder) => existsSync(join(folder, 'initdb'))).at(-1)
}

const NOBODY = 65_534

/**
 * A cluster of its own, as an ordinary user: PostgreSQL does not run as root, so from root it is
 * started as nobody. Undefined where that cannot be.
 */
export async function startPostgres(processes: Processes, t: Test): Promise<string | undefined> {
  const programs = postgresFolder()
  const isRoot = process.getuid?.() === 0
  const setpriv = programOf('setpriv')
  if (programs === undefined || (isRoot && setpriv === undefined)) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'airspace-postgres-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  const options = { cwd: folder, env: { LC_ALL: 'C', TZ: 'UTC' } }
  if (isRoot) for (const path of [folder, data]) chownSync(path, NOBODY, NOBODY)
  const line = (name: string, args: string[]): [string, string[]] => {
    const program = join(programs, name)
    if (!isRoot) return [program, args]
    const as = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups']
    return [setpriv!, [...as, program, ...args]]
  }
  const fast = ['-A', 'trust', '-U', 'postgres', '--no-sync', '--no-instructions', '-E', 'UTF8']
  const made = await processes.run(...line('initdb', ['-D', data, ...fast]), options)
  if (made.exit?.code !== 0) {
    t.comment(made.complaint())
    return undefined
  }
  const port = await freePort()
  const lean = ['-c', 'fsync=off', '-c', 'shared_buffers=8MB', '-c', 'max_connections=20']
  const where = ['-D', data, '-h', HOST, '-p', `${port}`, '-k', folder]
  processes.start('postgres', ...line('postgres', [...where, ...lean]), options)
  await accepts(`${HOST}:${port}`)
  return `${HOST}:${port}`
}
