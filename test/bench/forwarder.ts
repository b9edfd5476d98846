/** A plain Node proxy from npm in front of one target: `forwarder.ts PACKAGE HOST:PORT`. */
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface WebProxy {
  web(request: IncomingMessage, response: ServerResponse): void
  on(event: 'error', listener: (error: Error) => void): void
}
type Create = (options: { target: string; agent: Agent }) => WebProxy
interface Package {
  readonly createProxyServer?: Create
  readonly default?: { readonly createProxyServer?: Create }
}

const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)

async function main(name: string, target: string): Promise<void> {
  const found = (await import(name).catch(() => ({}))) as Package
  const create = found.createProxyServer ?? found.default?.createProxyServer
  if (create === undefined) return void say({ msg: 'missing' })
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const proxy = create({ target: `http://${target}`, agent })
  proxy.on('error', (error) => say({ msg: 'error', error: error.message }))
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    proxy.web(request, response)
  })
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    say({ msg: 'ready', address: `127.0.0.1:${port}` })
  })
}

await main(process.argv[2] ?? '', process.argv[3] ?? '')
