/**
 * The shared memory of all policies: a table of rows, found by key from every thread.
 *
 *   header line | overflow rows, one a kind | rows, by open addressing on a 64-bit key
 *
 * Looking up takes no lock; inserting takes one, so that two workers that meet a new source need
 * no third and make one row. What finds no room shares a row and is counted: first the rows of
 * single subjects, which share one of their own policy, and in the end the policies themselves,
 * which share one of their kind. That is a signal, never a crash.
 */
import { ClockCell, clockOf, HEADER, LINE_CELLS, ROW_CELLS, ROW_LINES, Row } from './row.ts'

export const ROWS_MAX = 16_384
/** Beyond this many rows no single edge, source or target gets a row of its own. */
export const SUBJECT_ROWS_MAX = (ROWS_MAX / 4) * 3
/** A gauge is one line: a total and this many workers' parts. */
export const WORKERS_MAX = LINE_CELLS - 1
/** The main thread's number: it reads, and never enters a call. */
export const MAIN = WORKERS_MAX
export const KINDS_MAX = 16
/** A clock that stood still this long is moved along, so that it can still be compared. */
export const CLOCK_IDLE_MS = 10 * 60_000
const LOCK_TRY_MS = 10
const LOCK_TRIES_MAX = 20

const FREE = 0
const GONE = 1 // was in use: a search goes on beyond it
const USED = 2

/** Where things are in the table's header line. */
const SEED = 0 // two cells
const LOCK = 2 // 0, or the holder's number + 1
const USED_ROWS = 3
const OVERFLOWED = 4

const BEFORE_ROWS = LINE_CELLS + KINDS_MAX * ROW_CELLS
const OTHERS = '*' // the subject that stands for all which found no room

export const cellsBytes = (): number => (BEFORE_ROWS + ROWS_MAX * ROW_CELLS) * 4

/** A row in use, as main sees it: `scope` is the key of the row that those of one scope share. */
export interface Place {
  readonly index: number
  readonly policy: string
  readonly scope: string
  /** It is the row of its scope itself, not one source's within it. */
  readonly shared: boolean
}

export class Cells {
  readonly memory: SharedArrayBuffer
  readonly worker: number
  readonly #cells: Int32Array
  readonly #key = new Int32Array(6) // scratch: key, scope and policy, as in a row's header

  /** `seed` is given once, by main, before any worker starts: strangers cannot aim at a row. */
  constructor(memory: SharedArrayBuffer, worker: number, seed?: readonly [number, number]) {
    if (!(worker >= 0 && worker <= MAIN)) {
      throw new RangeError(`cells: worker ${worker} is not between 0 and ${MAIN}`)
    }
    this.memory = memory
    this.worker = worker
    this.#cells = new Int32Array(memory)
    if (seed) this.#cells.set(seed, SEED)
  }

  get overflowed(): number {
    return Atomics.load(this.#cells, OVERFLOWED)
  }

  get used(): number {
    return Atomics.load(this.#cells, USED_ROWS)
  }

  /** The row of a policy's scope ('' is the whole policy) and, within it, of one source or ''. */
  row(policy: string, scope: string, own: string, kind: number): Row {
    const index = this.#find(policy, scope, own)
    if (index !== undefined) return this.at(index)
    const rest = scope === '' ? '' : OTHERS
    const shared = this.#overflow(policy, rest, own === '' ? '' : OTHERS)
    return shared === undefined ? this.#ofKind(kind) : this.at(shared)
  }

  at(index: number): Row {
    return new Row(this.#cells, BEFORE_ROWS + index * ROW_CELLS, index, this.worker)
  }

  #ofKind(kind: number): Row {
    return new Row(this.#cells, LINE_CELLS + kind * ROW_CELLS, -1 - kind, this.worker)
  }

  #overflow(policy: string, scope: string, own: string): number | undefined {
    Atomics.add(this.#cells, OVERFLOWED, 1)
    return this.#find(policy, scope, own)
  }

  #find(policy: string, scope: string, own: string): number | undefined {
    this.#hash(`${policy}\u0000${scope}\u0000${own}`, 0)
    this.#hash(`${policy}\u0000${scope}\u0000`, 2)
    this.#hash(policy, 4)
    const found = this.#search()
    if (found >= 0) return found
    const single = (scope !== '' && scope !== OTHERS) || (own !== '' && own !== OTHERS)
    return this.#insert(single ? SUBJECT_ROWS_MAX : ROWS_MAX - 1)
  }

  /** Two seeded hashes of a text, each mixed to its last bit. */
  #hash(text: string, at: number): void {
    let one = this.#cells[SEED]!
    let two = this.#cells[SEED + 1]!
    for (let i = 0; i < text.length; i += 1) {
      const letter = text.charCodeAt(i)
      one = Math.imul(one ^ letter, 0x85eb_ca6b)
      one ^= one >>> 13
      two = Math.imul(two ^ letter, 0x27d4_eb2f)
      two ^= two >>> 15
    }
    this.#key[at] = Math.imul(one ^ (one >>> 16), 0xc2b2_ae35)
    this.#key[at + 1] = Math.imul(two ^ (two >>> 14), 0x1656_67b1)
  }

  /** The index of the row with the key, or a negative number when there is none. */
  #search(): number {
    const cells = this.#cells
    const [key0, key1] = [this.#key[0]!, this.#key[1]!]
    for (let step = 0; step < ROWS_MAX; step += 1) {
      const index = (key0 + step) & (ROWS_MAX - 1)
      const at = BEFORE_ROWS + index * ROW_CELLS
      const state = Atomics.load(cells, at + HEADER.state)
      if (state === FREE) return -1
      const same = cells[at + HEADER.key] === key0 && cells[at + HEADER.key + 1] === key1
      if (state === USED && same) return index
    }
    return -1
  }

  #insert(usedMax: number): number | undefined {
    if (!this.#lock()) return undefined
    try {
      const found = this.#search() // another may have been first
      if (found >= 0) return found
      if (Atomics.load(this.#cells, USED_ROWS) >= usedMax) return undefined
      return this.#write()
    } finally {
      this.#unlock()
    }
  }

  #write(): number {
    const cells = this.#cells
    let index = this.#key[0]! & (ROWS_MAX - 1)
    let at = BEFORE_ROWS + index * ROW_CELLS
    while (Atomics.load(cells, at + HEADER.state) === USED) {
      index = (index + 1) & (ROWS_MAX - 1)
      at = BEFORE_ROWS + index * ROW_CELLS
    }
    cells.fill(0, at + HEADER.key, at + ROW_CELLS)
    cells.set(this.#key, at + HEADER.key)
    Atomics.add(cells, USED_ROWS, 1)
    Atomics.store(cells, at + HEADER.state, USED) // last: only now others find it
    return index
  }

  #lock(): boolean {
    for (let tries = 0; tries < LOCK_TRIES_MAX; tries += 1) {
      const holder = Atomics.compareExchange(this.#cells, LOCK, 0, this.worker + 1)
      if (holder === 0) return true
      Atomics.wait(this.#cells, LOCK, holder, LOCK_TRY_MS)
    }
    return false
  }

  #unlock(): void {
    Atomics.store(this.#cells, LOCK, 0)
    Atomics.notify(this.#cells, LOCK)
  }

  // ------------------------------------------------------------------ what only main does

  /** Rows in use, by policy key. */
  places(policies: Iterable<string>): Map<string, Place[]> {
    const named = new Map<string, string>()
    const found = new Map<string, Place[]>()
    for (const policy of policies) {
      this.#hash(policy, 4)
      named.set(`${this.#key[4]} ${this.#key[5]}`, policy)
      found.set(policy, [])
    }
    this.#each((at, index) => {
      const policy = named.get(this.#pair(at + HEADER.policy))
      if (policy === undefined) return
      const scope = this.#pair(at + HEADER.scope)
      const shared = scope === this.#pair(at + HEADER.key)
      found.get(policy)!.push({ index, policy, scope, shared })
    })
    return found
  }

  /**
   * Takes back rows of policies that are gone, once nothing is in flight there. Call it when every
   * worker has taken a plan, with the keys of that plan and of any sent since.
   */
  reclaim(live: Iterable<string>): number {
    const kept = new Set<string>()
    for (const policy of live) {
      this.#hash(policy, 4)
      kept.add(`${this.#key[4]} ${this.#key[5]}`)
    }
    if (!this.#lock()) return 0
    let taken = 0
    this.#each((at) => {
      if (kept.has(this.#pair(at + HEADER.policy)) || this.#held(at)) return
      Atomics.add(this.#cells, at + HEADER.generation, 1)
      Atomics.store(this.#cells, at + HEADER.state, GONE)
      Atomics.sub(this.#cells, USED_ROWS, 1)
      taken += 1
    })
    if (taken > 0) this.#sweep()
    this.#unlock()
    return taken
  }

  /** A worker has died: what it held is given back, and so is the lock if it had it. */
  forgive(worker: number): void {
    const cells = this.#cells
    if (Atomics.compareExchange(cells, LOCK, worker + 1, 0) === worker + 1) {
      Atomics.store(cells, USED_ROWS, this.#countUsed())
      Atomics.notify(cells, LOCK)
    }
    this.#everyRow((at) => {
      const gauges = cells[at + HEADER.gauges]!
      for (let line = 0; line < ROW_LINES; line += 1) {
        if (!(gauges & (1 << line))) continue
        const total = at + line * LINE_CELLS
        const held = Atomics.exchange(cells, total + 1 + worker, 0)
        if (held !== 0) Atomics.sub(cells, total, held)
      }
    })
  }

  /** Each second or so: clocks that nobody touches stay within reach of a comparison. */
  moveClocks(nowMs: number): void {
    const nowUs = clockOf(nowMs)
    const oldest = (nowUs - CLOCK_IDLE_MS * 1000) | 0
    this.#everyRow((at) => {
      for (let bit = 0; bit < ROW_CELLS; bit += 1) {
        const word = this.#cells[at + HEADER.clocks + (bit >>> 5)]!
        if (!(word & (1 << (bit & 31)))) continue
        const clock = new ClockCell(this.#cells, at + bit)
        const us = clock.load()
        if (us !== 0 && ((us - oldest) | 0) < 0) clock.cas(us, oldest)
      }
    })
  }

  #held(at: number): boolean {
    const gauges = this.#cells[at + HEADER.gauges]!
    for (let line = 0; line < ROW_LINES; line += 1) {
      const total = at + line * LINE_CELLS
      if (gauges & (1 << line) && Atomics.load(this.#cells, total) !== 0) return true
    }
    return false
  }

  /** Gone rows before a free one are free too: searches end there anyway. */
  #sweep(): void {
    const cells = this.#cells
    for (let step = 2 * ROWS_MAX - 1; step > 0; step -= 1) {
      const at = BEFORE_ROWS + (step & (ROWS_MAX - 1)) * ROW_CELLS
      const before = BEFORE_ROWS + ((step - 1) & (ROWS_MAX - 1)) * ROW_CELLS
      if (cells[at] === FREE && cells[before] === GONE) Atomics.store(cells, before, FREE)
    }
  }

  #countUsed(): number {
    let used = 0
    this.#each(() => {
      used += 1
    })
    return used
  }

  #pair(at: number): string {
    return `${this.#cells[at]} ${this.#cells[at + 1]}`
  }

  #each(visit: (at: number, index: number) => void): void {
    for (let index = 0; index < ROWS_MAX; index += 1) {
      const at = BEFORE_ROWS + index * ROW_CELLS
      if (Atomics.load(this.#cells, at + HEADER.state) === USED) visit(at, index)
    }
  }

  /** Those in use, and those of the kinds. */
  #everyRow(visit: (at: number) => void): void {
    for (let kind = 0; kind < KINDS_MAX; kind += 1) visit(LINE_CELLS + kind * ROW_CELLS)
    this.#each(visit)
  }
}
