/**
 * Signals between the wire and the landscape. What comes from a node is looked at before it is
 * added to anything: a node may be mistaken or taken over, and a sum that one NaN is in is lost.
 */
import { create } from '@bufbuild/protobuf'
import { BUCKETS } from '../landscape/histogram.ts'
import { isServiceName, isUnknown, OTHER } from '../landscape/service.ts'
import type { EdgeCounts } from '../landscape/signal.ts'
import type { EdgeWindow, NodeWindow } from '../landscape/window.ts'
import { numberOf, WireError } from './codec.ts'
import { type EdgeSignal, EdgeSignalSchema, type Window } from './gen/airspace_pb.ts'

/** More calls than any node can make in one window, and more bytes. */
export const CALLS_MAX = 1e8
export const BYTES_MAX = 1e13
/** A window is a second long; a node that was held up may send a longer one. */
export const LENGTH_MS_MAX = 600_000
export const NODE_NAME_MAX = 128
const NAME_MAX = 256

const isName = (name: string): boolean =>
  name === OTHER ||
  isServiceName(name) ||
  (isUnknown(name) && name.length <= NAME_MAX && /^[a-z0-9._:/[\]-]+$/.test(name))

/** As nodes name themselves: what ends up in files, metrics and tables. */
export const isNodeName = (name: string): boolean =>
  name.length <= NODE_NAME_MAX && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name)

function bounded(value: number, max: number, path: string): number {
  if (value >= 0 && value <= max) return value
  throw new WireError(path, `${value} is not between 0 and ${max}`)
}

const calls = (value: bigint | number, path: string): number =>
  bounded(typeof value === 'bigint' ? numberOf(value, path) : value, CALLS_MAX, path)

/** Throws a WireError with the path of the first thing that cannot be so. */
export function edgeFromWire(signal: EdgeSignal, path: string): EdgeWindow {
  const { source, target, protocol } = signal
  if (!isName(source)) throw new WireError(`${path}.source`, 'is not the name of a service')
  if (!isName(target)) throw new WireError(`${path}.target`, 'is not the name of a service')
  if (!/^[a-z0-9-]{0,16}$/.test(protocol)) throw new WireError(`${path}.protocol`, 'is no protocol')
  return {
    source,
    target,
    protocol,
    started: calls(signal.started, `${path}.started`),
    succeeded: calls(signal.succeeded, `${path}.succeeded`),
    failed: calls(signal.failed, `${path}.failed`),
    ignored: calls(signal.ignored, `${path}.ignored`),
    refused: calls(signal.refused, `${path}.refused`),
    connections: calls(signal.connections, `${path}.connections`),
    bytesIn: bounded(signal.bytesIn, BYTES_MAX, `${path}.bytesIn`),
    bytesOut: bounded(signal.bytesOut, BYTES_MAX, `${path}.bytesOut`),
    inFlight: calls(signal.inFlight, `${path}.inFlight`),
    inFlightMax: calls(signal.inFlightMax, `${path}.inFlightMax`),
    connectionsOpen: calls(signal.connectionsOpen, `${path}.connectionsOpen`),
    latencyMaxUs: signal.latencyMaxUs,
    latencySumUs: bounded(signal.latencySumUs, Number.MAX_SAFE_INTEGER, `${path}.latencySumUs`),
    latencyBuckets: bucketsFromWire(signal.latencyBuckets, `${path}.latencyBuckets`),
    idleMs: bounded(signal.idleMs, Number.POSITIVE_INFINITY, `${path}.idleMs`),
  }
}

function bucketsFromWire(pairs: readonly number[], path: string): number[] {
  if (pairs.length % 2 !== 0) throw new WireError(path, 'is not made of pairs')
  if (pairs.length > BUCKETS * 2) throw new WireError(path, `has more than ${BUCKETS} buckets`)
  for (let at = 0; at < pairs.length; at += 2) {
    if (pairs[at]! >= BUCKETS) throw new WireError(path, `there is no bucket ${pairs[at]}`)
    calls(pairs[at + 1]!, path)
  }
  return [...pairs]
}

export function edgeToWire(
  counts: Readonly<EdgeCounts>,
  source: string,
  target: string,
  protocol: string,
): EdgeSignal {
  return create(EdgeSignalSchema, {
    ...counts,
    ...{ source, target, protocol },
    started: BigInt(counts.started),
    succeeded: BigInt(counts.succeeded),
    failed: BigInt(counts.failed),
    ignored: BigInt(counts.ignored),
    refused: BigInt(counts.refused),
    connections: BigInt(counts.connections),
    latencyMaxUs: Math.min(counts.latencyMaxUs, 0xffff_ffff),
  })
}

/** A window, and what of it could not be taken: one wrong edge does not hide the others. */
export interface WindowRead {
  readonly window: NodeWindow
  readonly complaints: readonly WireError[]
}

/** Throws a WireError when not even its place in the order of windows can be read. */
export function windowFromWire(given: Window): WindowRead {
  const epoch = numberOf(given.epoch, 'epoch')
  const sequence = numberOf(given.sequence, 'sequence')
  if (epoch === 0) throw new WireError('epoch', 'is missing')
  if (sequence === 0) throw new WireError('sequence', 'is missing; the first window is 1')
  const unix = Number.MAX_SAFE_INTEGER
  const startUnixMs = bounded(given.startUnixMs, unix, 'startUnixMs')
  const lengthMs = bounded(given.lengthMs, LENGTH_MS_MAX, 'lengthMs')
  const sentUnixMs = bounded(given.sentUnixMs, unix, 'sentUnixMs')
  const forgottenWindows = numberOf(given.forgottenWindows, 'forgottenWindows')
  const edges: EdgeWindow[] = []
  const complaints: WireError[] = []
  for (const [i, signal] of given.edges.entries()) {
    try {
      edges.push(edgeFromWire(signal, `edges[${i}]`))
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      complaints.push(error)
    }
  }
  const window = { epoch, sequence, startUnixMs, lengthMs, sentUnixMs, forgottenWindows, edges }
  return { window, complaints }
}
