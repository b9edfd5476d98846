/**
 * The directory as an operator wrote it: read at the start, and again when the file changes. One
 * that cannot be read changes nothing: what was read last stays, and the complaint is said.
 */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { create, toBinary } from '@bufbuild/protobuf'
import { parse } from 'yaml'
import { Directory } from '../landscape/directory.ts'
import type { Log } from '../runtime/log.ts'
import { DirectorySchema, ToNodeSchema } from '../wire/gen/airspace_pb.ts'

export const DIRECTORY_BYTES_MAX = 2 * 1024 * 1024
/** How often it is looked whether the file is another. */
export const LOOK_MS = 2_000

export class DirectoryFile {
  readonly #path: string | undefined
  readonly #log: Log
  #mark = ''
  #directory = Directory.empty()
  #message: Buffer | undefined

  /**
   * Throws a RangeError when the file is named and cannot be used: at a start that is best said.
   */
  constructor(path: string | undefined, log: Log) {
    this.#path = path
    this.#log = log
    if (path !== undefined) this.#read(path)
  }

  get directory(): Directory {
    return this.#directory
  }

  /** As nodes are told it; undefined when there is none. */
  get message(): Buffer | undefined {
    return this.#message
  }

  /** True when it has become another. */
  look(): boolean {
    if (this.#path === undefined) return false
    try {
      if (markOf(this.#path) === this.#mark) return false
      this.#read(this.#path)
      this.#log.info('the directory was read again', { services: this.#directory.services.size })
      return true
    } catch (error) {
      this.#log.warn('the directory cannot be read: the one before stays', { error })
      return false
    }
  }

  #read(path: string): void {
    let text: string
    try {
      this.#mark = markOf(path)
      text = readFileSync(path, 'utf8')
    } catch (error) {
      throw new RangeError(`--directory: cannot read ${path} (${(error as Error).message})`)
    }
    if (text.length > DIRECTORY_BYTES_MAX) {
      throw new RangeError(`--directory: ${path} has more than ${DIRECTORY_BYTES_MAX} bytes`)
    }
    try {
      this.#directory = Directory.read(parse(text))
    } catch (error) {
      throw new RangeError(`--directory: ${path}: ${(error as Error).message}`)
    }
    const version = createHash('sha256').update(text).digest('hex').slice(0, 16)
    const value = create(DirectorySchema, { version, yaml: text })
    const message = create(ToNodeSchema, { message: { case: 'directory', value } })
    this.#message = Buffer.from(toBinary(ToNodeSchema, message))
  }
}

const markOf = (path: string): string => {
  const { mtimeMs, size, ino } = statSync(path)
  return `${mtimeMs} ${size} ${ino}`
}
