/**
 * Between the messages of the wire and the plain objects that policies/ reads: 64-bit counts become
 * numbers, a field that was not said is absent, and what this build does not know is refused. It
 * only translates: whether an intent makes sense is for policies/intent.ts and policies/plan.ts.
 */
import { create, type DescMessage, type Message } from '@bufbuild/protobuf'
import type { IntentText } from '../policies/intent.ts'
import type { PlanText } from '../policies/plan.ts'
import {
  type Holding,
  HoldingSchema,
  type Intent,
  IntentSchema,
  type Plan,
  PlanSchema,
  type Setting,
  SettingSchema,
} from './gen/airspace_pb.ts'

type HoldingText = PlanText['holdings'][number]
type SettingText = number | string | boolean

/** What came over the wire cannot be taken: `path` says where, `reason` what is wrong there. */
export class WireError extends RangeError {
  readonly path: string
  readonly reason: string

  constructor(path: string, reason: string) {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.name = 'WireError'
    this.path = path
    this.reason = reason
  }
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** A 64-bit count as a number; what a number cannot hold exactly is refused. */
export function numberOf(value: bigint, path: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    throw new WireError(path, `${value} is more than can be counted exactly (2^53)`)
  }
  return Number(value)
}

/**
 * Refuses a message, at any depth, with a field this build does not know. A limit that only a newer
 * build understands must not be half-applied by an older one.
 */
export function refuseUnknown(desc: DescMessage, message: Message, path = ''): void {
  const unknown = message.$unknown?.[0]
  if (unknown) throw new WireError(path, `field number ${unknown.no} is not known to this build`)
  for (const field of desc.fields) {
    if (field.message === undefined) continue
    const holder = message as unknown as Record<string, unknown>
    const at = join(path, field.localName)
    if (field.fieldKind === 'message') {
      const chosen = field.oneof && (holder[field.oneof.localName] as Chosen)
      const value = chosen
        ? chosen.case === field.localName && chosen.value
        : holder[field.localName]
      if (value) refuseUnknown(field.message, value as Message, at)
    } else if (field.fieldKind === 'list') {
      const list = holder[field.localName] as Message[]
      for (const [i, item] of list.entries()) refuseUnknown(field.message, item, `${at}[${i}]`)
    } else if (field.fieldKind === 'map') {
      const map = holder[field.localName] as Record<string, Message>
      for (const [key, item] of Object.entries(map))
        refuseUnknown(field.message, item, join(at, key))
    }
  }
}

interface Chosen {
  readonly case?: string
  readonly value?: unknown
}

const settingToWire = (value: SettingText): Setting => {
  if (typeof value === 'number') {
    return create(SettingSchema, { value: { case: 'number', value } })
  }
  if (typeof value === 'boolean') return create(SettingSchema, { value: { case: 'flag', value } })
  return create(SettingSchema, { value: { case: 'text', value } })
}

function settingFromWire(setting: Setting, path: string): SettingText {
  if (setting.value.case === undefined) throw new WireError(path, 'has no value')
  return setting.value.value
}

/**
 * The fields that an intent may leave unsaid; on the wire their absence can be told from a zero.
 */
const UNSAID = [
  'mode',
  'percent',
  'existing',
  'graceMs',
  'leaseMs',
  'onExpire',
  'rampMs',
  'exempt',
  'per',
] as const

/** Blank means unsaid in these alone: no rule hangs on them. */
const REMARKS = ['id', 'reason', 'owner', 'incident'] as const

export function intentToWire(text: IntentText): Intent {
  const given: Record<string, unknown> = { kind: text.kind, from: text.from, to: text.to }
  for (const name of [...UNSAID, ...REMARKS]) {
    if (text[name] !== undefined) given[name] = text[name]
  }
  const settings: Record<string, Setting> = {}
  for (const [name, value] of Object.entries(text.settings)) settings[name] = settingToWire(value)
  return create(IntentSchema, { ...given, settings })
}

/** Throws a WireError whose path begins with `path`. */
export function intentFromWire(intent: Intent, path = ''): IntentText {
  refuseUnknown(IntentSchema, intent, path)
  return textOf(intent, path)
}

function textOf(intent: Intent, path: string): IntentText {
  const settings: Record<string, SettingText> = {}
  for (const [name, setting] of Object.entries(intent.settings)) {
    settings[name] = settingFromWire(setting, join(path, `settings.${name}`))
  }
  const text: Record<string, unknown> = {
    kind: intent.kind,
    from: intent.from,
    to: intent.to,
    settings,
  }
  for (const name of UNSAID) if (intent[name] !== undefined) text[name] = intent[name]
  for (const name of REMARKS) if (intent[name] !== '') text[name] = intent[name]
  return text as unknown as IntentText
}

export function holdingToWire(text: HoldingText): Holding {
  return create(HoldingSchema, {
    intent: intentToWire(text.intent),
    version: BigInt(text.version),
    remainingMs: text.remainingMs,
    shares: { ...text.shares },
    ...(text.releasingMs === undefined ? {} : { releasingMs: text.releasingMs }),
  })
}

function holdingFromWire(holding: Holding, path: string): HoldingText {
  if (!holding.intent) throw new WireError(path, 'has no intent')
  return {
    intent: textOf(holding.intent, `${path}.intent`),
    version: numberOf(holding.version, `${path}.version`),
    remainingMs: holding.remainingMs,
    shares: { ...holding.shares },
    ...(holding.releasingMs === undefined ? {} : { releasingMs: holding.releasingMs }),
  }
}

export function planToWire(text: PlanText): Plan {
  return create(PlanSchema, {
    ledger: text.ledger,
    revision: BigInt(text.revision),
    edition: BigInt(text.edition),
    holdings: text.holdings.map(holdingToWire),
    digest: text.digest,
  })
}

/** Whole or not at all: throws a WireError with the path of what it cannot take. */
export function planFromWire(plan: Plan): PlanText {
  refuseUnknown(PlanSchema, plan)
  return {
    ledger: plan.ledger,
    revision: numberOf(plan.revision, 'revision'),
    edition: numberOf(plan.edition, 'edition'),
    holdings: plan.holdings.map((holding, i) => holdingFromWire(holding, `holdings[${i}]`)),
    digest: plan.digest,
  }
}
