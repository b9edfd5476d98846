/**
 * Callers with keep-alive connections. Closed loop: each sends its next call when it has the
 * answer to the last. Some leave before their answer. Open loop: calls leave at a steady pace
 * whatever became of those before. Which call is which is told by an id that comes back with it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { chanceOf } from './chance.ts'
import { type Answer, Connection, headerOf, type Loss, type Place } from './connection.ts'

export class Count {
  sent = 0
  /** Answered by the target, and with what was asked for. */
  passed = 0
  /** Answered by a proxy, naming the intent. */
  refused = 0
  aborted = 0
  /** Answered with another call's answer. */
  misrouted = 0
  /** No answer, or one that nobody should give: what it was, and how often. */
  readonly failed = new Map<string, number>()
  readonly tookMs: number[] = []

  get failures(): number {
    let sum = 0
    for (const count of this.failed.values()) sum += count
    return sum
  }

  take(id: string, answer: Answer | Loss): void {
    this.sent += 1
    if (answer === 'aborted') this.aborted += 1
    else if (typeof answer === 'string') this.#fail(answer)
    else if (headerOf(answer.head, 'x-airspace-refused-by')) this.refused += 1
    else if (answer.status !== 200) this.#fail(`${answer.status}`)
    else if (headerOf(answer.head, 'x-answered') !== id || answer.body !== `${id}\n`) {
      this.misrouted += 1
    } else {
      this.passed += 1
      this.tookMs.push(answer.tookMs)
    }
  }

  describe(): string {
    const { sent, passed, refused, aborted, misrouted } = this
    const failed = JSON.stringify(Object.fromEntries(this.failed))
    const answered = `${passed} passed, ${refused} refused, ${misrouted} misrouted`
    return `${sent} sent: ${answered}, ${aborted} aborted, failed ${failed}`
  }

  #fail(why: string): void {
    this.failed.set(why, (this.failed.get(why) ?? 0) + 1)
  }
}

export interface Loop {
  /** Callers are spread over these. */
  readonly places: readonly Place[]
  readonly callers: number
  /** How many of a hundred calls are left before their answer. */
  readonly abortPercent?: number
  /** A refused caller comes back after a random time up to twice this, in ms. */
  readonly pauseMs?: number
  readonly seed?: number
  readonly done: (count: Count) => boolean
}

/** Callers that are never done have met a fault: they stop, and what they counted shows it. */
const LOOP_MS_MAX = 45_000

let runs = 0 // makes ids differ between the runs of one process

function requestOf(id: string, place: Place, dice: number): string {
  const query = dice < 0.3 ? '?early' : ''
  const head = `/call/${id}${query} HTTP/1.1\r\nhost: ${place.host}:${place.port}\r\n`
  if (dice < 0.75) return `GET ${head}\r\n`
  return `POST ${head}content-length: ${id.length}\r\n\r\n${id}`
}

/** Runs callers until `done`, or for too long; each ends its own last call first. */
export async function callInLoops(loop: Loop): Promise<Count> {
  const count = new Count()
  const run = runs++
  let calls = 0
  const endMs = performance.now() + LOOP_MS_MAX
  const one = async (number: number): Promise<void> => {
    const place = loop.places[number % loop.places.length]!
    const chance = chanceOf((loop.seed ?? 1) * 1000 + number)
    const connection = new Connection(place)
    while (!loop.done(count) && performance.now() < endMs) {
      const id = `${run}-${calls++}`
      const answer = connection.call(requestOf(id, place, chance()))
      const abortAfterMs = chance() * 100 < (loop.abortPercent ?? 0) ? chance() * 4 : undefined
      if (abortAfterMs !== undefined) setTimeout(() => connection.abort(), abortAfterMs)
      const got = await answer
      count.take(id, got)
      const refused = typeof got === 'object' && got.status !== 200
      if (refused && loop.pauseMs) await sleep(chance() * 2 * loop.pauseMs)
    }
    connection.close()
    if (connection.unasked > 0) count.take('', 'unasked')
  }
  await Promise.all(Array.from({ length: loop.callers }, (_, number) => one(number)))
  return count
}

export interface Pace {
  readonly place: Place
  readonly perSecond: number
  readonly forMs: number
}

/** A source that opens more connections than this has been held up beyond all measure. */
const CONNECTIONS_MAX = 1_000

/** Calls at a steady pace; a late timer is made up for, as a queue of users would. */
export async function callAtPace(pace: Pace): Promise<Count> {
  const count = new Count()
  const run = runs++
  const idle: Connection[] = []
  const all: Connection[] = []
  const pending: Promise<void>[] = []
  const send = async (id: string): Promise<void> => {
    const connection = idle.pop() ?? new Connection(pace.place)
    if (connection.opened === 0) all.push(connection)
    count.take(id, await connection.call(requestOf(id, pace.place, 0.5)))
    idle.push(connection)
  }
  const startMs = performance.now()
  const calls = Math.floor((pace.perSecond * pace.forMs) / 1000)
  for (let sent = 0; sent < calls; sent += 1) {
    const waitMs = startMs + (sent * 1000) / pace.perSecond - performance.now()
    if (waitMs > 0.5) await sleep(waitMs)
    if (all.length >= CONNECTIONS_MAX) throw new Error(`more than ${CONNECTIONS_MAX} calls wait`)
    pending.push(send(`${run}-${sent}`))
  }
  await Promise.all(pending)
  for (const connection of all) connection.close()
  return count
}

/** The q-th quantile (0 to 1) of what was measured, by nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}
