/**
 * One end of what the proxy joins: a socket to the source or to the target, read without
 * allocating and written without trusting the read buffer to last.
 *
 * All legs of a worker read into one buffer, which is good for the length of a callback. What is
 * written on from it is copied into a slab first: the kernel may not take it all at once, and libuv
 * would go on from memory that the next read has overwritten. A leg that reads much at a time gets
 * a buffer of its own, whose slices are written as they are while the reading leg is paused.
 *
 *   read <= COPY_MAX:  shared buffer ──copy──> slab ──write──> peer
 *   read  > COPY_MAX:  own buffer ────slice────────────write──> peer, reader paused until it left
 */
import net from 'node:net'
import { clock } from '../runtime/clock.ts'

/** What one read may bring; libuv asks for no more. */
export const READ_MAX = 64 * 1024
/** Up to this much a copy is cheaper than a buffer of one's own. */
export const COPY_MAX = 16 * 1024
/** More than this waiting to be taken by the kernel, and the other end is not read. */
export const WAITING_MAX = 64 * 1024
/** Buffers of their own in a worker (16 MiB); legs beyond it copy. */
export const OWN_MAX = 256
/** Small reads after which a leg gives its own buffer back. */
const SMALL_READS = 8
const SLAB = 256 * 1024

/** Why a leg is not read: its peer takes no more, too much is held, a policy paces it. */
export const PEER_FULL = 1
export const HELD_FULL = 2
export const PACED = 4

/** What a leg tells of itself. Bytes are good until the call returns. */
export interface Reader {
  bytes(bytes: Buffer, start: number, end: number, nowMs: number): void
  /** The peer will send no more. */
  ended(nowMs: number): void
  /** Nothing comes or goes any more; `reset` if the peer, or the network, broke it off. */
  closed(reset: boolean, nowMs: number): void
  /** All that was written has left. */
  drained(): void
  /** Only of a leg that was dialled. */
  connected(nowMs: number): void
}

type Handle = { close(): void }
type Opened = net.Socket & { _handle: Handle | null }
type SocketOptions = net.SocketConstructorOpts & {
  noDelay?: boolean
  writableHighWaterMark?: number
}

const shared: Buffer = Buffer.allocUnsafeSlow(READ_MAX)
let slab: Buffer = Buffer.allocUnsafeSlow(SLAB)
let slabAt = 0
const spare: Buffer[] = []
let owned = 0

/** Bytes copied on the way through, for the meters. */
export const copies = { bytes: 0 }

/** Whether accepted handles can be wrapped anew; found out at start (listen.ts). */
export const rewrap = { works: true }

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const length = end - start
  if (slabAt + length > SLAB) {
    slab = Buffer.allocUnsafeSlow(SLAB)
    slabAt = 0
  }
  bytes.copy(slab, slabAt, start, end)
  const copy = slab.subarray(slabAt, slabAt + length)
  slabAt += length
  return copy
}

export class Leg {
  readonly socket: net.Socket
  reader: Reader
  /** We have said that we send no more. */
  finished = false
  /** The peer has said so. */
  ended = false
  closed = false
  #buffer = shared
  #next: Buffer | undefined = shared
  #stops = 0
  #small = 0
  #reset = false

  /** Takes a socket over from whoever accepted it. */
  static adopt(accepted: net.Socket, reader: Reader): Leg {
    const handle = (accepted as Opened)._handle
    if (!rewrap.works || handle === null) return new Leg(reader, accepted)
    ;(accepted as Opened)._handle = null
    return new Leg(reader, undefined, handle)
  }

  static dial(host: string, port: number, reader: Reader): Leg {
    const leg = new Leg(reader)
    leg.socket.connect({ host, port })
    return leg
  }

  private constructor(reader: Reader, accepted?: net.Socket, handle?: Handle) {
    this.reader = reader
    const socket = accepted ?? new net.Socket(this.#options(handle) as net.SocketConstructorOpts)
    this.socket = socket
    if (accepted) this.#plain(accepted)
    socket.on('end', () => this.#end())
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reset = error.code !== 'ERR_STREAM_DESTROYED'
    })
    socket.on('close', () => this.#close())
    socket.on('drain', () => this.reader.drained())
    if (!accepted && !handle) socket.on('connect', () => this.reader.connected(clock.nowMs()))
  }

  #options(handle: Handle | undefined): SocketOptions {
    const options: SocketOptions = {
      allowHalfOpen: true,
      noDelay: true,
      // 'drain' then says that everything has left, and is not said of what left at once.
      writableHighWaterMark: 1,
      onread: {
        // Node asks once at first and then after each read; an answer changes the buffer.
        buffer: () => this.#take() as Uint8Array,
        callback: (length: number) => this.#read(length),
      },
    }
    // Undocumented, and what net.Server itself does: tested before it is relied on (listen.ts).
    return handle ? Object.assign(options, { handle }) : options
  }

  /** Bytes written that the kernel has not taken. */
  get waiting(): number {
    return this.socket.writableLength
  }

  get remoteAddress(): string {
    return this.socket.remoteAddress ?? ''
  }

  /** False: whoever these bytes came from must not be read until `drained`. */
  write(bytes: Buffer, start: number, end: number): boolean {
    if (end <= start || this.finished || this.closed) return true
    const socket = this.socket
    if (bytes === shared && end - start <= COPY_MAX) {
      const before = slabAt
      const copy = copyOf(bytes, start, end)
      socket.write(copy)
      if (socket.writableLength === 0) slabAt = slabAt === before + copy.length ? before : slabAt
      else copies.bytes += copy.length
      return socket.writableLength <= WAITING_MAX
    }
    socket.write(
      bytes === shared ? Buffer.from(bytes.subarray(start, end)) : bytes.subarray(start, end),
    )
    return socket.writableLength === 0
  }

  /** Text of ours, in latin1. */
  say(text: string): void {
    if (!this.finished && !this.closed) this.socket.write(text, 'latin1')
  }

  /** Not read while there is any reason not to. */
  get paused(): boolean {
    return this.#stops !== 0
  }

  stop(reason: number): void {
    if (this.#stops === 0 && !this.closed) this.socket.pause()
    this.#stops |= reason
  }

  go(reason: number): void {
    if ((this.#stops & reason) === 0) return
    this.#stops &= ~reason
    if (this.#stops === 0 && !this.closed) this.socket.resume()
  }

  /** Sends what waits, then FIN; reading goes on. */
  finish(): void {
    if (this.finished || this.closed) return
    this.finished = true
    this.socket.end()
  }

  /** Sends what waits, then closes, whatever the peer still says. */
  close(): void {
    if (this.closed) return
    this.finished = true
    this.socket.destroySoon()
  }

  destroy(): void {
    this.finished = true
    this.socket.destroy()
  }

  /** As if the network had broken it off: the reader is told so. */
  fail(): void {
    this.#reset = true
    this.destroy()
  }

  /** RST: the peer sees that this was no proper end. */
  reset(): void {
    if (this.closed) return
    this.finished = true
    // Neither a socket that connects nor one that is sending its FIN can be reset: libuv says
    // EINVAL, and Node would then never close it.
    const { socket } = this
    if (socket.connecting || (socket.writableEnded && !socket.writableFinished)) socket.destroy()
    else socket.resetAndDestroy()
  }

  /** RST, once what waits has left: it came before whatever broke the other end. */
  resetAfter(): void {
    if (this.closed) return
    if (this.waiting === 0 || this.finished) {
      this.reset()
      return
    }
    this.finished = true
    this.socket.once('drain', () => this.reset())
  }

  #take(): Buffer | undefined {
    const next = this.#next
    this.#next = undefined
    return next
  }

  #read(length: number): boolean {
    const buffer = this.#buffer
    this.reader.bytes(buffer, 0, length, clock.nowMs())
    if (buffer === shared) {
      if (length > COPY_MAX) this.#own()
    } else if (length > COPY_MAX) {
      this.#small = 0
    } else {
      this.#small += 1
      if (this.#small > SMALL_READS) this.#share()
    }
    return !this.paused
  }

  #own(): void {
    if (owned >= OWN_MAX) return
    owned += 1
    this.#small = 0
    this.#buffer = this.#next = spare.pop() ?? Buffer.allocUnsafeSlow(READ_MAX)
  }

  #share(): void {
    owned -= 1
    // Paused means that slices of it may still be on their way: it is left to the collector.
    if (!this.paused) spare.push(this.#buffer)
    this.#buffer = this.#next = shared
  }

  /** Without a buffer of ours: Node allocates one a read, and all else is the same. */
  #plain(socket: net.Socket): void {
    const writable = socket as unknown as { _writableState: { highWaterMark: number } }
    writable._writableState.highWaterMark = 1
    socket.on('data', (bytes: Buffer) => this.#data(bytes))
    // The server accepts paused, for sockets that are wrapped anew.
    socket.resume()
  }

  #data(bytes: Buffer): void {
    this.reader.bytes(bytes, 0, bytes.length, clock.nowMs())
  }

  #end(): void {
    this.ended = true
    this.reader.ended(clock.nowMs())
  }

  #close(): void {
    if (this.closed) return
    this.closed = true
    if (this.#buffer !== shared) {
      owned -= 1
      this.#buffer = shared
    }
    this.reader.closed(this.#reset, clock.nowMs())
  }
}
