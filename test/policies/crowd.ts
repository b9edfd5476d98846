/**
 * Sources that call through one backpressure on a clock of their own making: each with its rate,
 * evenly or by chance, from a start to an end. The story of a fairness test.
 */
import { backpressure } from '../../policies/backpressure.ts'
import { readSettings } from '../../policies/settings.ts'
import { chanceOf } from '../support/chance.ts'
import { callOn, cellsOf } from './world.ts'

export interface Caller {
  readonly perSecond: number
  /** By chance (Poisson), not evenly. */
  readonly uneven?: boolean
  readonly startMs?: number
  readonly endMs?: number
}

export interface Fate {
  readonly asked: number
  readonly passed: number
  readonly refused: number
  readonly p99Ms: number
}

export interface Story {
  readonly fates: readonly Fate[]
  /** When calls departed, in ms from the start, sorted. */
  readonly departures: readonly number[]
}

const START_MS = 5_000_000

export function tell(
  given: { readonly [name: string]: unknown },
  callers: readonly Caller[],
  seconds: number,
  seed: number,
): Story {
  const chance = chanceOf(seed)
  const cells = cellsOf()
  const settings = readSettings(backpressure.fields, given)
  const row = () => cells.row('policy', '', '', 0)
  const states = callers.map((_, at) =>
    backpressure.cells(row(), 'on', cells.row('policy', '', `source ${at}`, 0)),
  )
  const waits: number[][] = callers.map(() => [])
  const asked = callers.map(() => 0)
  const departures: number[] = []
  let recountMs = 1000
  for (const { ms, at } of arrivalsOf(callers, seconds, chance)) {
    for (; recountMs < ms; recountMs += 1000) {
      backpressure.tend?.(states, settings, { medianMs: 0 }, START_MS + recountMs)
    }
    asked[at]! += 1
    const call = callOn(undefined, { chance: chance() })
    const decision = backpressure.admit(states[at]!, settings, call, START_MS + ms)
    if (decision.verdict === 'refuse') continue
    waits[at]!.push(decision.delayMs)
    departures.push(ms + decision.delayMs)
  }
  const fates = waits.map((of, at) => {
    const sorted = of.toSorted((a, b) => a - b)
    const p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? 0
    return { asked: asked[at]!, passed: of.length, refused: asked[at]! - of.length, p99Ms }
  })
  return { fates, departures: departures.sort((a, b) => a - b) }
}

export function arrivalsOf(callers: readonly Caller[], seconds: number, chance: () => number) {
  const all: { ms: number; at: number }[] = []
  for (const [
    at,
    { perSecond, uneven, startMs = 0, endMs = seconds * 1000 },
  ] of callers.entries()) {
    const meanMs = 1000 / perSecond
    let ms = startMs + chance() * meanMs
    while (ms < endMs) {
      all.push({ ms, at })
      ms += uneven ? -Math.log(1 - chance()) * meanMs : meanMs
    }
  }
  return all.sort((a, b) => a.ms - b.ms)
}

/** The most by which any stretch of time saw more departures than the rate allows. */
export function excess(departures: readonly number[], perSecond: number): number {
  let least = Infinity
  let most = 0
  for (const [at, ms] of departures.entries()) {
    const over = at - (perSecond * ms) / 1000
    least = Math.min(least, over)
    most = Math.max(most, over + 1 - least)
  }
  return most
}
