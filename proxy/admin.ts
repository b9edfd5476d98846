/**
 * The node's own port, on loopback: what it enforces, what it sees, and the break-glass release
 * that works when nothing else does. Only readiness is told to strangers.
 *
 *   GET  /ready               200 when every worker carries traffic, else 503; open to all
 *   GET  /plan                what is in force here, and what was released or given back
 *   GET  /edges               every edge's counts since the start
 *   GET  /metrics             the same for Prometheus
 *   POST /release             {"id": "bh-1"} or {"all": true}: on this node alone, at once
 *   POST /fault               {"worker": 0, "how": "throw"}; only with AIRSPACE_FAULTS=1
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Address } from '../runtime/environment.ts'
import type { Log } from '../runtime/log.ts'
import type { Access } from './access.ts'
import { Unable } from './unable.ts'

const BODY_MAX = 4_096
const REQUEST_WAIT_MS = 5_000
const CONNECTIONS_MAX = 64

/** Asks for something that cannot be: 400 with the reason. */
export class Misuse extends RangeError {}

/** What the port shows and does. */
export interface Office {
  readonly isReady: () => boolean
  readonly ready: () => object
  readonly plan: () => object
  readonly edges: () => object
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>
  /** Undefined is all. */
  readonly release: (id: string | undefined) => Promise<readonly string[]>
  /** Absent unless faults were asked for. */
  readonly fault: ((asked: Given) => object) | undefined
}

export type Given = { readonly [name: string]: unknown }

interface Answer {
  readonly status: number
  readonly body: object | string
  readonly type?: string
}

type Route = (request: IncomingMessage) => Promise<Answer>

export class Admin {
  readonly #server: Server
  readonly #address: Address

  constructor(address: Address, access: Access, office: Office, log: Log) {
    this.#address = address
    const routes = routesOf(office)
    this.#server = createServer((request, response) => {
      answer(routes, access, request)
        .catch((error) => {
          log.error('an admin request failed', { url: request.url, error })
          return { status: 500, body: { error: 'a mistake of ours; see the log' } }
        })
        .then((given) => send(response, given))
    })
    this.#server.maxConnections = CONNECTIONS_MAX
    this.#server.requestTimeout = REQUEST_WAIT_MS
    this.#server.headersTimeout = REQUEST_WAIT_MS
  }

  /** Resolves with the address it got; throws an Unable if it cannot have it. */
  listen(): Promise<string> {
    const { host, port } = this.#address
    return new Promise((resolve, refuse) => {
      this.#server.once('error', (error) => {
        refuse(new Unable(`--admin: cannot listen on ${host}:${port} (${error.message})`))
      })
      this.#server.listen(port, host, () => {
        const address = this.#server.address()
        const actual = typeof address === 'object' && address ? address.port : port
        resolve(host.includes(':') ? `[${host}]:${actual}` : `${host}:${actual}`)
      })
    })
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

function routesOf(office: Office): ReadonlyMap<string, Route> {
  const show = (body: () => object): Route => {
    return async () => ({ status: 200, body: body() })
  }
  const routes = new Map<string, Route>([
    ['GET /ready', async () => ({ status: office.isReady() ? 200 : 503, body: office.ready() })],
    ['GET /plan', show(office.plan)],
    ['GET /edges', show(office.edges)],
    [
      'GET /metrics',
      async () => {
        const { type, text } = await office.metrics()
        return { status: 200, body: text, type }
      },
    ],
    [
      'POST /release',
      async (request) => ({
        status: 200,
        body: { released: await release(office, await read(request)) },
      }),
    ],
  ])
  const { fault } = office
  if (fault) {
    routes.set('POST /fault', async (request) => ({
      status: 202,
      body: fault(await read(request)),
    }))
  }
  return routes
}

async function release(office: Office, given: Given): Promise<readonly string[]> {
  const { id, all } = given
  const wrong = Object.keys(given).find((name) => name !== 'id' && name !== 'all')
  if (wrong !== undefined) throw new Misuse(`${wrong}: say {"id": "..."} or {"all": true}`)
  if (all === true && id === undefined) return office.release(undefined)
  if (typeof id === 'string' && id !== '' && all === undefined) {
    const ids = await office.release(id)
    if (ids.length === 0)
      throw new Misuse(`id: '${id}' is not in force on this node; see GET /plan`)
    return ids
  }
  throw new Misuse('say {"id": "..."} or {"all": true}')
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  access: Access,
  request: IncomingMessage,
): Promise<Answer> {
  const path = request.url?.split('?')[0] ?? ''
  if (path !== '/ready' && !access.allows(request.headers.authorization)) {
    const error = 'a token is missing: authorization: Bearer <admin.token of this node>'
    return { status: 401, body: { error } }
  }
  const route = routes.get(`${request.method} ${path}`)
  if (!route) {
    const known = [...routes.keys()]
    const other = known.some((name) => name.endsWith(` ${path}`))
    return { status: other ? 405 : 404, body: { error: `there is ${known.join(', ')}` } }
  }
  try {
    return await route(request)
  } catch (error) {
    if (error instanceof Misuse) return { status: 400, body: { error: error.message } }
    throw error
  }
}

/** A small JSON object. */
async function read(request: IncomingMessage): Promise<Given> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) {
    text += part
    if (text.length > BODY_MAX) throw new Misuse(`the body is longer than ${BODY_MAX} bytes`)
  }
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw new Misuse('the body is not JSON')
  }
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Given
  throw new Misuse('the body is not a JSON object')
}

function send(response: ServerResponse, { status, body, type }: Answer): void {
  const isText = typeof body === 'string'
  const text = isText ? body : `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': type ?? (isText ? 'text/plain; charset=utf-8' : 'application/json'),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  })
  response.end(text)
}
