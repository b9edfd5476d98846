/**
 * What has arrived from one node: each (epoch, sequence) once, in any order. Windows come late
 * after an outage and twice after a lost acknowledgement; those that are known to be missing are
 * gaps until they come, and gaps are told, never filled in.
 */
import type { NodeWindow } from './window.ts'

/** Missing windows remembered for an epoch: more than a landscape holds would come too late. */
export const MISSING_MAX = 900
/** Processes of one node that may still have windows on their way. */
export const EPOCHS_MAX = 8
/** A clock this near to ours, in ms, is taken at its word. */
export const SKEW_TOLERATED_MS = 1000
const SKEW_SAMPLES = 16

/** All of first .. last has arrived but what is missing (sequence to wall second). */
interface Epoch {
  first: number
  last: number
  readonly missing: Map<number, number>
}

export class Arrivals {
  readonly node: string
  /** Stands for the node in packed records. */
  readonly index: number
  /** Of the process that sent the newest window. */
  epoch = 0
  /** When the last window came, on our clock. */
  heardMs = 0
  /** The end of the newest window, on our clock. */
  newestMs = 0
  /** Windows that came after their second had left the landscape, or had no time at all. */
  late = 0
  /** Missing windows beyond what is remembered: they will not be filled in. */
  lost = 0
  readonly #epochs = new Map<number, Epoch>()
  readonly #skews: number[] = []

  constructor(node: string, index: number) {
    this.node = node
    this.index = index
  }

  /** False when this window has been here before. `second` is the wall second it is of. */
  accept(window: NodeWindow, second: number): boolean {
    const { sequence } = window
    const epoch = this.#epochs.get(window.epoch)
    if (epoch === undefined) {
      this.#begin(window, second)
      return true
    }
    if (epoch.missing.delete(sequence)) return true
    if (sequence > epoch.last) {
      this.#miss(epoch, epoch.last + 1, sequence, second)
      epoch.last = sequence
      return true
    }
    if (sequence < epoch.first) {
      const end = epoch.first
      epoch.first = sequence
      this.#miss(epoch, sequence + 1, end, second + end - sequence)
      return true
    }
    return false
  }

  /** A window that ends then, on our clock, is kept. */
  reached(epoch: number, endMs: number): void {
    if (endMs < this.newestMs) return
    this.newestMs = endMs
    this.epoch = epoch
  }

  /** Windows known to be missing of the seconds from .. to, and not yet given up. */
  gaps(from: number, to: number): number {
    let gaps = 0
    for (const { missing } of this.#epochs.values()) {
      for (const second of missing.values()) if (second >= from && second <= to) gaps += 1
    }
    return gaps
  }

  /** Transit only makes a clock look slow, so the fastest look of the last few is the truest. */
  clocked(sentUnixMs: number, nowUnixMs: number): void {
    this.heardMs = nowUnixMs
    if (!(sentUnixMs > 0)) return
    this.#skews.push(sentUnixMs - nowUnixMs)
    if (this.#skews.length > SKEW_SAMPLES) this.#skews.shift()
  }

  /** How far the node's clock is ahead of ours, in ms. */
  get skewMs(): number {
    return this.#skews.length === 0 ? 0 : Math.max(...this.#skews)
  }

  /** A time of the node's clock as a time of ours. */
  ours(unixMs: number): number {
    const skewMs = this.skewMs
    return Math.abs(skewMs) < SKEW_TOLERATED_MS ? unixMs : unixMs - skewMs
  }

  /** Of a process met midway nothing is known to be missing but what it says it forgot. */
  #begin(window: NodeWindow, second: number): void {
    const { sequence } = window
    const forgotten = Math.min(window.forgottenWindows ?? 0, sequence - 1)
    const epoch: Epoch = { first: sequence - forgotten, last: sequence, missing: new Map() }
    this.#miss(epoch, epoch.first, sequence, second)
    this.#epochs.set(window.epoch, epoch)
    if (this.#epochs.size <= EPOCHS_MAX) return
    const [oldest, { missing }] = this.#epochs.entries().next().value!
    this.lost += missing.size
    this.#epochs.delete(oldest)
  }

  /** Marks begin .. end - 1; windows are a second long, so each is that much before `end`. */
  #miss(epoch: Epoch, begin: number, end: number, endSecond: number): void {
    const kept = Math.max(begin, end - MISSING_MAX)
    this.lost += kept - begin
    for (let sequence = kept; sequence < end; sequence += 1) {
      epoch.missing.set(sequence, endSecond - (end - sequence))
    }
    for (const sequence of epoch.missing.keys()) {
      if (epoch.missing.size <= MISSING_MAX) break
      epoch.missing.delete(sequence)
      this.lost += 1
    }
  }
}
