/**
 * A drill, from calm to calm: fault, signs of it, remedy (a person's, or after a while our own),
 * proof that it is in force, recovery, repair, release. All it knows of the landscape it has from
 * the control plane, all it does goes through the command line.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { PatternView } from '../../wire/gen/airspace_pb.ts'
import { Failure } from '../failure.ts'
import { duration } from '../words.ts'
import type { Cast } from './cast.ts'
import type { Prompt } from './command.ts'
import type { Narrator } from './narrator.ts'
import { NODES } from './planes.ts'
import { DrillRecord } from './record.ts'
import type { Glance, Sight } from './sight.ts'
import { signOf } from './sign.ts'
import { p99Of, type Story } from './story.ts'

const POLL_MS = 500
/** Long enough for a p99 of some hundred calls, short enough to see a change. */
const WINDOW_MS = 4_000
const CALM_MS = 15_000
const CALM_MS_MIN = 7_000
/** It may take this much longer until the slowest are answered within so many ms. */
const QUIET_MS = 30_000
const QUIET_P99_MS = 200
/** How long a person has to act. */
const PERSON_MS = 60_000
/** A fault that shows no sign within this long, shows none. */
const SIGN_MS = 30_000
const RECOVER_MS = 45_000
/** It has recovered when it stays so for this long. */
const STEADY_MS = 2_000
const HOLD_MS = 20_000
const HOLD_MS_MIN = 5_000
const RAMP_MS = 60_000
const RAMP_MS_MIN = 10_000
const OVER_MS = 30_000
/** Figures are printed this often while nothing else is said. */
const FIGURES_MS = 5_000
/** Looks that may fail, one after the other, before the drill is given up. */
const MISSED_MAX = 10

export interface Stage {
  readonly cast: Cast
  readonly sight: Sight
  readonly prompt: Prompt
  readonly narrator: Narrator
  readonly speed: number
  readonly ended: AbortSignal
}

export class Drill {
  readonly record: DrillRecord
  readonly #stage: Stage
  readonly #story: Story
  readonly #rampMs: number
  #before!: Glance
  #missed = 0
  #saidMs = 0

  constructor(story: Story, stage: Stage) {
    this.#story = story
    this.#stage = stage
    this.#rampMs = Math.max(RAMP_MS_MIN, RAMP_MS / stage.speed)
    this.record = new DrillRecord(story)
  }

  async run(): Promise<void> {
    await this.#calm()
    await this.#fault()
    const pattern = (await this.#person()) ?? (await this.#apply())
    if (!pattern) return
    await this.#recover()
    await this.#repair()
    await this.#release(pattern)
  }

  async #calm(): Promise<void> {
    const { narrator } = this.#stage
    await this.#until(
      SIGN_MS,
      WINDOW_MS,
      (glance) => glance.whole && p99Of(this.#story, glance) > 0,
    )
    await this.#pause(Math.max(CALM_MS_MIN, CALM_MS / this.#stage.speed))
    // What other work on this machine does in a bad moment is no measure of calm.
    await this.#until(QUIET_MS, WINDOW_MS, (glance) => {
      this.#before = glance
      return p99Of(this.#story, glance) <= QUIET_P99_MS
    })
    this.record.looks.set('calm', this.#before)
    narrator.say(`all calm: ${this.#figures(this.#before)}`)
  }

  async #fault(): Promise<void> {
    const { cast, narrator, prompt } = this.#stage
    const story = this.#story
    this.record.times.fault = Date.now()
    cast.tell(story.culprit, { type: 'fault', on: true })
    narrator.say(`the fault: ${story.begins}`, 'warn')
    await this.#until(SIGN_MS, WINDOW_MS, async (glance) => {
      this.record.worse(glance, this.#before)
      const events = await this.#stage.sight.events(this.record.times.fault ?? 0)
      this.record.sign = signOf(story, glance, this.#before, events) ?? ''
      return this.record.sign !== ''
    })
    if (this.record.sign === '') return
    this.record.times.detected = Date.now()
    narrator.say(`seen: ${this.record.sign}`, 'bad')
    const remedy = story.remedy(this.#rampMs)
    narrator.below(`try:  ${prompt.line([...remedy, '--dry-run'])}`)
    narrator.below(`then: ${prompt.line(remedy)}`)
  }

  /** Waits for somebody to act on the edges of the culprit. */
  async #person(): Promise<PatternView | undefined> {
    const { speed, narrator } = this.#stage
    const leftMs = PERSON_MS / speed - (Date.now() - (this.record.times.fault ?? 0))
    let found: PatternView | undefined
    await this.#until(Math.max(WINDOW_MS, leftMs), WINDOW_MS, async (glance) => {
      this.record.worse(glance, this.#before)
      this.#tellFigures(glance)
      found = await this.#inForce()
      return found !== undefined
    })
    this.record.looks.set('fault', await this.#look(WINDOW_MS))
    if (!found) return undefined
    this.record.byHand = true
    this.#proven(found)
    narrator.say(`${found.author} has applied ${found.intent?.id}; watch it recover`)
    return found
  }

  async #apply(): Promise<PatternView | undefined> {
    const { narrator, prompt } = this.#stage
    const remedy = this.#story.remedy(this.#rampMs)
    const tried = [...remedy, '--dry-run']
    narrator.say('nobody has acted: the demo does. First what would happen:')
    narrator.below(`$ ${prompt.short(tried)}`)
    narrator.below((await prompt.run(tried)).text)
    narrator.say('and now for good:')
    narrator.below(`$ ${prompt.short(remedy)}`)
    const running = prompt.run(remedy)
    const found = await this.#everywhere()
    const { exit, text } = await running
    narrator.below(text)
    if (exit !== 0) narrator.below(`(exit code ${exit})`)
    return found
  }

  /** Watches, as closely as it can, how a pattern comes into force. */
  async #everywhere(): Promise<PatternView | undefined> {
    const untilMs = Date.now() + OVER_MS
    let found: PatternView | undefined
    while (Date.now() < untilMs) {
      found = (await this.#inForce()) ?? found
      if (found) this.#proven(found)
      if (this.record.times.inForce !== undefined) return found
      await this.#pause(20)
    }
    return found
  }

  #proven(pattern: PatternView): void {
    const { record } = this
    record.times.applied ??= pattern.atUnixMs
    record.enforcing = Math.max(record.enforcing, pattern.enforcing)
    if (record.enforcing === NODES.length) record.times.inForce ??= Date.now()
  }

  async #recover(): Promise<void> {
    const { narrator } = this.#stage
    const { record } = this
    let sinceMs: number | undefined
    await this.#until(RECOVER_MS, 3_000, async (glance) => {
      const pattern = await this.#inForce()
      if (pattern) this.#proven(pattern)
      record.ailing = this.#story.ailing(glance, this.#before)
      this.#tellFigures(glance)
      if (record.ailing === undefined) sinceMs ??= Date.now()
      else sinceMs = undefined
      return sinceMs !== undefined && Date.now() - sinceMs >= STEADY_MS
    })
    if (sinceMs === undefined || record.ailing !== undefined) {
      narrator.say(`not recovered within ${duration(RECOVER_MS)}: ${record.ailing ?? ''}`)
      return
    }
    record.times.recovered = sinceMs
    narrator.say(`recovered, ${record.since('inForce', 'recovered')} after it was in force`, 'good')
  }

  async #repair(): Promise<void> {
    const { cast, narrator, speed } = this.#stage
    const holdMs = Math.max(HOLD_MS_MIN, HOLD_MS / speed)
    await this.#pause(holdMs)
    const glance = await this.#look(Math.floor(holdMs / 1_000) * 1_000)
    this.record.looks.set('remedy', glance)
    narrator.say(this.#figures(glance))
    await this.#story.repair(cast)
    narrator.say(`meanwhile: ${this.#story.repaired}`)
    await this.#pause(holdMs)
  }

  async #release(pattern: PatternView): Promise<void> {
    const { narrator, prompt } = this.#stage
    const release = ['release', pattern.intent?.id ?? '']
    if (await this.#inForce()) {
      narrator.say('so it can go:')
      narrator.below(`$ ${prompt.short(release)}`)
      narrator.below((await prompt.run(release)).text)
    } else {
      narrator.say(`${release[1]} has ended already`)
    }
    this.record.times.released = Date.now()
    const mostMs = (pattern.intent?.rampMs ?? this.#rampMs) + OVER_MS
    const gone = await this.#until(mostMs, WINDOW_MS, async (glance) => {
      this.#tellFigures(glance)
      return (await this.#stage.sight.patternsInto(this.#story.culprit)).length === 0
    })
    if (!gone) return
    this.record.times.over = Date.now()
    const glance = await this.#settle()
    narrator.say(`released, nothing is held back any more: ${this.#figures(glance)}`)
  }

  /** After it all: nothing may be refused any more, and in a while nothing is slow either. */
  async #settle(): Promise<Glance> {
    const { record } = this
    // A look goes back as far as its window: until then it would see what was before.
    await this.#pause(WINDOW_MS + 2 * POLL_MS)
    let newest = this.#before
    await this.#until(OVER_MS, WINDOW_MS, (glance) => {
      newest = glance
      record.refusedAfter += glance.all().refusedPerSecond
      return this.#story.ailing(glance, this.#before) === undefined
    })
    record.looks.set('released', newest)
    return newest
  }

  /** The first pattern that is enforced, not only observed, on edges into the culprit. */
  async #inForce(): Promise<PatternView | undefined> {
    const patterns = await this.#stage.sight.patternsInto(this.#story.culprit)
    return patterns.find(({ intent, state }) => intent?.mode !== 'observe' && state === 'in force')
  }

  /** Looks twice a second until `done`, or until it has taken `mostMs`: whether it was done. */
  async #until(
    mostMs: number,
    windowMs: number,
    done: (glance: Glance) => boolean | Promise<boolean>,
  ): Promise<boolean> {
    const untilMs = Date.now() + mostMs
    while (Date.now() < untilMs) {
      try {
        if (await done(await this.#look(windowMs))) return true
        this.#missed = 0
      } catch (error) {
        this.#missed += 1
        if (!(error instanceof Failure) || this.#missed >= MISSED_MAX) throw error
      }
      await this.#pause(POLL_MS)
    }
    return false
  }

  #look(windowMs: number): Promise<Glance> {
    return this.#stage.sight.look(windowMs)
  }

  #pause(ms: number): Promise<void> {
    return wait(ms, undefined, { signal: this.#stage.ended })
  }

  #figures(glance: Glance): string {
    return `${this.#story.figures(glance)} · ${glance.freshness}`
  }

  #tellFigures(glance: Glance): void {
    const nowMs = Date.now()
    if (nowMs - this.#saidMs < FIGURES_MS) return
    this.#saidMs = nowMs
    this.#stage.narrator.say(this.#figures(glance))
  }
}
