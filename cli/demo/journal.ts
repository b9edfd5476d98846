/**
 * An order is not placed before its record is on disk: each append waits for the broker's answer.
 * Appends share one connection and are answered in order.
 */
import { connect, type Socket } from 'node:net'
import type { Route } from './cue.ts'
import { FrameReader, KEPT, record } from './frame.ts'

const RECORD_BYTES = 400
const RECONNECT_MS = 200
/** More appends than this under way are failed at once. */
const WAITING_MAX = 4_096

export type Appended = (kept: boolean) => void

export class Journal {
  readonly #localAddress: string
  readonly #route: Route
  readonly #waiting: Appended[] = []
  #socket: Socket | undefined

  constructor(localAddress: string, route: Route) {
    this.#localAddress = localAddress
    this.#route = route
    this.#connect()
  }

  append(appended: Appended): void {
    const socket = this.#socket
    if (!socket || socket.destroyed || this.#waiting.length >= WAITING_MAX) {
      appended(false)
      return
    }
    this.#waiting.push(appended)
    socket.write(record(RECORD_BYTES))
  }

  #connect(): void {
    const reader = new FrameReader((kind) => {
      if (kind === KEPT) this.#waiting.shift()?.(true)
    })
    const socket = connect({ ...this.#route, localAddress: this.#localAddress, noDelay: true })
    socket.on('data', (bytes) => reader.read(bytes as Buffer))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      for (const appended of this.#waiting.splice(0)) appended(false)
      setTimeout(() => this.#connect(), RECONNECT_MS).unref()
    })
    this.#socket = socket
  }
}
