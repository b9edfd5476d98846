/**
 * Windows of the last quarter of an hour on disk, so that what was acknowledged to a node survives
 * us: it has dropped its own copy. Written in groups, since each second brings one from every node;
 * a window is acknowledged when its group is on disk. What is here can be lost without harm to any
 * policy, so a file that cannot be read is put aside and another is begun.
 */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Log } from '../runtime/log.ts'

export const KEPT_MS = 900_000
/** Windows that wait for the disk; beyond it the oldest go unkept, and their nodes keep them. */
export const WAITING_MAX = 20_000
/** How many edges' first sightings are remembered. */
export const SIGHTINGS_MAX = 50_000
const PRUNE_MS = 60_000

const SCHEMA = `
CREATE TABLE IF NOT EXISTS windows (received REAL, node TEXT, bytes BLOB) STRICT;
CREATE INDEX IF NOT EXISTS by_time ON windows (received);
CREATE TABLE IF NOT EXISTS sightings (source TEXT, target TEXT, first REAL,
  PRIMARY KEY (source, target)) STRICT;`

export interface Kept {
  readonly receivedMs: number
  readonly node: string
  readonly bytes: Uint8Array
}

export interface FirstSighting {
  readonly source: string
  readonly target: string
  readonly firstSeenMs: number
}

interface Waiting extends Kept {
  readonly kept: () => void
}

export class WindowStore {
  readonly #path: string
  readonly #log: Log
  #db: DatabaseSync
  readonly #waiting: Waiting[] = []
  readonly #sightings: FirstSighting[] = []
  #prunedMs = 0
  /** Why the last write failed, blank when it did not. */
  trouble = ''
  /** Windows that found no room to wait in. */
  unkept = 0

  constructor(folder: string, log: Log) {
    this.#path = join(folder, 'windows.sqlite')
    this.#log = log
    try {
      this.#db = this.#open()
    } catch (error) {
      const aside = `${this.#path}.damaged`
      log.warn('the windows on disk cannot be read: put aside, and begun anew', { aside, error })
      for (const end of ['', '-wal']) moveAside(`${this.#path}${end}`, `${aside}${end}`)
      this.#db = this.#open()
    }
  }

  *load(sinceMs: number): Iterable<Kept> {
    const sql = 'SELECT received, node, bytes FROM windows WHERE received >= ? ORDER BY rowid'
    for (const { received, node, bytes } of this.#db.prepare(sql).iterate(sinceMs)) {
      if (!(bytes instanceof Uint8Array)) continue
      yield { receivedMs: Number(received), node: String(node), bytes }
    }
  }

  *sightings(): Iterable<FirstSighting> {
    const sql = 'SELECT source, target, first FROM sightings ORDER BY first DESC LIMIT ?'
    for (const { source, target, first } of this.#db.prepare(sql).iterate(SIGHTINGS_MAX)) {
      yield { source: String(source), target: String(target), firstSeenMs: Number(first) }
    }
  }

  /** `kept` is called when it is on disk. */
  keep(window: Kept, kept: () => void): void {
    this.#waiting.push({ ...window, kept })
    if (this.#waiting.length <= WAITING_MAX) return
    this.#waiting.shift()
    this.unkept += 1
  }

  sighted(sighting: FirstSighting): void {
    if (this.#sightings.length < SIGHTINGS_MAX) this.#sightings.push(sighting)
  }

  /** Called a few times a second. */
  flush(nowMs: number): void {
    if (this.#waiting.length > 0 || this.#sightings.length > 0) this.#write()
    if (nowMs - this.#prunedMs < PRUNE_MS) return
    this.#prunedMs = nowMs
    this.#try(() => {
      this.#db.prepare('DELETE FROM windows WHERE received < ?').run(nowMs - KEPT_MS)
    })
  }

  close(): void {
    this.#write()
    this.#db.close()
  }

  #open(): DatabaseSync {
    const db = new DatabaseSync(this.#path)
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    db.exec(SCHEMA)
    for (const { quick_check: found } of db.prepare('PRAGMA quick_check').iterate()) {
      if (found !== 'ok') throw new Error(String(found))
    }
    return db
  }

  #write(): void {
    const done = this.#try(() => {
      const sql = 'INSERT INTO windows (received, node, bytes) VALUES (?, ?, ?)'
      const insert = this.#db.prepare(sql)
      for (const { receivedMs, node, bytes } of this.#waiting) insert.run(receivedMs, node, bytes)
      const first = this.#db.prepare('INSERT OR IGNORE INTO sightings VALUES (?, ?, ?)')
      for (const { source, target, firstSeenMs } of this.#sightings) {
        first.run(source, target, firstSeenMs)
      }
    })
    if (!done) return
    this.#sightings.length = 0
    for (const { kept } of this.#waiting.splice(0)) kept()
  }

  #try(work: () => void): boolean {
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      work()
      this.#db.exec('COMMIT')
      this.trouble = ''
      return true
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (this.trouble === '')
        this.#log.warn('windows cannot be written: not acknowledged', { why })
      this.trouble = why
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      return false
    }
  }
}

function moveAside(path: string, aside: string): void {
  try {
    renameSync(path, aside)
  } catch {
    // There was none; the next open says whether that matters.
  }
}
