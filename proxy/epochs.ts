/**
 * Which process of this node is which. A process's epoch is its start in unix ms; with the node's
 * name it is the holder of shares. The control plane may hand a share on only when its holder is
 * known to be gone, so the state folder remembers who wrote there, and a new process says of which
 * it is sure that they have ended. When in doubt (another container's process numbers) it is not.
 */
import { mkdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../runtime/log.ts'

export const EPOCHS_FILE = 'epochs.json'
/** Of more processes than this we remember the newest. */
export const EPOCHS_MAX = 32

export interface Process {
  readonly epoch: string
  readonly pid: number
  /** Tells a process from a later one of the same number. */
  readonly started: string
  /** Process numbers mean something only within one boot and one pid namespace. */
  readonly boot: string
  readonly namespace: string
  readonly ended?: boolean
}

/** What the machine says of processes; tests pass their own. */
export interface Machine {
  readonly boot: string
  readonly namespace: string
  /** When the process started; undefined when there is none of that number. */
  started(pid: number): string | undefined
}

const readOr = (read: () => string): string => {
  try {
    return read().trim()
  } catch {
    return ''
  }
}

export const thisMachine: Machine = {
  boot: readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  namespace: readOr(() => readlinkSync('/proc/self/ns/pid')),
  started(pid) {
    try {
      process.kill(pid, 0)
    } catch (error) {
      // EPERM: somebody else's, but there.
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return undefined
    }
    // proc(5): field 22, in ticks since boot; the name in field 2 may hold spaces, so from its end.
    const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  },
}

/** Whether it is certain that the process runs no more. */
export function isGone(of: Process, machine: Machine): boolean {
  if (of.ended) return true
  if (of.boot !== machine.boot) return of.boot !== '' && machine.boot !== ''
  if (of.namespace !== machine.namespace) return false
  const started = machine.started(of.pid)
  return started === undefined || started !== of.started
}

function readProcesses(path: string): readonly Process[] {
  try {
    const given = JSON.parse(readFileSync(path, 'utf8'))
    return Array.isArray(given) ? given.filter((one) => /^\d{1,20}$/.test(one?.epoch)) : []
  } catch {
    return []
  }
}

/** Enters this process in the folder's list and returns the epochs that are certainly over. */
export function enterEpoch(
  folder: string,
  epoch: bigint,
  log: Log,
  machine = thisMachine,
  pid: number = process.pid,
): readonly bigint[] {
  const path = join(folder, EPOCHS_FILE)
  const known = readProcesses(path).map((one) => ({ ...one, ended: isGone(one, machine) }))
  const { boot, namespace } = machine
  const beside = known.filter(({ ended }) => !ended).map((one) => one.pid)
  // An upgrade is like this for a while; two proxies with one folder by mistake stay so.
  if (beside.length > 0) log.warn('other processes may be using this state folder', { beside })
  const own = { epoch: String(epoch), pid, started: machine.started(pid) ?? '', boot, namespace }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.${pid}.new`, JSON.stringify([...known, own].slice(-EPOCHS_MAX)), {
      mode: 0o600,
    })
    renameSync(`${path}.${pid}.new`, path)
  } catch (error) {
    log.warn('the epoch cannot be written down', { path, error })
  }
  return known.filter(({ ended }) => ended).map((one) => BigInt(one.epoch))
}
