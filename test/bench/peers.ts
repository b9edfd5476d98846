/**
 * Who we are compared with: each forwards to the same target with kept connections, in one
 * process on the proxy's core, configured in a folder of its own. What is not installed is said.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fleet } from '../support/fleet.ts'
import { accepts, freePort } from '../support/ports.ts'
import { type Processes, programOf, type Running } from '../support/processes.ts'
import { nginxConfig, PROXY_CORE } from './load.ts'

export interface Peer {
  readonly name: string
  readonly running: Running
  readonly address: string
  /** Where it refuses every request with 429, if it was set up to. */
  readonly refusing?: string
}

export interface Ground {
  readonly processes: Processes
  readonly folder: string
  readonly target: string
}

const core = PROXY_CORE

async function startHaproxy({ processes, folder, target }: Ground): Promise<Peer | undefined> {
  const program = programOf('haproxy')
  if (program === undefined) return undefined
  const address = `127.0.0.1:${await freePort()}`
  const refusing = `127.0.0.1:${await freePort()}`
  const config = join(folder, 'haproxy.cfg')
  const text = `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend forwarding
  bind ${address}
  default_backend target
frontend refusing
  bind ${refusing}
  http-request deny deny_status 429
  default_backend target
backend target
  server target ${target}
`
  writeFileSync(config, text)
  const running = processes.start('HAProxy', program, ['-f', config, '-db'], { core })
  await accepts(address)
  return { name: 'HAProxy', running, address, refusing }
}

async function startNginx({ processes, folder, target }: Ground): Promise<Peer | undefined> {
  const program = programOf('nginx')
  if (program === undefined) return undefined
  const own = join(folder, 'nginx')
  mkdirSync(own)
  const address = `127.0.0.1:${await freePort()}`
  const text = `upstream target { server ${target}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen ${address} backlog=1024;
    location / {
      proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Connection "";
    }
  }`
  const config = join(own, 'nginx.conf')
  writeFileSync(config, nginxConfig(own, text))
  const running = processes.start('nginx', program, ['-c', config, '-e', 'stderr'], { core })
  await accepts(address)
  return { name: 'nginx', running, address }
}

const forwarder = new URL('forwarder.ts', import.meta.url).pathname

/** A proxy of npm's, as its README starts it, with a kept-alive agent. */
export async function startPackage(ground: Ground, name: string): Promise<Peer | undefined> {
  const args = ['--no-deprecation', forwarder, name, ground.target]
  const running = ground.processes.startNode(name, args, { core })
  const ready = await running.line((line) => line['msg'] === 'ready' || line['msg'] === 'missing')
  if (ready['msg'] === 'missing') return undefined
  return { name, running, address: String(ready['address']) }
}

export interface OwnPeer extends Peer {
  readonly fleet: Fleet
}

/** Ours: one worker, signals on as always; a control plane where policies are to be applied. */
export async function startOurs(ground: Ground, control: boolean): Promise<OwnPeer> {
  const { target } = ground
  const [host = '', port = ''] = target.split(':')
  const directory = {
    services: { web: { addresses: ['127.0.0.1'] }, target: { addresses: [`${host}:${port}`] } },
  }
  const fleet = new Fleet(JSON.stringify(directory)) // JSON is YAML
  if (control) await fleet.startControlPlane(1 - core)
  const proxy = await fleet.startProxy({
    node: 'bench',
    workers: 1,
    control,
    core,
    direct: [{ target, service: 'target' }],
  })
  return { name: 'airspace', running: proxy.running, address: proxy.listens[0]!, fleet }
}

export const strangers = [
  { name: 'HAProxy', start: startHaproxy },
  { name: 'nginx', start: startNginx },
  { name: 'http-proxy', start: (ground: Ground) => startPackage(ground, 'http-proxy') },
  { name: 'http-proxy-3', start: (ground: Ground) => startPackage(ground, 'http-proxy-3') },
] as const

export type StrangerName = (typeof strangers)[number]['name']
