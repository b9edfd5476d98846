/**
 * HTTP for machines that do not speak gRPC: metrics for whoever has a token, and for probes, which
 * have none, whether we are up (`/healthz`) and can be relied on (`/readyz`).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Log } from '../runtime/log.ts'
import type { Access } from './auth.ts'
import type { Metrics } from './metrics.ts'

/** Scrapers and probes are few; who opens more is told to go. */
const CONNECTIONS_MAX = 256
const HEADERS_MS = 5_000
const REQUEST_MS = 10_000

export interface GatewayParts {
  readonly access: Access
  readonly metrics: Metrics
  /** Why we are not to be relied on; blank when we are. */
  readonly unready: () => string
  readonly log: Log
}

export function gatewayOf(parts: GatewayParts): Server {
  const options = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS }
  const server = createServer(options, (request, response) => {
    answer(parts, request, response).catch((error) => {
      parts.log.error('an answer failed', { url: request.url, error })
      response.destroy()
    })
  })
  server.maxConnections = CONNECTIONS_MAX
  return server
}

async function answer(
  { access, metrics, unready }: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume()
  const path = (request.url ?? '').split('?')[0]
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('cache-control', 'no-store')
  if (path !== '/healthz' && path !== '/readyz' && path !== '/metrics') {
    say(response, 404, 'there is /metrics, /healthz and /readyz')
    return
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    say(response, 405, 'GET it')
    return
  }
  if (path === '/healthz') {
    say(response, 200, 'up')
    return
  }
  if (path === '/readyz') {
    const why = unready()
    say(response, why === '' ? 200 : 503, why === '' ? 'ready' : why)
    return
  }
  const role = access.identify(request.headers.authorization)?.role
  if (role !== 'viewer' && role !== 'operator') {
    response.setHeader('www-authenticate', 'Bearer')
    say(response, role ? 403 : 401, 'the viewer or operator token is needed')
    return
  }
  const { type, text } = await metrics.read()
  response.setHeader('content-type', type)
  response.end(text)
}

function say(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(`${text}\n`)
}
