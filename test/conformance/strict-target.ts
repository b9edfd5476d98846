/** Node's own server as a target: llhttp, strict, and it tells what it would not take. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Seen {
  readonly requests: string[]
  /** What Node's parser said of what we forwarded. */
  readonly complaints: string[]
}

export async function strictTarget(t: Test): Promise<{ port: number; seen: Seen }> {
  const seen: Seen = { requests: [], complaints: [] }
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    const { method, url } = request
    request.resume().on('end', () => {
      seen.requests.push(`${method} ${url}`)
      response.end('ok')
    })
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A message that stays incomplete, because we cut it, is what it should be.
    const cut = ['ECONNRESET', 'HPE_INVALID_EOF_STATE'].includes(error.code ?? '')
    if (!cut) seen.complaints.push(error.message)
    socket.destroy()
  })
  for (const event of ['upgrade', 'connect']) {
    server.on(event, (request, socket) => {
      seen.requests.push(`${request.method} ${request.url}`)
      socket.end('HTTP/1.1 501 Not Implemented\r\nconnection: close\r\n\r\n')
    })
  }
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, seen }
}
