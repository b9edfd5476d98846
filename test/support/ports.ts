/** Ports of programs that say neither which they were given nor when they accept. */
import { connect, createServer } from 'node:net'

const HOST = '127.0.0.1'

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, fail) => {
    const server = createServer().once('error', fail)
    server.listen(0, HOST, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Waits until something accepts connections there. */
export async function accepts(address: string): Promise<void> {
  const [host = HOST, port = ''] = address.split(':')
  for (let tries = 0; tries < 200; tries += 1) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port: Number(port) })
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (accepted) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${address}: nobody accepts`)
}
