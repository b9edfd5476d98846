/**
 * Break-glass: one proxy, asked by its admin port when the control plane is gone. It tells its own
 * part of the landscape and lets go of what it enforces; nothing else can be asked of it.
 */
import { join } from 'node:path'
import { isLoopback, readAddress, stateFolder } from '../runtime/environment.ts'
import { EXIT, Failure, misused } from './failure.ts'
import type { Invocation } from './invocation.ts'
import { findToken, type Token, tokenIn } from './token.ts'

/** Ten thousand intents and a few thousand edges are less. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

interface Answer {
  readonly status: number
  readonly text: string
}

export class Node {
  readonly #run: Invocation
  readonly address: string

  /** Throws a Failure unless `address` is on this machine: a token does not travel in the clear. */
  constructor(run: Invocation, address: string) {
    const { host } = readAddress('--at-node', address)
    if (!isLoopback(host)) {
      throw misused(
        `--at-node: ${address} is not this machine, and a token does not travel in the clear`,
        `ssh -L 7402:127.0.0.1:7402 ${host}`,
      )
    }
    this.#run = run
    this.address = address
  }

  /** The answer as plain JSON. Throws a Failure with the exit code of what went wrong. */
  async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    let answer: Answer | undefined
    for (const token of this.#tokens()) {
      answer = await this.#send(method, path, token, body)
      if (answer.status !== 401) break
    }
    if (!answer || answer.status === 401) {
      throw new Failure(
        EXIT.notAllowed,
        `the node at ${this.address} wants a token, and none that was found is its own`,
        "name the file: --token-file FILE (admin.token in the proxy's --state folder)",
      )
    }
    const given = readJson(answer.text)
    if (answer.status === 200) return given
    throw failureOf(answer.status, complaintIn(given), path)
  }

  /** Its own token first; the operator's, which it knows when both live on one machine. */
  #tokens(): readonly Token[] {
    const named = this.#run.tokenFile
    if (named !== undefined) return [findToken(named)!]
    const own = tokenIn(join(stateFolder('proxy'), 'admin.token'))
    const operators = findToken(undefined)
    return [own, operators].filter((token) => token !== undefined)
  }

  async #send(method: string, path: string, token: Token, body?: object): Promise<Answer> {
    const { timeoutMs, interrupted } = this.#run
    try {
      const response = await fetch(`http://${this.address}${path}`, {
        method,
        headers: { authorization: `Bearer ${token.secret}` },
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), interrupted]),
        redirect: 'error',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, text: await textOf(response) }
    } catch (error) {
      if (error instanceof Failure) throw error
      if (interrupted.aborted) throw new Failure(EXIT.interrupted, 'interrupted')
      throw new Failure(
        EXIT.unreachable,
        `the node at ${this.address} does not answer (${causeOf(error)})`,
        'its admin port: airspace proxy --admin HOST:PORT, 7402 unless said',
      )
    }
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true })
    if (text.length > ANSWER_BYTES_MAX) throw new Failure(EXIT.failed, 'the answer is too long')
  }
  return text
}

function causeOf(error: unknown): string {
  const { cause, name } = error as { readonly cause?: { readonly code?: string }; name: string }
  return cause?.code ?? (name === 'TimeoutError' ? 'nothing within --timeout' : String(error))
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Failure(EXIT.failed, 'what answers there is not the admin port of a proxy')
  }
}

const complaintIn = (given: unknown): string =>
  String((given as { readonly error?: unknown } | null)?.error ?? 'it does not say why')

const failureOf = (status: number, complaint: string, path: string): Failure =>
  status === 400 && path === '/release'
    ? new Failure(EXIT.missing, complaint, 'airspace get patterns --at-node HOST:PORT')
    : new Failure(EXIT.failed, `the node says ${status}: ${complaint}`)
