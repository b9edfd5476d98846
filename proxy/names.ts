/**
 * Who lives where, as this node knows it: from --directory, or else from the control plane, of
 * which the last good one is kept on disk. A directory that cannot be read changes nothing.
 */
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Directory } from '../landscape/directory.ts'
import type { Log } from '../runtime/log.ts'

export const DIRECTORY_FILE = 'directory.yaml'
export const DIRECTORY_BYTES_MAX = 4 * 1024 * 1024

/** A directory, and what it was read from, as workers get it. */
export interface Read {
  readonly directory: Directory
  readonly given: unknown
}

/** Throws a RangeError that names the place at fault. */
export function readDirectory(text: string): Read {
  if (text.length > DIRECTORY_BYTES_MAX) {
    throw new RangeError(`${text.length} bytes are more than ${DIRECTORY_BYTES_MAX}`)
  }
  let given: unknown
  try {
    // An alias may stand for a lot: a hundred uses are a directory, a million are an attack.
    given = parse(text, { maxAliasCount: 100 })
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message : String(error))
  }
  return { directory: Directory.read(given), given }
}

const checksumOf = (text: string): string =>
  `# sha256 ${createHash('sha256').update(text).digest('hex')}\n`

export class Names {
  readonly #folder: string
  readonly #log: Log
  readonly #file: string | undefined
  #read: Read | undefined
  #version = ''

  /** With a file of its own a node listens to no other; throws a RangeError if it is no good. */
  constructor(folder: string, file: string | undefined, log: Log) {
    this.#folder = folder
    this.#file = file
    this.#log = log
    this.#read = file === undefined ? this.#load() : fromFile(file)
  }

  get directory(): Directory {
    return this.#read?.directory ?? EMPTY
  }

  /** As workers are given it; undefined while there is none. */
  get given(): unknown {
    return this.#read?.given
  }

  /** The control plane's. True when it is a new one that holds from now on. */
  take(version: string, text: string): boolean {
    if (version === this.#version) return false
    this.#version = version
    if (this.#file !== undefined) {
      this.#log.info('the directory of the control plane is not used', { file: this.#file })
      return false
    }
    try {
      this.#read = readDirectory(text)
    } catch (error) {
      this.#log.error('a directory is refused, the one before stays', { error })
      return false
    }
    this.#keep(text)
    return true
  }

  #keep(text: string): void {
    const path = join(this.#folder, DIRECTORY_FILE)
    const beside = `${path}.${process.pid}.new`
    try {
      writeFileSync(beside, checksumOf(text) + text, { mode: 0o600 })
      renameSync(beside, path)
    } catch (error) {
      this.#log.error('the directory is not kept on disk', { error })
    }
  }

  #load(): Read | undefined {
    const path = join(this.#folder, DIRECTORY_FILE)
    try {
      const kept = readFileSync(path, 'utf8')
      const text = kept.slice(kept.indexOf('\n') + 1)
      if (kept !== checksumOf(text) + text) throw new RangeError('its checksum does not match')
      return readDirectory(text)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      this.#log.error('the directory on disk is ignored', { path, error })
      return undefined
    }
  }
}

const EMPTY = Directory.empty()

function fromFile(file: string): Read {
  try {
    return readDirectory(readFileSync(file, 'utf8'))
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new RangeError(`--directory: ${file}: ${said}`)
  }
}
