/**
 * The little world in which transcripts happen: intents are applied and released, calls come and
 * end, time passes. Each command answers in words.
 *
 * apply ID KIND FROM..TO [--flag value]...   --mode, --percent, --per, --exempt, --ramp, and the
 * pattern's own
 *   release ID                  begins its ramp        drop ID     ends it at once
 *   call FROM..TO [N] [post] [tcp] [chance 0.7]        end NUMBER RESULT
 *   tick 500ms                  time passes: who waited goes on, ramps take their steps
 *   show ID                     its settings now, and what it did
 */
import { edgeOf } from '../../landscape/edge.ts'
import { type Intent, readIntent } from '../../policies/intent.ts'
import { type Call, explain, type Result } from '../../policies/pattern.ts'
import { type BoundIntent, bind } from '../../policies/plan.ts'
import { readDuration, readText, writeDuration, writeText } from '../../policies/quantity.ts'
import { RAMP_STEP_MS } from '../../policies/ramp.ts'
import { tend } from '../../policies/tend.ts'
import type { Passage } from '../../proxy/gate.ts'
import { callOn, cellsOf, World } from './world.ts'

interface Waiting {
  readonly number: number
  readonly passage: Passage
  readonly call: Call
  readonly dueMs: number
}

const START_MS = 1_000_000
const COUNTS = ['matched', 'refused', 'delayed', 'would refuse', 'would delay']

export class Transcript {
  readonly #world = new World()
  readonly #main = cellsOf(this.#world.cells.memory, 15)
  readonly #intents = new Map<string, { intent: Intent; releasedMs?: number }>()
  readonly #inside = new Map<number, Passage>()
  #waiting: Waiting[] = []
  #bound: BoundIntent[] = []
  #calls = 0
  #revision = 0
  #nowMs = START_MS

  run(line: string): string[] {
    const [verb, ...words] = line.split(/\s+/)
    switch (verb) {
      case 'apply':
        return this.#apply(words)
      case 'release':
        this.#intents.get(words[0]!)!.releasedMs = this.#nowMs
        return this.#bind()
      case 'drop':
        this.#intents.delete(words[0]!)
        return this.#bind()
      case 'call':
        return this.#callMany(words)
      case 'end':
        return this.#end(Number(words[0]), words[1] as Result)
      case 'tick':
        return this.#tick(readDuration(words[0]!))
      case 'show':
        return [this.#show(words[0]!)]
      default:
        throw new Error(`transcript: no command '${verb}'`)
    }
  }

  #apply([id, kind, ends, ...flags]: string[]): string[] {
    const [from, to] = ends!.split('..')
    const given: { [name: string]: unknown } = { id, kind, from, to }
    const settings: { [name: string]: unknown } = {}
    const pattern = readIntent({ ...given, ...SOUND[kind!] }).pattern
    for (let at = 0; at < flags.length; at += 2) {
      const [flag, text] = [flags[at]!.slice(2), flags[at + 1]!]
      const own = Object.entries(pattern.fields).find(([, field]) => field.flag === flag)
      if (own) settings[own[0]] = readText(own[1], text)
      else if (flag === 'percent') given['percent'] = Number.parseFloat(text)
      else if (flag === 'ramp') given['rampMs'] = readDuration(text)
      else given[flag] = text
    }
    this.#intents.set(id!, { intent: readIntent({ ...given, settings }) })
    return this.#bind()
  }

  /** What holds now is what everyone who waits is asked again. */
  #bind(): string[] {
    this.#revision += 1
    this.#rebind()
    const told = [`revision ${this.#revision}: ${[...this.#intents.keys()].join(' ') || 'nothing'}`]
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) {
      const policies = this.#world.policies.on(one.call.edge)
      told.push(this.#heed(one, one.passage.restart(policies, one.call, this.#nowMs)))
    }
    return told
  }

  #rebind(): void {
    this.#bound = []
    for (const [id, { intent, releasedMs }] of this.#intents) {
      const holding = { intent, version: 1, remainingMs: 60_000, shares: {} }
      const since = releasedMs === undefined ? undefined : this.#nowMs - releasedMs
      const bound = bind(holding, since)
      if (bound) this.#bound.push(bound)
      else this.#intents.delete(id)
    }
    this.#world.apply(...this.#bound)
  }

  #callMany([ends, ...words]: string[]): string[] {
    const [source, target] = ends!.split('..')
    const times = Number(words.find((word) => /^\d+$/.test(word)) ?? 1)
    const chance = words.includes('chance') ? Number(words[words.indexOf('chance') + 1]) : 0
    const call = callOn(edgeOf(source!, target!), {
      form: words.includes('tcp') ? 'connection' : 'request',
      idempotent: !words.includes('post') && !words.includes('tcp'),
      chance,
    })
    return Array.from({ length: times }, () => {
      this.#calls += 1
      const passage = this.#world.passage()
      const one = { number: this.#calls, passage, call }
      const policies = this.#world.policies.on(call.edge)
      return this.#heed(one, passage.enter(policies, call, this.#nowMs))
    })
  }

  #heed({ number, passage, call }: Omit<Waiting, 'dueMs'>, verdict: string): string {
    if (verdict === 'pass') {
      this.#inside.set(number, passage)
      return `#${number} pass`
    }
    if (verdict === 'wait') {
      this.#waiting.push({ number, passage, call, dueMs: this.#nowMs + passage.delayMs })
      return `#${number} waits ${writeDuration(passage.delayMs)}`
    }
    const { by, refusal } = passage
    const { cause, retryAfterMs } = refusal!
    const again = retryAfterMs > 0 ? `, again in ${writeDuration(retryAfterMs)}` : ''
    const never = retryAfterMs < 0 ? ', for good' : ''
    return `#${number} refuse ${cause} by ${by!.id}: ${explain(refusal!)}${again}${never}`
  }

  #end(number: number, result: Result): string[] {
    this.#inside.get(number)!.leave(result, this.#nowMs)
    this.#inside.delete(number)
    return [`#${number} ${result}`]
  }

  #tick(ms: number): string[] {
    const told: string[] = []
    const untilMs = this.#nowMs + ms
    while (this.#nowMs < untilMs) {
      const nextMs =
        START_MS + Math.ceil((this.#nowMs + 1 - START_MS) / RAMP_STEP_MS) * RAMP_STEP_MS
      const dueMs = Math.min(...this.#waiting.map((one) => one.dueMs))
      this.#nowMs = Math.min(untilMs, dueMs, nextMs)
      const due = this.#waiting.filter((one) => one.dueMs <= this.#nowMs)
      this.#waiting = this.#waiting.filter((one) => one.dueMs > this.#nowMs)
      for (const one of due) told.push(this.#heed(one, one.passage.resume(one.call, this.#nowMs)))
      if (this.#nowMs === nextMs) this.#second()
    }
    return [...told, `at ${writeDuration(this.#nowMs - START_MS)}`]
  }

  #second(): void {
    tend(this.#main, this.#bound, () => ({ medianMs: 40 }), this.#nowMs)
    if ([...this.#intents.values()].some(({ releasedMs }) => releasedMs !== undefined)) {
      this.#rebind()
    }
  }

  #show(id: string): string {
    const bound = this.#bound.find(({ intent }) => intent.id === id)
    const counts = COUNTS.map((what) => [what, this.#world.counter.counts[`${id} ${what}`]])
    const done = counts.filter(([, times]) => times).map((pair) => pair.join(' '))
    const about = done.join(', ') || 'nothing to do'
    if (bound === undefined) return `${id} is gone: ${about}`
    const { fields } = bound.intent.pattern
    const settings = Object.entries(bound.settings)
      .filter(([name, value]) => value !== undefined && value !== fields[name]!.fallback)
      .map(([name, value]) => `${name} ${writeText(fields[name]!, value!)}`)
    if (bound.percent < 100) settings.push(`${Math.round(bound.percent)}% of calls`)
    return `${id} ${settings.join(', ') || 'as it is by default'}: ${about}`
  }
}

/** Settings with which a pattern can be read before its flags are known. */
const SOUND: { readonly [kind: string]: object } = {
  bulkhead: { settings: { maxInFlight: 1 } },
  backpressure: { settings: { ratePerSecond: 1 } },
  breaker: { settings: {} },
  segment: { settings: {}, to: 'x' },
  quarantine: { settings: {}, to: 'x' },
}
