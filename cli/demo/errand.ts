/**
 * What one request of a service still has to do: its own work, then its calls one after the other,
 * then the answer. When its caller is gone it stops, and what it called is told.
 */
import type { ServerResponse } from 'node:http'
import type { Answer, Caller } from './caller.ts'
import type { Route } from './cue.ts'
import type { Journal } from './journal.ts'
import type { Role } from './roster.ts'
import type { Thrash, Waiting } from './thrash.ts'

/** What a service has to run errands with. */
export interface Means {
  readonly role: Role
  readonly caller: Caller
  readonly body: Buffer
  readonly thrash: Thrash | undefined
  readonly tally: { requests: number; partial: number; failed: number }
  routes: { readonly [target: string]: Route }
  journal?: Journal
}

const nothing = (): void => {}

export class Errand {
  readonly #means: Means
  readonly #path: string
  readonly #response: ServerResponse
  readonly #targets: readonly string[]
  readonly #turn: Waiting = { done: () => this.#next() }
  #at = 0
  #partial = false
  #abort: () => void = nothing

  constructor(means: Means, path: string, response: ServerResponse) {
    this.#means = means
    this.#path = path
    this.#response = response
    this.#targets = means.role.calls[path] ?? []
  }

  start(): void {
    const [least, most] = this.#means.role.workMs
    const timer = setTimeout(() => this.#worked(), least + (most - least) * Math.random())
    this.#abort = () => clearTimeout(timer)
    this.#response.on('close', () => this.#abort())
  }

  #worked(): void {
    const { thrash } = this.#means
    if (!thrash) {
      this.#next()
      return
    }
    thrash.enter(this.#turn)
    this.#abort = () => thrash.abandon(this.#turn)
  }

  #next(): void {
    this.#abort = nothing
    const target = this.#targets[this.#at]
    this.#at += 1
    if (target === undefined) this.#answer(200)
    else if (target === 'journal') this.#append()
    else this.#call(target)
  }

  #call(target: string): void {
    const route = this.#means.routes[target]
    if (!route) {
      this.#answered('failed')
      return
    }
    const answered = (answer: Answer): void => this.#answered(answer)
    const sent = this.#means.caller.call(route, this.#path, answered)
    this.#abort = () => sent.destroy()
  }

  #append(): void {
    const { journal } = this.#means
    if (journal) journal.append((kept) => this.#answered(kept ? 'answered' : 'failed'))
    else this.#answered('failed')
  }

  #answered(answer: Answer): void {
    if (this.#response.destroyed) return
    if (answer === 'refused') this.#partial = true
    if (answer === 'failed') this.#answer(502)
    else this.#next()
  }

  #answer(status: number): void {
    const { body, tally } = this.#means
    this.#abort = nothing
    if (this.#response.destroyed || this.#response.headersSent) return
    if (status !== 200) tally.failed += 1
    if (this.#partial) tally.partial += 1
    this.#response.writeHead(status, {
      'content-type': 'text/plain',
      'content-length': body.length,
      ...(this.#partial ? { 'x-partial': 'true' } : {}),
    })
    this.#response.end(body)
  }
}
