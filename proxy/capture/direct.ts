/**
 * Capture that needs no privilege: a listener whose connections were all going to one target, as
 * `--direct LISTEN=TARGET[,service=NAME]` says. Laptops, tests and benchmarks are captured so.
 */
import type { Place } from '../identify.ts'
import type { ListenerSpec } from '../thread.ts'

export const placeOf = (listener: ListenerSpec): Place => ({
  host: listener.targetHost,
  port: listener.targetPort,
  service: listener.service,
  speech: 'unknown',
})
