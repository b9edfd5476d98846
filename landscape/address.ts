/**
 * IP addresses and blocks of them (CIDR), as numbers that can be compared. An IPv4 address that is
 * written inside IPv6 (::ffff:10.1.2.3, as dual-stack sockets say it) is the IPv4 address.
 */

/** A single address is a block whose prefix is all of its bits. */
export interface Block {
  readonly bits: 32 | 128
  /** One unsigned 32-bit word, or four, the highest first; zero beyond the prefix. */
  readonly words: readonly number[]
  readonly prefix: number
}

/** Reads 10.1.2.3, 10.1.0.0/16, 2001:db8::1, 2001:db8::/32; undefined when it is none of these. */
export function readBlock(text: string): Block | undefined {
  const slash = text.indexOf('/')
  const words = readWords(slash < 0 ? text : text.slice(0, slash))
  if (words === undefined) return undefined
  const bits = words.length === 1 ? 32 : 128
  const length = slash < 0 ? String(bits) : text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits) return undefined
  return masked({ bits, words, prefix: Number(length) })
}

/** Whether all of `inner` lies in `outer`. The families are strangers: ::/0 holds no IPv4. */
export function holds(outer: Block, inner: Block): boolean {
  if (outer.bits !== inner.bits || outer.prefix > inner.prefix) return false
  return outer.words.every((word, at) => word === (inner.words[at]! & maskOf(outer, at)) >>> 0)
}

/** The same address seen at a shorter prefix: what a table of blocks is looked up by. */
export const widened = (block: Block, prefix: number): Block => masked({ ...block, prefix })

/** The one way an address is written, so that equal ones have equal text (RFC 5952). */
export function writeBlock(block: Block): string {
  const address = block.bits === 32 ? writeV4(block.words[0]!) : writeV6(block.words)
  return block.prefix === block.bits ? address : `${address}/${block.prefix}`
}

/** Splits 10.1.2.3:80, [::1]:80 and pay.example:80; the port is undefined where none is given. */
export function splitPort(text: string): { host: string; port: number | undefined } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  if (match === null) return { host: text.replace(/^\[(.*)\]$/, '$1'), port: undefined }
  return { host: match[1] ?? match[2]!, port: Number(match[3]) }
}

export const joinPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

function maskOf(block: Block, at: number): number {
  const kept = Math.min(32, Math.max(0, block.prefix - at * 32))
  return kept === 0 ? 0 : (-1 << (32 - kept)) >>> 0
}

function masked(block: Block): Block {
  const words = block.words.map((word, at) => (word & maskOf(block, at)) >>> 0)
  return { bits: block.bits, words, prefix: block.prefix }
}

function readWords(text: string): number[] | undefined {
  if (!text.includes(':')) {
    const word = readV4(text)
    return word === undefined ? undefined : [word]
  }
  const words = readV6(text)
  if (words?.[0] === 0 && words[1] === 0 && words[2] === 0xffff) return [words[3]!]
  return words
}

function readV4(text: string): number | undefined {
  const octets = text.split('.')
  // A leading zero is octal to some readers and decimal to others: nobody's address here.
  if (octets.length !== 4 || octets.some((octet) => !/^(0|[1-9]\d{0,2})$/.test(octet))) {
    return undefined
  }
  let word = 0
  for (const octet of octets) {
    if (Number(octet) > 255) return undefined
    word = word * 256 + Number(octet)
  }
  return word
}

function readV6(text: string): number[] | undefined {
  const plain = text.replace(/%[a-z0-9_.-]+$/i, '') // the zone says which interface, not who
  const halves = plain.split('::')
  if (halves.length > 2) return undefined
  const head = readGroups(halves[0]!, halves.length === 1)
  const tail = halves.length === 1 ? [] : readGroups(halves[1]!, true)
  if (head === undefined || tail === undefined) return undefined
  const gap = 8 - head.length - tail.length
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined
  const groups = [...head, ...new Array<number>(gap).fill(0), ...tail]
  return [0, 2, 4, 6].map((at) => groups[at]! * 65_536 + groups[at + 1]!)
}

/** The 16-bit groups between colons; the last may be an IPv4 address (RFC 4291 §2.2). */
function readGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [at, part] of parts.entries()) {
    const v4 = last && at === parts.length - 1 ? readV4(part) : undefined
    if (v4 !== undefined) groups.push(v4 >>> 16, v4 & 0xffff)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

const writeV4 = (word: number): string =>
  `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`

/** RFC 5952 §4: lower case, no leading zeros, the longest run of zero groups as `::`. */
function writeV6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff])
  let start = -1
  let length = 1
  for (let at = 0; at < groups.length; at += 1) {
    let end = at
    while (end < groups.length && groups[end] === 0) end += 1
    if (end - at > length) {
      start = at
      length = end - at
    }
  }
  const text = (some: number[]): string => some.map((group) => group.toString(16)).join(':')
  if (start < 0) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}
