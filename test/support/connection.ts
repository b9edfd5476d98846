/**
 * One raw HTTP/1.1 connection, one call at a time, kept alive. It is stricter than a library: an
 * answer nobody asked for, or bytes after an answer, are faults, since that is how a proxy that
 * mixes exchanges up would show.
 */
import { connect, type Socket } from 'node:net'

/** An answer that takes longer is a lost one. */
export const ANSWER_WAIT_MS = 15_000
const HEAD_END = '\r\n\r\n'

export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
  readonly tookMs: number
}

/** Why there is no answer. `aborted` is our own doing. */
export type Loss = 'aborted' | 'closed' | 'late' | 'unasked' | 'unreadable'

export function headerOf(head: string, name: string): string | undefined {
  const match = new RegExp(`^${name}:[ \t]*(.*?)[ \t]*$`, 'im').exec(head)
  return match?.[1]
}

export interface Place {
  readonly host: string
  readonly port: number
  /** The address to call from; services on a laptop are told apart by it. */
  readonly from?: string
}

export const placeOf = (address: string, from?: string): Place => {
  const at = address.lastIndexOf(':')
  const place = { host: address.slice(0, at), port: Number(address.slice(at + 1)) }
  return from === undefined ? place : { ...place, from }
}

export class Connection {
  readonly #place: Place
  #socket: Socket | undefined
  #text = ''
  #waiting: ((answer: Answer | Loss) => void) | undefined
  #sentMs = 0
  #timer: NodeJS.Timeout | undefined
  opened = 0
  unasked = 0

  constructor(place: Place) {
    this.#place = place
  }

  get busy(): boolean {
    return this.#waiting !== undefined
  }

  /** Sends one request, whole, and waits for its answer or its loss. Never throws. */
  call(request: string): Promise<Answer | Loss> {
    if (this.#waiting) throw new Error('one call at a time')
    const socket = this.#socket ?? this.#dial()
    this.#sentMs = performance.now()
    return new Promise((resolve) => {
      this.#waiting = resolve
      this.#timer = setTimeout(() => this.#lose('late'), ANSWER_WAIT_MS)
      socket.write(request, 'latin1')
    })
  }

  /** Leaves without waiting for the answer, as callers with a timeout do. */
  abort(): void {
    this.#lose('aborted')
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #dial(): Socket {
    const { host, port, from } = this.#place
    const socket = connect({ host, port, noDelay: true, ...(from ? { localAddress: from } : {}) })
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => socket === this.#socket && this.#read(text))
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => {
      if (socket !== this.#socket) return
      this.#socket = undefined
      if (this.#waiting) this.#lose('closed')
    })
    this.#socket = socket
    this.#text = ''
    this.opened += 1
    return socket
  }

  #read(text: string): void {
    this.#text += text
    if (!this.#waiting) {
      this.unasked += 1
      this.close()
      return
    }
    const answer = this.#answer()
    if (typeof answer === 'string') this.#lose(answer)
    if (typeof answer !== 'object') return
    this.#text = ''
    if (headerOf(answer.head, 'connection') === 'close') this.close()
    this.#finish(answer)
  }

  /** The answer if it is whole, undefined while it is not. */
  #answer(): Answer | Loss | undefined {
    const headEnd = this.#text.indexOf(HEAD_END)
    if (headEnd < 0) return undefined
    const head = this.#text.slice(0, headEnd)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN)
    const length = Number(headerOf(head, 'content-length') ?? Number.NaN)
    if (Number.isNaN(status) || Number.isNaN(length)) return 'unreadable'
    const end = headEnd + HEAD_END.length + length
    if (this.#text.length < end) return undefined
    const body = this.#text.slice(headEnd + HEAD_END.length, end)
    if (this.#text.length > end) return 'unasked'
    return { status, head, body, tookMs: performance.now() - this.#sentMs }
  }

  #lose(loss: Loss): void {
    this.close()
    this.#finish(loss)
  }

  #finish(answer: Answer | Loss): void {
    clearTimeout(this.#timer)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(answer)
  }
}
