/**
 * A set of services, as an operator writes it:
 *
 *   payments   shop/*   *   tier=3   unknown   unknown/10.9.8.7   10.0.0.0/8   2001:db8::1
 *   !legacy    tier=3,zone=a (and)   web|batch (or)
 *
 * `!` belongs to one term, `,` binds stronger than `|`: `web,!zone=a|batch` is (web and not zone a)
 * or batch. A blank is never everything: it is refused, and so is what cannot be read.
 */
import { type Block, holds, readBlock, splitPort, writeBlock } from './address.ts'
import { isServiceName, isUnknown, looksLikeAddress, type Service, UNKNOWN } from './service.ts'

export interface ServiceSet {
  readonly text: string
  has(service: Service): boolean
}

export const SET_TEXT_MAX = 1024
export const SET_TERMS_MAX = 64

type Test = (service: Service) => boolean

const WOULD_DO =
  "use a name, 'shop/*', 'tier=3', 'unknown', '10.0.0.0/8' or '*'; ',' is and, '|' is or"

/** Throws a RangeError naming the text, the term in it that cannot be read and what would do. */
export function readSet(text: string): ServiceSet {
  if (typeof text !== 'string') throw new RangeError(`service set: ${text} is not text`)
  if (text.length > SET_TEXT_MAX) {
    throw new RangeError(`service set: ${text.length} characters are more than ${SET_TEXT_MAX}`)
  }
  const written = text.trim()
  if (written === '') throw new RangeError(`service set: blank is nobody's set; ${WOULD_DO}`)
  const choices = written.split('|').map((all) => all.split(','))
  if (choices.flat().length > SET_TERMS_MAX) {
    throw new RangeError(`service set: '${written}' has more than ${SET_TERMS_MAX} terms`)
  }
  const tests = choices.map((all) => all.map((term) => readTerm(term.trim(), written)))
  return Object.freeze({
    text: written,
    has: (service: Service) => tests.some((all) => all.every((test) => test(service))),
  })
}

export const EVERYTHING: ServiceSet = readSet('*')

function readTerm(term: string, text: string): Test {
  if (term.startsWith('!')) {
    const test = readPlain(term.slice(1).trim(), text)
    return (service) => !test(service)
  }
  return readPlain(term, text)
}

function readPlain(term: string, text: string): Test {
  if (term === '*') return () => true
  if (term === 'unknown') return (service) => isUnknown(service.name)
  if (looksLikeAddress(term)) return readPlace(term, text)
  if (term.includes('=')) return readLabel(term, text)
  if (isName(term)) return (service) => service.name === term
  if (term.endsWith('*') && isStem(term.slice(0, -1))) {
    const stem = term.slice(0, -1)
    return (service) => service.name.startsWith(stem)
  }
  throw complaint(term, text, WOULD_DO)
}

function readLabel(term: string, text: string): Test {
  const match = /^([A-Za-z0-9._/-]+)=([A-Za-z0-9._/-]+)$/.exec(term)
  if (match === null) {
    const negated = /^([A-Za-z0-9._/-]+)!=(.+)$/.exec(term)
    const hint = negated ? `use '!${negated[1]}=${negated[2]}'` : "a label is written 'tier=3'"
    throw complaint(term, text, hint)
  }
  const [, label, value] = match
  return (service) => service.labels[label!] === value
}

function readPlace(term: string, text: string): Test {
  const block = readBlock(term)
  if (block === undefined) {
    const { host, port } = splitPort(term)
    const hint =
      port !== undefined && readBlock(host) !== undefined
        ? `an address has no port here; use '${host}' or 'unknown/${term}'`
        : "an address is written '10.1.2.3', '10.0.0.0/8', '2001:db8::1' or '2001:db8::/32'"
    throw complaint(term, text, hint)
  }
  // 10.1.2.3/8 would cut sixteen million addresses where one may have been meant.
  const whole = readBlock(term.replace(/\/.*/, ''))!
  const strayed = term.includes('/') && block.words.some((word, at) => word !== whole.words[at])
  if (strayed) throw complaint(term, text, `use '${writeBlock(block)}' or '${writeBlock(whole)}'`)
  return (service) => livesIn(service, block)
}

function livesIn(service: Service, block: Block): boolean {
  if (service.address !== undefined && within(service.address, block)) return true
  return service.addresses?.some((address) => within(address, block)) ?? false
}

/** A whole block of a service lies in the term's block, or it does not; host names never do. */
function within(address: string, block: Block): boolean {
  const found = readBlock(address) ?? readBlock(splitPort(address).host)
  return found !== undefined && holds(block, found)
}

/** Names of unknown services may hold what addresses are made of: `unknown/[::1]:80`. */
const isName = (term: string): boolean =>
  isUnknown(term) ? /^[a-z0-9._:[\]-]+$/.test(term.slice(UNKNOWN.length)) : isServiceName(term)

const isStem = (stem: string): boolean =>
  isUnknown(stem)
    ? /^[a-z0-9._:[\]-]*$/.test(stem.slice(UNKNOWN.length))
    : /^(?!\d+\.)[a-z0-9][a-z0-9._/-]*$/.test(stem) && !stem.includes('..')

function complaint(term: string, text: string, wouldDo: string): RangeError {
  const where = term === text ? '' : ` in '${text}'`
  const what = term === '' ? 'a blank term' : `cannot read '${term}'`
  return new RangeError(`service set: ${what}${where}; ${wouldDo}`)
}
