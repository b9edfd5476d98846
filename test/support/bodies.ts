/**
 * A target that answers in every form HTTP/1.1 has, always the same way: no date, no chance. What
 * it is sent it answers with the hash of.
 *
 *   /hash            sha256 and length of the body    /refuse           417 to an Expect
 *   /bytes/N  /chunked/N  /until-close/N  /cut/N      N bytes, ended four ways
 *   /status/CODE     no body
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Bodies {
  readonly address: string
  close(): void
}

const BYTES_MAX = 16 * 1024 * 1024

/** Not one letter over and over: a piece lost or sent twice must change the hash. */
function bytesOf(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.min(count, BYTES_MAX))
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = 32 + ((at * 7 + (at >> 8)) % 95)
  return bytes
}

function hashBody(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256')
  let length = 0
  request.on('data', (part: Buffer) => {
    hash.update(part)
    length += part.length
  })
  request.on('end', () => response.end(`${length} ${hash.digest('hex')}\n`))
}

function send(how: string, count: number, response: ServerResponse): void {
  const body = bytesOf(count)
  const half = body.length >> 1
  response.setHeader('content-type', 'text/plain')
  if (how === 'until-close') {
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
    response.writeHead(200, { connection: 'close' })
  } else if (how !== 'chunked') {
    response.setHeader('content-length', body.length)
  }
  response.write(body.subarray(0, half))
  if (how === 'cut') setTimeout(() => response.socket?.destroy(), 50)
  else response.end(body.subarray(half))
}

function take(request: IncomingMessage, response: ServerResponse): void {
  response.sendDate = false
  const [, how = '', count = ''] = (request.url ?? '').split('/')
  if (how === 'hash') hashBody(request, response)
  else if (how === 'status') {
    response.writeHead(Number(count))
    response.end()
  } else send(how, Number(count), response)
}

export function startBodies(): Promise<Bodies> {
  const server = createServer({ keepAliveTimeout: 60_000 }, take)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.sendDate = false
    if (request.url === '/refuse') {
      response.writeHead(417, { connection: 'close', 'content-length': 3 })
      response.end('no\n')
      return
    }
    response.writeContinue()
    take(request, response)
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      const close = () => {
        server.closeAllConnections()
        server.close()
      }
      resolve({ address: `127.0.0.1:${port}`, close })
    })
  })
}
