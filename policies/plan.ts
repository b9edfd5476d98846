/**
 * Every policy at a revision, as a node is told. It is taken whole or refused whole, with the path
 * of what is wrong: `holdings[3].intent.settings.maxInFlight`.
 */
import { hashOf } from './hash.ts'
import { type Intent, IntentError, type IntentText, readIntent } from './intent.ts'
import { effectOf, type Shares } from './ramp.ts'
import { checkNumber, type Fields, type Setting, type SettingsOf, stranger } from './settings.ts'
import { type Given, isObject, show } from './words.ts'

export const PLAN_MAX = 10_000

export interface HoldingText {
  readonly intent: IntentText
  /** The revision that last changed it: a lease is counted once a version. */
  readonly version: number
  readonly remainingMs: number
  readonly shares: Shares
  readonly releasingMs?: number
}

export interface PlanText {
  readonly ledger: string
  readonly revision: number
  readonly edition: number
  readonly holdings: readonly HoldingText[]
  readonly digest: string
}

export interface Holding extends Omit<HoldingText, 'intent'> {
  readonly intent: Intent
}

export interface Plan extends Omit<PlanText, 'holdings'> {
  readonly holdings: readonly Holding[]
}

/** What a worker enforces: an intent with its settings and percent as they are now. */
export interface BoundIntent {
  readonly intent: Intent
  readonly version: number
  readonly settings: SettingsOf<Fields>
  readonly percent: number
}

/** The same, as it is posted to a worker. */
export interface BoundIntentText {
  readonly intent: IntentText
  readonly version: number
  readonly settings: { readonly [name: string]: Setting | undefined }
  readonly percent: number
}

/** Of revision, edition, and the ids and versions of what is held: 16 hexadecimal digits. */
export function digestOf(plan: {
  readonly revision: number
  readonly edition: number
  readonly holdings: readonly {
    readonly intent: { readonly id: string }
    readonly version: number
  }[]
}): string {
  const held = plan.holdings.map(({ intent, version }) => `${intent.id}@${version}`).sort()
  return hashOf([plan.revision, plan.edition, ...held].join('\n'))
}

/** Throws an error with the path of the first thing that is wrong; nothing is taken in part. */
export function readPlan(given: unknown): Plan {
  const plan = readObject(given, '', ['ledger', 'revision', 'edition', 'holdings', 'digest'])
  const { ledger, holdings, digest } = plan
  if (typeof ledger !== 'string' || ledger === '' || ledger.length > 128) {
    throw new IntentError('ledger', `${show(ledger)} is not the name of a ledger`)
  }
  const revision = readCount(plan['revision'], 'revision')
  const edition = readCount(plan['edition'], 'edition')
  if (!Array.isArray(holdings)) {
    throw new IntentError('holdings', `${show(holdings)} is not a list of holdings`)
  }
  if (holdings.length > PLAN_MAX) {
    throw new IntentError('holdings', `${holdings.length} intents are more than ${PLAN_MAX}`)
  }
  const ids = new Set<string>()
  const read = holdings.map((holding: unknown, index) => {
    const one = readHolding(holding, `holdings[${index}]`)
    if (ids.has(one.intent.id)) {
      throw new IntentError(`holdings[${index}].intent.id`, `${show(one.intent.id)} is there twice`)
    }
    ids.add(one.intent.id)
    return one
  })
  const wanted = digestOf({ revision, edition, holdings: read })
  if (digest !== wanted) {
    throw new IntentError('digest', `${show(digest)} is not that of the plan, '${wanted}'`)
  }
  return { ledger, revision, edition, holdings: read, digest }
}

function readHolding(given: unknown, path: string): Holding {
  const names = ['intent', 'version', 'remainingMs', 'shares', 'releasingMs']
  const holding = readObject(given, path, names)
  const intent = readIntent(holding['intent'], `${path}.intent`)
  const releasingMs = holding['releasingMs']
  return {
    intent,
    version: readCount(holding['version'], `${path}.version`),
    remainingMs: readMs(holding['remainingMs'], `${path}.remainingMs`),
    shares: readShares(intent, holding['shares'], `${path}.shares`),
    ...(releasingMs === undefined
      ? {}
      : { releasingMs: readMs(releasingMs, `${path}.releasingMs`) }),
  }
}

/** A share of 0 refuses everything, and is meant: the fleet's limit is spent elsewhere. */
function readShares(intent: Intent, given: unknown, path: string): Shares {
  const { fields } = intent.pattern
  const shared = Object.keys(fields).filter((name) => {
    const field = fields[name]!
    return 'shared' in field && field.shared === true && intent.settings[name] !== undefined
  })
  const shares = readObject(given ?? {}, path, shared)
  for (const [name, share] of Object.entries(shares)) {
    const max = intent.settings[name] as number
    checkNumber({ unit: 'perSecond', min: 0, max }, share, `${path}.${name}`)
  }
  return shares as Shares
}

function readObject(given: unknown, path: string, names: readonly string[]): Given {
  if (!isObject(given)) throw new IntentError(path || 'plan', `${show(given)} is not an object`)
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue
    throw stranger(path === '' ? name : `${path}.${name}`, name, names)
  }
  return given
}

const readCount = (given: unknown, path: string): number =>
  checkNumber({ unit: 'count', min: 0, max: Number.MAX_SAFE_INTEGER }, given, path)

const readMs = (given: unknown, path: string): number =>
  checkNumber({ unit: 'ms', min: 0, max: 31 * 86_400_000 }, given, path)

/** A holding as it is now; undefined when its release has ended. */
export function bind(holding: Holding, releasingMs?: number): BoundIntent | undefined {
  const effect = effectOf(holding.intent, holding.shares, releasingMs)
  return effect && { intent: holding.intent, version: holding.version, ...effect }
}

export const writeBound = (bound: BoundIntent): BoundIntentText => ({
  ...bound,
  intent: bound.intent.text,
})

/** Main has checked it: a share may be 0 here, and a percent too. */
export const readBound = (text: BoundIntentText): BoundIntent => ({
  ...text,
  intent: readIntent(text.intent),
})
