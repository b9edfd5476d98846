/**
 * Listening descriptors. Main binds each address once and keeps it; each worker gets a duplicate
 * and listens on that, so all accept from one kernel queue: a worker that dies takes no waiting
 * connection with it, and what arrives while none is left waits for the next. Without koffi (no
 * prebuilt library for the platform) workers share the port by SO_REUSEPORT instead.
 *
 *   main: fd 22, bound, never accepts ──┬── dup 25 ── worker 0: listen, accept
 *                                       └── dup 26 ── worker 1: listen, accept
 */
import { createRequire } from 'node:module'
import net from 'node:net'
import type { Address } from '../runtime/environment.ts'
import { Unable } from './unable.ts'

/** fcntl command that duplicates and closes on exec, by platform (fcntl(2)). */
const DUPFD_CLOEXEC = process.platform === 'darwin' ? 67 : 1030
/** UV_TCP_REUSEPORT of libuv's uv_tcp_bind. */
const REUSE_PORT = 2

type Fcntl = (fd: number, command: number, type: 'int', least: number) => number

/** libuv's own handle, as net.Server uses it; stable enough to be what cluster is built on. */
interface Handle {
  readonly fd: number
  getsockname(out: { address?: string; port?: number }): number
  close(): void
}
type CreateHandle = (host: string, port: number, type: number, fd: number, flags: number) => unknown

const createHandle = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle

function loadFcntl(): Fcntl | null {
  try {
    const koffi = createRequire(import.meta.url)('koffi')
    // Variadic on purpose: on arm64 macOS variadic arguments travel on the stack.
    return koffi.load(null).func('int fcntl(int, int, ...)') as Fcntl
  } catch {
    return null
  }
}

/** A bound address. */
export class Descriptor {
  readonly host: string
  readonly port: number
  readonly family: 4 | 6
  readonly #handle: Handle
  readonly #fcntl: Fcntl | null

  constructor(handle: Handle, host: string, port: number, fcntl: Fcntl | null) {
    this.#handle = handle
    this.#fcntl = fcntl
    this.host = host
    this.port = port
    this.family = net.isIP(host) === 6 ? 6 : 4
  }

  /** A descriptor for one worker, which then owns it; undefined: listen with reusePort. */
  duplicate(): number | undefined {
    if (!this.#fcntl) return undefined
    const fd = this.#fcntl(this.#handle.fd, DUPFD_CLOEXEC, 'int', 3)
    // Out of descriptors: one listener less in this worker is better than none at all.
    return fd < 0 ? undefined : fd
  }

  /** From here nothing new is queued once the workers' duplicates are closed too. */
  close(): void {
    this.#handle.close()
  }
}

export class Descriptors {
  readonly #fcntl: Fcntl | null
  readonly #bound: Descriptor[] = []

  constructor(fcntl: Fcntl | null = loadFcntl()) {
    this.#fcntl = fcntl
  }

  get shared(): boolean {
    return this.#fcntl !== null
  }

  /** Throws an Unable that names the address and what the system said. */
  bind({ host, port }: Address, name: string): Descriptor {
    const address = host === 'localhost' ? '127.0.0.1' : host
    const flags = this.#fcntl ? 0 : REUSE_PORT
    const type = net.isIP(address)
    const handle = createHandle(address, port, type, -1, flags)
    const said: { address?: string; port?: number } = {}
    const status = typeof handle === 'number' ? handle : (handle as Handle).getsockname(said)
    if (typeof handle === 'number' || status !== 0) {
      const code = errorName(typeof handle === 'number' ? handle : status)
      throw new Unable(`${name}: cannot listen on ${host}:${port} (${code})`)
    }
    const bound = new Descriptor(handle as Handle, address, said.port ?? port, this.#fcntl)
    this.#bound.push(bound)
    return bound
  }

  close(): void {
    for (const descriptor of this.#bound.splice(0)) descriptor.close()
  }
}

function errorName(status: number): string {
  const names: { readonly [code: number]: string } = {
    [-98]: 'address in use',
    [-48]: 'address in use',
    [-99]: 'not an address of this machine',
    [-49]: 'not an address of this machine',
    [-13]: 'permission denied',
  }
  return names[status] ?? `error ${status}`
}
