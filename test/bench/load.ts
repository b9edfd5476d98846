/**
 * The load: h2load in HTTP/1.1 with 64 kept connections, a fixed number of requests, on the core
 * the proxy is not on. Beside it stands the target, nginx with a short fixed answer.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts, freePort } from '../support/ports.ts'
import { type Processes, programOf, type Running } from '../support/processes.ts'
import { costOf, costSince } from './cost.ts'

export const PROXY_CORE = 0
export const LOAD_CORE = 1
export const CONNECTIONS = 64
/** A run that takes longer is broken, not slow. */
const RUN_WAIT_MS = 60_000

/** What nginx needs to run as anybody, in one process, with everything in a folder of its own. */
export function nginxConfig(folder: string, http: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off; master_process off; worker_processes 1;
pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  ${temp.map((name) => `${name}_temp_path ${folder};`).join(' ')}
  ${http}
}
`
}

export async function startTarget(processes: Processes, folder: string): Promise<string> {
  const nginx = programOf('nginx')
  if (nginx === undefined) throw new Error('the target needs nginx, which is not installed')
  const address = `127.0.0.1:${await freePort()}`
  const body = 'x'.repeat(150)
  const server = `server { listen ${address} backlog=1024; location / { return 200 "${body}"; } }`
  const config = join(folder, 'target.conf')
  writeFileSync(config, nginxConfig(folder, server))
  processes.start('target', nginx, ['-c', config, '-e', 'stderr'], { core: LOAD_CORE })
  await accepts(address)
  return address
}

export interface Run {
  readonly perSecond: number
  readonly userUs: number
  readonly systemUs: number
  readonly totalUs: number
  /** Of one core, while the run lasted: below 0.95 the generator or the target was the limit. */
  readonly busy: number
}

/** Loads `address` with so many requests and says what they cost the process behind it. */
export async function load(
  processes: Processes,
  address: string,
  proxy: Running,
  requests: number,
  answer: '2xx' | '4xx' = '2xx',
): Promise<Run> {
  const h2load = programOf('h2load')
  if (h2load === undefined) throw new Error('the load needs h2load (nghttp2), which is missing')
  const args = ['--h1', '-t1', `-c${CONNECTIONS}`, `-n${requests}`, `http://${address}/`]
  const before = costOf(proxy.pid)
  const run = await processes.run(h2load, args, { core: LOAD_CORE, waitMs: RUN_WAIT_MS })
  const cost = costSince(before, costOf(proxy.pid))
  const answered = Number(new RegExp(`(\\d+) ${answer}`).exec(run.out)?.[1] ?? 0)
  if (answered !== requests) {
    throw new Error(
      `${proxy.name}: ${answered} of ${requests} answered ${answer}\n${run.out}${run.err}`,
    )
  }
  const [, took, unit, perSecond] =
    /finished in ([\d.]+)(us|ms|s), ([\d.]+) req/.exec(run.out) ?? []
  const seconds = Number(took) / ({ us: 1e6, ms: 1e3, s: 1 }[unit ?? ''] ?? Number.NaN)
  return {
    perSecond: Number(perSecond),
    userUs: cost.userUs / requests,
    systemUs: cost.systemUs / requests,
    totalUs: cost.totalUs / requests,
    busy: cost.totalUs / 1e6 / seconds,
  }
}
