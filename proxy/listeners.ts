/** Where this node listens: every --direct bound once, as all workers are told. */
import type { ProxyConfig } from './config.ts'
import type { Listener } from './crew.ts'
import type { Descriptors } from './descriptors.ts'

const joined = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** Throws an Unable that names the address that cannot be had. */
export function bindAll(direct: ProxyConfig['direct'], descriptors: Descriptors): Listener[] {
  return direct.map(({ listen, target, service }) => {
    const descriptor = descriptors.bind(listen, '--direct')
    const { host, port, family } = descriptor
    return {
      descriptor,
      spec: {
        host,
        port,
        family: family === 6 ? 'ipv6' : 'ipv4',
        targetHost: target.host,
        targetPort: target.port,
        ...(service === undefined ? {} : { service }),
      },
    }
  })
}

/** As the ready line says it: addresses with the ports that the system chose. */
export const listenersText = (listeners: readonly Listener[]) =>
  listeners.map(({ spec }) => ({
    listen: joined(spec.host, spec.port),
    target: joined(spec.targetHost, spec.targetPort),
    ...(spec.service === undefined ? {} : { service: spec.service }),
  }))
