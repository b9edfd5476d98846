/**
 * A target as a process of its own. It holds each call for a while, counts how many it has at
 * once, and answers each with the id it came with, so that a mixed-up answer shows. Its counts are
 * of what it really works on: a caller that leaves does not make it stop.
 *
 *   GET|POST /call/ID[?early]  early: the head and half of the body before the hold, not after it
 *   GET /-/stats               what it counted    POST /-/reset  starts anew
 *
 *   node test/support/target.ts [HOST [LEAST_MS MOST_MS]]
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { askHttp } from './fleet.ts'
import type { Processes, Running } from './processes.ts'

export interface Stats {
  calls: number
  inFlight: number
  peak: number
  /** The sum of how long calls were really held, in ms. */
  heldMs: number
  /** Calls whose id had been seen before: something sent them twice. */
  repeated: number
  /** POSTs whose body was not their id: something mixed bodies up. */
  mixed: number
}

/** How long each call is held: between the two, in ms. */
export interface Hold {
  readonly leastMs: number
  readonly mostMs: number
}

const IDS_MAX = 200_000
const BODY_BYTES_MAX = 65_536

export class Target {
  readonly running: Running
  readonly address: string

  constructor(running: Running, address: string) {
    this.running = running
    this.address = address
  }

  async stats(): Promise<Stats> {
    return JSON.parse((await askHttp(this.address, 'GET', '/-/stats')).text) as Stats
  }

  async reset(): Promise<void> {
    await askHttp(this.address, 'POST', '/-/reset')
  }
}

export async function startTarget(
  processes: Processes,
  hold: Hold = { leastMs: 1, mostMs: 5 },
  host = '127.0.0.1',
): Promise<Target> {
  const file = new URL(import.meta.url).pathname
  const running = processes.startNode('target', [file, host, `${hold.leastMs}`, `${hold.mostMs}`])
  const ready = await running.line((line) => line['msg'] === 'ready')
  return new Target(running, String(ready['address']))
}

const none = (): Stats => ({ calls: 0, inFlight: 0, peak: 0, heldMs: 0, repeated: 0, mixed: 0 })

class Counting {
  stats = none()
  readonly #hold: Hold
  readonly #seen = new Set<string>()

  constructor(hold: Hold) {
    this.#hold = hold
  }

  reset(): void {
    // Calls under way stay counted, or they would go below zero as they end.
    this.stats = { ...none(), inFlight: this.stats.inFlight, peak: this.stats.inFlight }
    this.#seen.clear()
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const stats = this.stats
    const [path = '', query] = (request.url ?? '').split('?')
    const id = path.slice('/call/'.length)
    stats.calls += 1
    stats.inFlight += 1
    stats.peak = Math.max(stats.peak, stats.inFlight)
    if (this.#seen.has(id)) stats.repeated += 1
    if (this.#seen.size < IDS_MAX) this.#seen.add(id)
    const body = `${id}\n`
    const half = query === 'early' ? body.length >> 1 : 0
    response.setHeader('content-type', 'text/plain')
    response.setHeader('content-length', body.length)
    response.setHeader('x-answered', id)
    if (half > 0) response.write(body.slice(0, half))
    const startMs = performance.now()
    const { leastMs, mostMs } = this.#hold
    setTimeout(
      () => {
        this.stats.heldMs += performance.now() - startMs
        // In the same turn as the end of the answer: nobody can have read it before.
        this.stats.inFlight -= 1
        response.end(body.slice(half))
      },
      leastMs + Math.random() * (mostMs - leastMs),
    )
    if (request.method === 'POST') this.#compare(request, id)
  }

  #compare(request: IncomingMessage, id: string): void {
    let text = ''
    request.setEncoding('latin1').on('data', (part: string) => {
      text = (text + part).slice(0, BODY_BYTES_MAX)
    })
    request.on('end', () => {
      if (text !== id) this.stats.mixed += 1
    })
  }
}

function main(host = '127.0.0.1', least = '1', most = '5'): void {
  const counting = new Counting({ leastMs: Number(least), mostMs: Number(most) })
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.url === '/-/stats') return void response.end(JSON.stringify(counting.stats))
    if (request.url !== '/-/reset') return counting.take(request, response)
    counting.reset()
    response.end('{}')
  })
  server.listen(0, host, () => {
    const { port } = server.address() as AddressInfo
    process.stdout.write(`${JSON.stringify({ msg: 'ready', address: `${host}:${port}` })}\n`)
  })
}

if (import.meta.main) main(...process.argv.slice(2))
