/**
 * The last good plan on disk, so that a restart without the control plane enforces what was in
 * force. Written to a file beside it, synced, renamed: after a power cut there is the old or the
 * new, never a mixture. The first line is the checksum of all that follows; what does not match is
 * ignored with an alarm, never half-loaded.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type Holding, type Plan, type PlanText, readPlan } from '../policies/plan.ts'
import type { Log } from '../runtime/log.ts'
import type { Named } from './holdings.ts'

export const PLAN_FILE = 'plan.json'
/** A plan is at most 4 MiB on the wire; as text it may grow. More than this is not ours. */
export const KEPT_BYTES_MAX = 32 * 1024 * 1024
const FORMAT = 1

export interface Kept {
  /** With leases and ramps as they stand now; none where the first plan ever was given back. */
  readonly plan: Plan | undefined
  /** Ended on this node by hand: stays ended until its next version. */
  readonly released: readonly Named[]
  /** New when two workers died: refused until its next version. */
  readonly poisoned: readonly Named[]
}

const digestOf = (body: string): string => createHash('sha256').update(body).digest('hex')
const headOf = (body: string): string => JSON.stringify({ sha256: digestOf(body) })

/** As it is given to be written. */
export type Keeping = Omit<Kept, 'plan'> & { readonly plan: PlanText | undefined }

export function writeKept(kept: Keeping, wallMs: number): string {
  const body = JSON.stringify({ format: FORMAT, wallMs, ...kept })
  return `${headOf(body)}\n${body}`
}

function readNames(given: unknown, path: string): readonly Named[] {
  if (!Array.isArray(given)) throw new RangeError(`${path}: is not a list`)
  return given.map(({ id, version }) => {
    if (typeof id !== 'string' || !Number.isSafeInteger(version)) {
      throw new RangeError(`${path}: has no id and version`)
    }
    return { id, version }
  })
}

/**
 * Reads what was written, with leases shortened by the wall time that went by. A wall clock that
 * went backwards shortens nothing and prolongs nothing. Throws a RangeError saying what is wrong.
 */
export function readKept(text: string, wallMs: number): Kept {
  const end = text.indexOf('\n')
  const body = text.slice(end + 1)
  if (end < 0 || text.slice(0, end) !== headOf(body)) {
    throw new RangeError('its checksum does not match')
  }
  const given = JSON.parse(body)
  if (given.format !== FORMAT) throw new RangeError(`format ${given.format} is not ${FORMAT}`)
  const plan = given.plan === undefined ? undefined : readPlan(given.plan)
  const awayMs = Math.max(0, wallMs - given.wallMs)
  return {
    plan: plan && { ...plan, holdings: plan.holdings.map((holding) => aged(holding, awayMs)) },
    released: readNames(given.released, 'released'),
    poisoned: readNames(given.poisoned, 'poisoned'),
  }
}

/** A lease that ended meanwhile began its ramp then, not now. */
function aged(holding: Holding, awayMs: number): Holding {
  const overMs = awayMs - holding.remainingMs
  const ramped = overMs > 0 && holding.intent.onExpire === 'ramp' ? overMs : undefined
  const releasingMs = holding.releasingMs === undefined ? ramped : holding.releasingMs + awayMs
  return {
    ...holding,
    remainingMs: Math.max(0, -overMs),
    ...(releasingMs === undefined ? {} : { releasingMs }),
  }
}

/** Undefined at the first start, and after damage, which is logged as an error. */
export function loadKept(folder: string, wallMs: number, log: Log): Kept | undefined {
  const path = join(folder, PLAN_FILE)
  try {
    const bytes = readFileSync(path)
    if (bytes.length > KEPT_BYTES_MAX) throw new RangeError('it is too large')
    return readKept(bytes.toString('utf8'), wallMs)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    log.error('the plan on disk is ignored', { path, error })
    return undefined
  }
}

/** Writes one at a time; while one is being written only the newest waits. */
export class Keep {
  readonly #folder: string
  readonly #wallMs: () => number
  #writing: Promise<void> | undefined
  #waiting: { kept: () => Keeping; written: Promise<void> } | undefined

  constructor(folder: string, wallMs: () => number) {
    this.#folder = folder
    this.#wallMs = wallMs
  }

  /** `kept` is asked when its turn comes. Resolves once that or something newer is on disk. */
  write(kept: () => Keeping): Promise<void> {
    if (this.#waiting) {
      this.#waiting.kept = kept
      return this.#waiting.written
    }
    if (!this.#writing) return this.#start(kept)
    const waiting = { kept, written: Promise.resolve() }
    const turn = () => {
      this.#waiting = undefined
      return this.#start(waiting.kept)
    }
    waiting.written = this.#writing.then(turn, turn)
    this.#waiting = waiting
    return waiting.written
  }

  #start(kept: () => Keeping): Promise<void> {
    const writing = this.#replace(kept)
    this.#writing = writing
    const done = () => {
      if (this.#writing === writing) this.#writing = undefined
    }
    writing.then(done, done)
    return writing
  }

  async #replace(kept: () => Keeping): Promise<void> {
    await replace(join(this.#folder, PLAN_FILE), writeKept(kept(), this.#wallMs()))
  }
}

async function syncing(handle: FileHandle, act: () => Promise<void>): Promise<void> {
  try {
    await act()
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function replace(path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.new`
  const file = await open(beside, 'w', 0o600)
  await syncing(file, () => file.writeFile(text))
  await rename(beside, path)
  // The rename itself is on disk only when the folder is.
  const folder = await open(join(path, '..'), 'r')
  await syncing(folder, async () => {})
}
