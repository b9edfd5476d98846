/**
 * Accepting connections: as many as are bounded, each taken over from the server that accepted it
 * so that it can be read without allocating (leg.ts). Whether that works with this Node is found
 * out once, on a real connection, before the first listener accepts.
 */
import net from 'node:net'
import { clock } from '../runtime/clock.ts'
import { Arrival } from './arrival.ts'
import { placeOf } from './capture/direct.ts'
import { Leg, type Reader, rewrap } from './leg.ts'
import { WORKER } from './meter.ts'
import type { Surroundings } from './surroundings.ts'
import type { ListenerSpec } from './thread.ts'

/** Connections the kernel completes before we accept them; it bounds this by somaxconn. */
const BACKLOG = 4096
/** A peer that vanished without a word is noticed after so long, and a few probes. */
const PROBE_AFTER_MS = 60_000
const SELF_TEST_MS = 2_000

export class Listener {
  readonly #server: net.Server
  readonly #spec: ListenerSpec

  constructor(spec: ListenerSpec, around: Surroundings) {
    this.#spec = spec
    const place = placeOf(spec)
    this.#server = net.createServer({
      pauseOnConnect: true,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER_MS,
    })
    this.#server.on('connection', (socket) => {
      const { meter, connections, limits } = around
      meter.add(WORKER.accepted, 1)
      if (connections.size >= limits.connectionsMax) {
        meter.add(WORKER.overloaded, 1)
        socket.resetAndDestroy()
        return
      }
      const nowMs = clock.nowMs()
      const route = around.identify.route(socket.remoteAddress ?? '', place)
      const arrival = new Arrival(around, place, route, nowMs)
      arrival.begin(Leg.adopt(socket, arrival), nowMs)
    })
  }

  /** Resolves to the port once it accepts. */
  open(): Promise<number> {
    const { fd, host, port } = this.#spec
    const options =
      fd === undefined
        ? { host, port, backlog: BACKLOG, reusePort: true }
        : { fd, backlog: BACKLOG }
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(options, () => {
        this.#server.off('error', reject)
        // Out of descriptors, say: the kernel keeps who waits, and accepting goes on later.
        this.#server.on('error', () => {})
        const address = this.#server.address()
        resolve(typeof address === 'object' && address ? address.port : port)
      })
    })
  }

  close(): void {
    this.#server.close()
  }
}

/** Sends a byte each way over a wrapped socket; on any other outcome legs are read plainly. */
export async function testRewrap(): Promise<boolean> {
  const server = net.createServer({ pauseOnConnect: true })
  rewrap.works = true
  try {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as net.AddressInfo
    rewrap.works = await roundTrip(server, port)
  } catch {
    rewrap.works = false
  }
  server.close()
  return rewrap.works
}

function roundTrip(server: net.Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    const timer = setTimeout(() => end(false), SELF_TEST_MS)
    let leg: Leg | undefined
    const end = (works: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      leg?.destroy()
      resolve(works)
    }
    const reader: Reader = {
      bytes: (bytes, start, stop) => leg!.write(bytes, start, stop),
      ended() {},
      closed() {},
      drained() {},
      connected() {},
    }
    server.once('connection', (accepted) => {
      leg = Leg.adopt(accepted, reader)
    })
    socket.on('error', () => end(false))
    socket.on('data', (bytes) => end(bytes.toString() === 'x'))
    socket.write('x')
  })
}
