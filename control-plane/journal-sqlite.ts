/**
 * The ledger's entries on one disk. An entry is told to nobody before it is here, and each carries
 * the SHA-256 of the one before it and itself, so that a line altered, dropped or added is found
 * when the journal is opened. What does not check out is never half-loaded: then `damage` says
 * what is wrong, nothing is written any more, and the files stay as they were found.
 *
 *   ledger.sqlite   entries (revision, body, hash), meta (key, value, hash)
 * ledger.head     revision and hash of the newest entry: tells when the end of the journal is
 * lost
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'

/** How long another process may hold the file before we say so. */
const BUSY_MS = 2_000

const SCHEMA = `
CREATE TABLE IF NOT EXISTS entries (revision INTEGER PRIMARY KEY, body TEXT, hash TEXT) STRICT;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT, hash TEXT) STRICT;`

const ALL_ENTRIES = 'SELECT revision, body, hash FROM entries ORDER BY revision'

const sha256 = (...parts: string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex')

const GENESIS = sha256('airspace ledger')

/** What book.ts needs of a store; another machine's could stand in for this disk's. */
export interface Journal {
  /** Why nothing can be written or trusted, if so. */
  readonly damage: string | undefined
  /** Bodies of all entries that check out, oldest first. */
  load(): Iterable<string>
  /** All or nothing, on disk when it returns. Throws when it cannot be done. */
  append(bodies: readonly string[]): void
  /** The newest `limit` bodies with after < revision < before, oldest first. */
  read(after: number, before: number, limit: number): string[]
  meta(key: string): string | undefined
  /** Survives a crash of ours; after a power cut an older value may be there. */
  setMeta(key: string, value: string): void
  close(): void
}

export class SqliteJournal implements Journal {
  damage: string | undefined
  readonly #db: DatabaseSync | undefined
  readonly #headPath: string
  #head: number | undefined
  #revision = 0
  #hash = GENESIS

  /** Throws only when another process has the ledger. */
  constructor(folder: string) {
    this.#headPath = join(folder, 'ledger.head')
    const path = join(folder, 'ledger.sqlite')
    try {
      const db = new DatabaseSync(path, { timeout: BUSY_MS })
      // Exclusive: two control planes on one ledger would each tell nodes something else.
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL')
      db.exec('PRAGMA synchronous = FULL')
      this.#db = db
      db.exec(SCHEMA)
      this.damage = this.#check()
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (/locked|busy/.test(why)) throw new Error(`another process has ${path}: ${why}`)
      this.damage = `${path}: ${why}`
    }
  }

  *load(): Iterable<string> {
    if (this.#revision === 0) return
    for (const { revision, body } of this.#rows(ALL_ENTRIES)) {
      if (Number(revision) > this.#revision) return
      yield String(body)
    }
  }

  append(bodies: readonly string[]): void {
    let revision = this.#revision
    let hash = this.#hash
    this.#transaction((db) => {
      const insert = db.prepare('INSERT INTO entries (revision, body, hash) VALUES (?, ?, ?)')
      for (const body of bodies) {
        revision += 1
        hash = sha256(hash, body)
        insert.run(revision, body, hash)
      }
    })
    this.#revision = revision
    this.#hash = hash
    this.#writeHead()
  }

  read(after: number, before: number, limit: number): string[] {
    const sql =
      'SELECT body FROM entries WHERE revision > ? AND revision < ? AND revision <= ?' +
      ' ORDER BY revision DESC LIMIT ?'
    const rows = this.#rows(sql, after, before, this.#revision, limit)
    return Array.from(rows, (row) => String(row['body'])).reverse()
  }

  meta(key: string): string | undefined {
    for (const { value } of this.#rows('SELECT value FROM meta WHERE key = ?', key)) {
      return String(value)
    }
    return undefined
  }

  /**
   * In the file when it returns, and flushed with the next entry: a hundred nodes that come at once
   * would wait for a hundred flushes. After a power cut an older value is there, whole.
   */
  setMeta(key: string, value: string): void {
    this.#db?.exec('PRAGMA synchronous = NORMAL')
    try {
      this.#transaction((db) => {
        const sql = 'INSERT OR REPLACE INTO meta (key, value, hash) VALUES (?, ?, ?)'
        db.prepare(sql).run(key, value, sha256(key, value))
      })
    } finally {
      this.#db?.exec('PRAGMA synchronous = FULL')
    }
  }

  close(): void {
    if (this.#head !== undefined) closeSync(this.#head)
    this.#head = undefined
    this.#db?.close()
  }

  #rows(sql: string, ...values: SQLInputValue[]): Iterable<Record<string, SQLOutputValue>> {
    return this.#db ? this.#db.prepare(sql).iterate(...values) : []
  }

  #transaction(work: (db: DatabaseSync) => void): void {
    if (this.#db === undefined || this.damage !== undefined) throw new Error(this.damage)
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work(this.#db)
      this.#db.exec('COMMIT')
    } catch (error) {
      // A full disk rolls back by itself; then there is nothing left to roll back.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #check(): string | undefined {
    for (const row of this.#rows('PRAGMA quick_check')) {
      if (row['quick_check'] !== 'ok') return `SQLite finds: ${row['quick_check']}`
    }
    const head = this.#readHead()
    let hashAtHead = head?.revision === 0 ? GENESIS : undefined
    for (const { revision, body, hash } of this.#rows(ALL_ENTRIES)) {
      const next = this.#revision + 1
      if (revision !== next) return `entry ${next} is missing`
      if (hash !== sha256(this.#hash, String(body))) return `entry ${next} is not what was written`
      this.#revision = next
      this.#hash = hash
      if (next === head?.revision) hashAtHead = hash
    }
    for (const { key, value, hash } of this.#rows('SELECT key, value, hash FROM meta')) {
      if (hash !== sha256(String(key), String(value))) return `'${key}' is not what was written`
    }
    if (head && hashAtHead !== head.hash) {
      return (
        `it ends at revision ${this.#revision} and not with revision ${head.revision} ` +
        'as written; ' +
        `if it is a copy put back on purpose, remove ${this.#headPath}`
      )
    }
    return undefined
  }

  /** A head that cannot be read says nothing: a power cut may have torn it, and it is rewritten. */
  #readHead(): { revision: number; hash: string } | undefined {
    if (!existsSync(this.#headPath)) return undefined
    const text = readFileSync(this.#headPath, 'latin1')
    const match = /^(\d{16}) ([0-9a-f]{64}) ([0-9a-f]{64})\n$/.exec(text)
    if (!match || sha256(match[1]!, match[2]!) !== match[3]) return undefined
    return { revision: Number(match[1]), hash: match[2]! }
  }

  /** Not flushed: it is there after a crash of ours, and an older one after a power cut is true. */
  #writeHead(): void {
    const revision = String(this.#revision).padStart(16, '0')
    const line = `${revision} ${this.#hash} ${sha256(revision, this.#hash)}\n`
    try {
      this.#head ??= openSync(this.#headPath, existsSync(this.#headPath) ? 'r+' : 'w', 0o600)
      writeSync(this.#head, line, 0)
    } catch {
      // The entry itself is on disk; without its head only the loss of the end goes unnoticed.
    }
  }
}

/** A ledger's own name: another ledger's older plans must not be taken for ours. */
export const newLedgerId = (): string => randomBytes(8).toString('hex')
