/**
 * How a service calls another: over kept connections, from its own address, for a limited time. An
 * answer of the proxy that names a policy is a refusal, which the caller takes for what it is: it
 * does without, and does not try again.
 */
import { Agent, type ClientRequest, request } from 'node:http'
import type { Route } from './cue.ts'

/** Connections to one target. Calls beyond it wait in the agent, inside their own patience. */
const CONNECTIONS_MAX = 1_024

export type Answer = 'answered' | 'refused' | 'failed'

export class Caller {
  readonly #localAddress: string
  readonly #patienceMs: number
  readonly #agent: Agent

  constructor(localAddress: string, patienceMs: number) {
    this.#localAddress = localAddress
    this.#patienceMs = patienceMs
    this.#agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, maxFreeSockets: 256 })
  }

  /** Calls `answered` exactly once. Returns what to destroy when nobody waits for it any more. */
  call(route: Route, path: string, answered: (answer: Answer) => void): ClientRequest {
    const { host, port } = route
    const localAddress = this.#localAddress
    const sent = request({ host, port, path, localAddress, agent: this.#agent })
    const late = setTimeout(() => sent.destroy(), this.#patienceMs)
    let over = false
    const end = (answer: Answer): void => {
      if (over) return
      over = true
      clearTimeout(late)
      answered(answer)
    }
    sent.on('error', () => end('failed'))
    sent.on('close', () => end('failed'))
    sent.on('response', (response) => {
      const status = response.statusCode ?? 0
      const refused = response.headers['x-airspace-refused-by'] !== undefined
      response.on('error', () => end('failed'))
      response.on('end', () => end(refused ? 'refused' : status < 400 ? 'answered' : 'failed'))
      response.resume()
    })
    sent.end()
    return sent
  }
}
