/**
 * A sidecar that ships its service's log lines to the broker over one lasting TCP connection. It
 * spools what is not taken, and it does what makes a flapping broker a storm: every refusal is
 * worth a stack trace in the log, and when there is a leader again all of the spool goes at once.
 */
import { connect, type Socket } from 'node:net'
import type { Route } from './cue.ts'
import { FrameReader, KEPT, LEADER, RECORD_BYTES_MAX, REFUSED, record } from './frame.ts'

const TICK_MS = 100
/** Ordinary chatter a tick. */
const LINES_BYTES = 800
/** What a refused record adds to the log. */
const TRACE_BYTES = 128 * 1024
/** The spool is bounded: beyond it the newest lines are dropped, and counted. */
const SPOOL_BYTES_MAX = 768 * 1024
/** Sent and not yet acknowledged. */
const UNANSWERED_BYTES_MAX = 768 * 1024
/** While there is no leader only this much is tried, once a tick. */
const PROBE_BYTES = 512
const RECONNECT_MS = 500

export interface LoggerTally {
  connected: number
  /** Connections that ended otherwise than by our own doing. */
  resets: number
  sentBytes: number
  keptBytes: number
  droppedBytes: number
  spooledBytes: number
}

export class Logger {
  readonly tally: LoggerTally = {
    connected: 0,
    resets: 0,
    sentBytes: 0,
    keptBytes: 0,
    droppedBytes: 0,
    spooledBytes: 0,
  }
  readonly #localAddress: string
  readonly #route: Route
  #socket: Socket | undefined
  #unanswered = 0
  #leader = true

  constructor(localAddress: string, route: Route) {
    this.#localAddress = localAddress
    this.#route = route
    this.#connect()
    setInterval(() => this.#tick(), TICK_MS).unref()
  }

  #connect(): void {
    const reader = new FrameReader((kind, length) => this.#answered(kind, length))
    const socket = connect({ ...this.#route, localAddress: this.#localAddress, noDelay: true })
    socket.on('connect', () => {
      this.tally.connected += 1
    })
    socket.on('data', (bytes) => reader.read(bytes as Buffer))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.tally.resets += 1
      this.#spool(this.#unanswered)
      this.#unanswered = 0
      this.#leader = true
      setTimeout(() => this.#connect(), RECONNECT_MS).unref()
    })
    this.#socket = socket
  }

  #tick(): void {
    this.#spool(LINES_BYTES)
    this.#send(this.#leader ? UNANSWERED_BYTES_MAX : PROBE_BYTES)
  }

  #spool(bytes: number): void {
    const kept = Math.min(bytes, SPOOL_BYTES_MAX - this.tally.spooledBytes)
    this.tally.spooledBytes += kept
    this.tally.droppedBytes += bytes - kept
  }

  #send(most: number): void {
    const socket = this.#socket
    if (!socket || socket.connecting || socket.destroyed) return
    let room = most - this.#unanswered
    while (this.tally.spooledBytes > 0 && room > 0) {
      const bytes = Math.min(RECORD_BYTES_MAX, this.tally.spooledBytes, room)
      socket.write(record(bytes))
      room -= bytes
      this.tally.spooledBytes -= bytes
      this.tally.sentBytes += bytes
      this.#unanswered += bytes
    }
  }

  #answered(kind: number, length: number): void {
    if (kind === LEADER) {
      this.#leader = true
      this.#send(UNANSWERED_BYTES_MAX)
      return
    }
    this.#unanswered -= length
    if (kind === KEPT) this.tally.keptBytes += length
    if (kind !== REFUSED) return
    this.#leader = false
    this.#spool(length + TRACE_BYTES)
  }
}
