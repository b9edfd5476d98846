/**
 * The directory's file, checked once, where it enters: every name, address and label, each
 * complaint with its path. What is kept has one spelling, so that lookups compare text.
 */
import { joinPort, readBlock, splitPort, writeBlock } from './address.ts'
import { isServiceName, isUnknown, OTHER, type Service } from './service.ts'

export const SERVICES_MAX = 10_000
export const ADDRESSES_MAX = 100_000
export const LABELS_MAX = 64
export const LABEL_LENGTH_MAX = 128

type Given = { readonly [key: string]: unknown }

export function readEntries(given: unknown): ReadonlyMap<string, Service> {
  const top = mapping(given, 'directory', 'a mapping such as { services: { web: ... } }')
  only(top, ['services'], 'directory')
  const entries = Object.entries(mapping(top['services'], 'services', 'a mapping of services'))
  if (entries.length > SERVICES_MAX) {
    throw new RangeError(`services: ${entries.length} are more than ${SERVICES_MAX}`)
  }
  const services = new Map<string, Service>()
  const owners = new Map<string, string>()
  for (const [name, entry] of entries) {
    services.set(name, readEntry(name, entry, owners))
    if (owners.size > ADDRESSES_MAX) {
      throw new RangeError(`services.${name}: more than ${ADDRESSES_MAX} addresses in all`)
    }
  }
  return services
}

function readEntry(name: string, given: unknown, owners: Map<string, string>): Service {
  const path = `services.${name}`
  if (!isServiceName(name) || name === OTHER || isUnknown(`${name}/`)) {
    throw new RangeError(
      `services: '${name}' cannot name a service; use a-z 0-9 . _ / - as in 'shop/cart',` +
        " not an address, 'unknown' or 'other'",
    )
  }
  const entry = mapping(given, path, 'a mapping such as { addresses: [10.1.2.3] }')
  only(entry, ['addresses', 'labels'], path)
  const addresses = readAddresses(entry['addresses'], path, name, owners)
  const labels = readLabels(entry['labels'], `${path}.labels`)
  return Object.freeze({ name, labels, addresses, known: true })
}

function readAddresses(
  given: unknown,
  path: string,
  name: string,
  owners: Map<string, string>,
): readonly string[] {
  if (given === undefined) return Object.freeze([])
  if (!Array.isArray(given)) {
    throw new RangeError(`${path}.addresses: ${show(given)} is not a list of addresses`)
  }
  const addresses = given.map((item: unknown, at) => {
    const where = `${path}.addresses[${at}]`
    const address = readAddress(item, where)
    const owner = owners.get(address)
    if (owner !== undefined && owner !== name) {
      throw new RangeError(`${where}: '${address}' belongs to '${owner}' already`)
    }
    owners.set(address, name)
    return address
  })
  return Object.freeze([...new Set(addresses)])
}

/** 10.1.2.3, 10.1.0.0/16, 10.1.2.3:8080, pay.example or pay.example:8080, in one spelling. */
function readAddress(given: unknown, path: string): string {
  const text = typeof given === 'string' ? given.trim() : ''
  const block = readBlock(text)
  if (block !== undefined) {
    const aligned = readBlock(text.replace(/\/.*/, ''))!.words.every(
      (word, at) => word === block.words[at],
    )
    if (aligned) return writeBlock(block)
    throw new RangeError(
      `${path}: '${text}' has bits beyond its prefix; use '${writeBlock(block)}'`,
    )
  }
  const { host, port } = splitPort(text)
  const place = readBlock(host)
  const single = place === undefined ? isHostName(host) : place.prefix === place.bits
  if (!single || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new RangeError(
      `${path}: ${show(given)} is no address; use '10.1.2.3', '10.1.0.0/16', '10.1.2.3:8080',` +
        " '[2001:db8::1]:8080' or 'pay.example'",
    )
  }
  const canonical = place === undefined ? host.toLowerCase() : writeBlock(place)
  return port === undefined ? canonical : joinPort(canonical, port)
}

/** RFC 1123 §2.1; the last label of a name is never all digits, or it was meant as an address. */
const isHostName = (text: string): boolean =>
  text.length <= 253 &&
  /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(
    text,
  )

function readLabels(given: unknown, path: string): Service['labels'] {
  if (given === undefined) return Object.freeze({})
  const entries = Object.entries(mapping(given, path, 'a mapping such as { tier: 1 }'))
  if (entries.length > LABELS_MAX) {
    throw new RangeError(`${path}: ${entries.length} labels are more than ${LABELS_MAX}`)
  }
  const labels = entries.map(([label, value]): [string, string] => {
    if (!isLabelWord(label)) {
      throw new RangeError(`${path}: '${label}' cannot name a label; use A-Z a-z 0-9 . _ / -`)
    }
    const plain = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
    if (typeof plain !== 'string' || !isLabelWord(plain)) {
      throw new RangeError(`${path}.${label}: ${show(value)} is no label; use A-Z a-z 0-9 . _ / -`)
    }
    return [label, plain]
  })
  return Object.freeze(Object.fromEntries(labels))
}

const isLabelWord = (text: string): boolean =>
  text.length <= LABEL_LENGTH_MAX && /^[A-Za-z0-9._/-]+$/.test(text)

function mapping(given: unknown, path: string, wouldDo: string): Given {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Given
  throw new RangeError(`${path}: ${show(given)} is not ${wouldDo}`)
}

function only(given: Given, known: readonly string[], path: string): void {
  const stranger = Object.keys(given).find((key) => !known.includes(key))
  if (stranger === undefined) return
  throw new RangeError(`${path}: '${stranger}' is not known here; use ${known.join(' and ')}`)
}

const show = (given: unknown): string =>
  given === undefined ? 'nothing' : (JSON.stringify(given) ?? String(given)).slice(0, 80)
