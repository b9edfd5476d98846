/**
 * What a story of the demo is: a fault, what shows it, what remedies it, when all is well again.
 */
import type { EdgeRow } from '../view/edges.ts'
import { bytes, duration, edgeName, latency, short } from '../words.ts'
import type { Cast } from './cast.ts'
import type { Glance } from './sight.ts'

export interface Story {
  readonly name: string
  readonly title: string
  /** The service that the fault is in, and that the remedy is about. */
  readonly culprit: string
  /** The edge on which visitors feel it. */
  readonly victim: readonly [source: string, target: string]
  readonly begins: string
  readonly repaired: string
  /** The words of the command, without the name of the program. */
  remedy(rampMs: number): readonly string[]
  /** Its figures in one line. */
  figures(glance: Glance): string
  /** What is still wrong while the remedy is in force; undefined when nothing is. */
  ailing(glance: Glance, before: Glance): string | undefined
  repair(cast: Cast): Promise<void>
  /** What else has to hold, once the story is over. */
  promises(told: Told): Promise<readonly Criterion[]>
}

/** What a story may look back on. */
export interface Told {
  readonly cast: Cast
  readonly before: Glance
  /** The worst seen while the fault was there and no remedy yet. */
  readonly worst: Worst
}

export interface Worst {
  p99Ms: number
  /** That, as a multiple of what was due. */
  rise: number
  inFlight: number
  bytesPerSecond: number
}

export interface Criterion {
  readonly what: string
  readonly measured: string
  readonly held: boolean
}

/** Below this a p99 is the machine's own noise: ratios are taken to it. */
export const NOISE_MS = 50
/** An edge that no story touches: what it suffers, the machine suffers. */
const BYSTANDER = ['catalog', 'inventory'] as const
/** A machine this many times as slow as before is not blamed for more. */
const SLOWER_MAX = 4
/** The fault is plain when p99 is more than this many times what it was. */
export const RISE = 3
/** And gone when it is at most this many times. */
export const NEAR = 2

export const victimIn = (story: Story, glance: Glance): EdgeRow | undefined =>
  glance.edge(...story.victim)

/** NaN when nothing was completed. */
export const p99Of = (story: Story, glance: Glance): number =>
  victimIn(story, glance)?.p99Ms ?? Number.NaN

/**
 * What the victim's p99 would be now if nothing were wrong, in ms: what it was before, and more
 * when the bystander too is slower than it was, since other work on this machine has its noisy
 * minutes.
 */
export function dueOf(story: Story, glance: Glance, before: Glance): number {
  const bystander = ({ p99Ms = Number.NaN }: Partial<EdgeRow> = {}): number => p99Ms
  const slower = bystander(glance.edge(...BYSTANDER)) / bystander(before.edge(...BYSTANDER))
  const factor = Math.min(Math.max(1, slower || 1), SLOWER_MAX)
  return Math.max(NOISE_MS, (p99Of(story, before) || 0) * factor)
}

/** What is wrong with the victim's latency, compared with before. */
export function slow(story: Story, glance: Glance, before: Glance): string | undefined {
  const p99Ms = p99Of(story, glance)
  const most = NEAR * dueOf(story, glance, before)
  if (Number.isNaN(p99Ms)) return `${edgeName(...story.victim)} completes nothing`
  if (p99Ms <= most) return undefined
  return `${edgeName(...story.victim)} p99 ${duration(p99Ms)}, over ${duration(most)}`
}

/** 'web → orders 72 r/s, p50 12ms, p99 31ms' */
export function victimWords(story: Story, glance: Glance): string {
  const row = victimIn(story, glance)
  const name = edgeName(...story.victim)
  if (!row) return `${name} not seen`
  const { requestsPerSecond, p50Ms, p99Ms } = row
  return `${name} ${short(requestsPerSecond)} r/s, p50 ${latency(p50Ms)}, p99 ${latency(p99Ms)}`
}

export const rateWords = (bytesPerSecond: number): string => `${bytes(bytesPerSecond)}/s`
