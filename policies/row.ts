/**
 * A row: the shared state of one policy, or of one policy for one edge, source or target.
 *
 *   line 0   header of 11 cells, then 5 cells   |  a line is 64 bytes, 16 int32 cells,
 *   line 1   16 cells, or one gauge             |  what a core takes from another at once
 *   line 2   16 cells, or one gauge
 *   line 3   16 cells, or one gauge             <- gauges are given out from here upwards
 *
 * A pattern names its cells in the same order each time, so every thread finds the same ones.
 * A gauge fills a line: its total, and each worker's own part of it, by which what a dead worker
 * held is known. All of it is exact for any number of workers: nothing is read, then written.
 */
export const LINE_CELLS = 16
export const ROW_CELLS = 64
export const ROW_LINES = ROW_CELLS / LINE_CELLS

/** Where things are in a row's header. */
export const HEADER = {
  state: 0,
  generation: 1,
  key: 2, // two cells: of policy, scope and own
  scope: 4, // two cells: of policy and scope
  policy: 6, // two cells
  gauges: 8, // a bit for each line that is a gauge
  clocks: 9, // two cells: a bit for each cell that is a clock
} as const
export const HEADER_CELLS = 11

/** Clock cells hold microseconds modulo 2^32, good for 35 minutes either way; 0 is never. */
export const clockOf = (nowMs: number): number => Math.floor(nowMs * 1000) | 0
const unlessNever = (us: number): number => (us === 0 ? 1 : us)

export class Count {
  readonly #cells: Int32Array
  readonly #at: number

  constructor(cells: Int32Array, at: number) {
    this.#cells = cells
    this.#at = at
  }

  load(): number {
    return Atomics.load(this.#cells, this.#at)
  }

  store(value: number): void {
    Atomics.store(this.#cells, this.#at, value)
  }

  /** Returns what it was before. */
  add(more: number): number {
    return Atomics.add(this.#cells, this.#at, more)
  }

  cas(expected: number, next: number): boolean {
    return Atomics.compareExchange(this.#cells, this.#at, expected, next) === expected
  }
}

/** How many are inside, over all workers. Only the worker that added may take away. */
export class Gauge {
  readonly #cells: Int32Array
  readonly #at: number
  readonly #own: number

  constructor(cells: Int32Array, at: number, worker: number) {
    this.#cells = cells
    this.#at = at
    this.#own = at + 1 + worker
  }

  load(): number {
    return Atomics.load(this.#cells, this.#at)
  }

  /** One more, unless that would exceed the limit: exact, and never refused while there is room. */
  tryAdd(limit: number): boolean {
    const cells = this.#cells
    const at = this.#at
    let had = Atomics.load(cells, at)
    while (had < limit) {
      const seen = Atomics.compareExchange(cells, at, had, had + 1)
      if (seen === had) {
        // No call and no loop between the two: a worker is never ended just here, so that what
        // it held is always known (a thread is ended at calls and at loops' ends only).
        cells[this.#own]! += 1
        return true
      }
      had = seen
    }
    return false
  }

  add(more: number): void {
    Atomics.add(this.#cells, this.#at, more)
    this.#cells[this.#own]! += more
  }
}

/** A moment. Several may move it at once, so it is changed by compare-and-swap. */
export class ClockCell {
  readonly #cells: Int32Array
  readonly #at: number

  constructor(cells: Int32Array, at: number) {
    this.#cells = cells
    this.#at = at
  }

  /** Microseconds modulo 2^32; 0 is never. Compare two by `(a - b) | 0`. */
  load(): number {
    return Atomics.load(this.#cells, this.#at)
  }

  store(us: number): void {
    Atomics.store(this.#cells, this.#at, unlessNever(us))
  }

  cas(expected: number, next: number): boolean {
    const us = unlessNever(next)
    return Atomics.compareExchange(this.#cells, this.#at, expected, us) === expected
  }
}

/** One thread's view of a row, laid out as cells are named. */
export class Row {
  /** Its place in the table; below 0 for a row that a kind shares. */
  readonly index: number
  readonly generation: number
  readonly #cells: Int32Array
  readonly #at: number
  readonly #worker: number
  #next = HEADER_CELLS
  #lines = ROW_LINES // lines from here on are gauges

  constructor(cells: Int32Array, at: number, index: number, worker: number) {
    this.#cells = cells
    this.#at = at
    this.#worker = worker
    this.index = index
    this.generation = Atomics.load(cells, at + HEADER.generation)
  }

  /** False once the row was taken back: whoever still holds it must not write to it. */
  get alive(): boolean {
    return Atomics.load(this.#cells, this.#at + HEADER.generation) === this.generation
  }

  count(name: string): Count {
    return new Count(this.#cells, this.#take(name))
  }

  clock(name: string): ClockCell {
    const at = this.#take(name)
    const bit = at - this.#at
    Atomics.or(this.#cells, this.#at + HEADER.clocks + (bit >>> 5), 1 << (bit & 31))
    return new ClockCell(this.#cells, at)
  }

  gauge(name: string): Gauge {
    this.#lines -= 1
    this.#fits(name)
    Atomics.or(this.#cells, this.#at + HEADER.gauges, 1 << this.#lines)
    return new Gauge(this.#cells, this.#at + this.#lines * LINE_CELLS, this.#worker)
  }

  #take(name: string): number {
    const at = this.#at + this.#next
    this.#next += 1
    this.#fits(name)
    return at
  }

  #fits(name: string): void {
    if (this.#next <= this.#lines * LINE_CELLS) return
    throw new RangeError(`row: no room for '${name}' in ${ROW_CELLS} cells`)
  }
}
