/**
 * Intents and plans with one thing wrong in each, and the path that the complaint must name. What
 * a careless or a hostile sender may send: blank, zero, negative, unknown, too large, wrong type.
 * None of them may ever be taken to mean everything, or nothing.
 */
import { type IntentText, LEASE_MS_MAX } from '../../policies/intent.ts'
import { digestOf, type HoldingText, type PlanText } from '../../policies/plan.ts'

export type Wrong =
  | 'absent'
  | 'blank'
  | 'zero'
  | 'negative'
  | 'unknown'
  | 'too large'
  | 'too small'
  | 'wrong type'
  | 'contradictory'

export interface Malformed<T> {
  readonly what: string
  readonly wrong: Wrong
  readonly path: string
  /** Of the right shape as far as its type knows; what is in it may be anything. */
  readonly given: T
}

/** A sound intent of each pattern, to be spoilt. */
export const soundIntents: { readonly [kind: string]: IntentText } = {
  bulkhead: intent('bulkhead', { maxInFlight: 10, maxConnections: 5 }),
  backpressure: intent('backpressure', { ratePerSecond: 100, burst: 5, bytesPerSecond: 1e6 }),
  breaker: intent('breaker', { errorRatio: 0.5, slowMs: 100 }),
  segment: intent('segment', { action: 'deny', allow: 'ops' }),
  quarantine: intent('quarantine', { direction: 'in', allow: 'ops' }),
}

function intent(kind: string, settings: IntentText['settings']): IntentText {
  return { id: `${kind}-1`, kind, from: 'web', to: 'payments', settings }
}

const long = 'x'.repeat(2000)
type Bad = readonly [wrong: Wrong, value: unknown]

const notText: readonly Bad[] = [
  ['wrong type', 7],
  ['wrong type', null],
  ['wrong type', ['web']],
  ['wrong type', { name: 'web' }],
  ['wrong type', true],
]
const notSelector: readonly Bad[] = [
  ...notText,
  ['blank', ''],
  ['blank', '   '],
  ['unknown', 'WEB'],
  ['unknown', 'web payments'],
  ['unknown', 'web|'],
  ['unknown', '10.0.0.300'],
  ['too large', `${'x|'.repeat(600)}x`],
]
const notNumber: readonly Bad[] = [
  ['wrong type', '5'],
  ['wrong type', null],
  ['wrong type', true],
  ['wrong type', [5]],
  ['wrong type', Number.NaN],
  ['too large', Number.POSITIVE_INFINITY],
  ['negative', -1],
]
const notWord: readonly Bad[] = [...notText, ['blank', ''], ['unknown', 'maybe']]
const notReason: readonly Bad[] = [...notText, ['too large', long]]

const OF_INTENT: readonly (readonly [field: string, values: readonly Bad[]])[] = [
  [
    'id',
    [...notText, ['absent', undefined], ['blank', ''], ['unknown', 'b 1'], ['too large', long]],
  ],
  ['kind', [...notWord, ['absent', undefined], ['unknown', 'Bulkhead'], ['unknown', 'steer']]],
  ['from', [...notSelector, ['absent', undefined]]],
  ['to', [...notSelector, ['absent', undefined]]],
  [
    'settings',
    [
      ['absent', undefined],
      ['wrong type', null],
      ['wrong type', []],
      ['wrong type', 5],
    ],
  ],
  ['mode', [...notWord, ['unknown', 'enforced']]],
  ['percent', [...notNumber, ['zero', 0], ['too large', 100.1]]],
  ['existing', [...notWord, ['unknown', 'kill']]],
  ['graceMs', [...notNumber, ['too large', 3_600_001]]],
  ['leaseMs', [...notNumber, ['zero', 0], ['too small', 999], ['too large', LEASE_MS_MAX + 1]]],
  ['onExpire', notWord],
  ['rampMs', [...notNumber, ['too large', 3_600_001]]],
  ['exempt', notSelector],
  ['per', [...notWord, ['unknown', 'fleet']]],
  ['reason', notReason],
  ['owner', notReason],
  ['incident', notReason],
  ['ttl', [['unknown', 5]]],
  ['__proto__x', [['unknown', {}]]],
]

const notLimit: readonly Bad[] = [...notNumber, ['zero', 0], ['too large', 1_000_001]]
const notCount: readonly Bad[] = [...notLimit, ['wrong type', 1.5]]

const OF_SETTINGS: { readonly [kind: string]: readonly (readonly [string, readonly Bad[]])[] } = {
  bulkhead: [
    ['maxInFlight', notCount],
    ['maxConnections', notCount],
    ['maxInflight', [['unknown', 5]]],
  ],
  backpressure: [
    ['ratePerSecond', notLimit],
    ['burst', [...notNumber, ['wrong type', 0.5], ['too large', 1_000_001]]],
    ['maxWaitMs', [...notNumber, ['too large', 60_001]]],
    ['maxDelayed', [...notNumber, ['too large', 100_001]]],
    ['smoothMs', [...notNumber, ['too large', 10_001]]],
    ['bytesPerSecond', [...notNumber, ['zero', 0], ['too small', 1023]]],
  ],
  breaker: [
    ['state', [...notWord, ['unknown', 'half-open']]],
    ['errorRatio', [...notNumber, ['zero', 0], ['too large', 1.01]]],
    ['slowMs', [...notNumber, ['zero', 0]]],
    ['slowRatio', [...notNumber, ['zero', 0], ['too large', 50]]],
    ['consecutive', notCount],
    ['minRequests', notCount],
    ['windowMs', [...notNumber, ['zero', 0]]],
    ['openForMs', [...notNumber, ['zero', 0]]],
    ['openForMaxMs', [...notNumber, ['zero', 0]]],
    ['probes', notCount],
    ['jitterRatio', notNumber],
  ],
  segment: [
    ['action', notWord],
    ['allow', notSelector],
  ],
  quarantine: [
    ['direction', notWord],
    ['allow', notSelector],
  ],
}

const spoilt = (value: unknown): string =>
  typeof value === 'string' && value.length > 20
    ? `${value.length} letters`
    : `${JSON.stringify(value)}`

/** `absent` really is absent, as on the wire. */
function put(given: object, name: string, value: unknown): IntentText {
  const changed: { [name: string]: unknown } = { ...given, [name]: value }
  if (value === undefined) delete changed[name]
  return changed as unknown as IntentText
}

function* ofIntents(): Generator<Malformed<IntentText>> {
  const sound = soundIntents['bulkhead']!
  for (const [path, values] of OF_INTENT) {
    for (const [wrong, value] of values) {
      yield { what: `${path} ${spoilt(value)}`, wrong, path, given: put(sound, path, value) }
    }
  }
  for (const [kind, fields] of Object.entries(OF_SETTINGS)) {
    const one = soundIntents[kind]!
    for (const [name, values] of fields) {
      for (const [wrong, value] of values) {
        const given = put(one, 'settings', put(one.settings, name, value))
        yield { what: `${kind} ${name} ${spoilt(value)}`, wrong, path: `settings.${name}`, given }
      }
    }
  }
  yield* contradictions()
}

/** Each field may be right by itself, and all of it wrong. */
function* contradictions(): Generator<Malformed<IntentText>> {
  for (const [kind, change] of [
    ['bulkhead', { settings: {} }],
    ['backpressure', { settings: {} }],
    ['backpressure', { settings: { bytesPerSecond: 1e6, burst: 5 } }],
    ['segment', { from: 'web', to: 'web', settings: { action: 'isolate' } }],
    ['segment', { to: '*', settings: { action: 'allow' } }],
    ['quarantine', { to: '*' }],
  ] as const) {
    const given = { ...soundIntents[kind]!, ...change } as IntentText
    const what = `${kind} ${JSON.stringify(change)}`
    yield { what, wrong: 'contradictory', path: 'settings', given }
  }
}

export const malformedIntents: readonly Malformed<IntentText>[] = [...ofIntents()]

const sound: HoldingText = {
  intent: soundIntents['bulkhead']!,
  version: 3,
  remainingMs: 60_000,
  shares: { maxInFlight: 4 },
}

export function planAround(...holdings: unknown[]): PlanText {
  const held = holdings as HoldingText[]
  const plan = { ledger: 'ledger-1', revision: 7, edition: 2, holdings: held }
  return { ...plan, digest: digestOfAny(plan) }
}

/** Of a plan whatever is wrong in it, so that the digest alone never is what is refused. */
function digestOfAny(plan: { revision: number; edition: number; holdings: HoldingText[] }): string {
  try {
    return digestOf(plan)
  } catch {
    return '0'.repeat(16)
  }
}

const OF_HOLDING: readonly (readonly [field: string, values: readonly Bad[]])[] = [
  ['version', [...notNumber, ['absent', undefined], ['wrong type', 1.5]]],
  ['remainingMs', [...notNumber, ['absent', undefined], ['too large', 1e12]]],
  ['releasingMs', [...notNumber, ['too large', 1e12]]],
  [
    'shares',
    [
      ['wrong type', []],
      ['wrong type', 5],
      ['wrong type', 'x'],
    ],
  ],
  ['until', [['unknown', 5]]],
]

const OF_SHARES: readonly (readonly [field: string, values: readonly Bad[]])[] = [
  ['maxInFlight', [...notNumber, ['too large', 11]]],
  ['ratePerSecond', [['unknown', 5]]],
  ['kind', [['unknown', 'x']]],
]

const OF_PLAN: readonly (readonly [field: string, values: readonly Bad[]])[] = [
  ['ledger', [...notText, ['absent', undefined], ['blank', ''], ['too large', long]]],
  ['revision', [...notNumber, ['absent', undefined], ['wrong type', 0.5]]],
  ['edition', [...notNumber, ['absent', undefined], ['too large', 2 ** 60]]],
  [
    'holdings',
    [
      ['absent', undefined],
      ['wrong type', null],
      ['wrong type', {}],
    ],
  ],
  ['digest', [...notText, ['absent', undefined], ['blank', ''], ['unknown', '0123456789abcdef']]],
  ['term', [['unknown', 1]]],
]

function* ofPlans(): Generator<Malformed<PlanText>> {
  const whole = planAround(sound)
  const changed = (name: string, value: unknown): PlanText =>
    put(whole, name, value) as unknown as PlanText
  for (const [path, values] of OF_PLAN) {
    for (const [wrong, value] of values) {
      yield { what: `plan ${path} ${spoilt(value)}`, wrong, path, given: changed(path, value) }
    }
  }
  for (const [name, values] of OF_HOLDING) {
    for (const [wrong, value] of values) {
      const given = planAround(sound, put({ ...sound, intent: other() }, name, value))
      yield { what: `holding ${name} ${spoilt(value)}`, wrong, path: `holdings[1].${name}`, given }
    }
  }
  for (const [name, values] of OF_SHARES) {
    for (const [wrong, value] of values) {
      const given = planAround(put(sound, 'shares', { [name]: value }))
      const path = `holdings[0].shares.${name}`
      yield { what: `share ${name} ${spoilt(value)}`, wrong, path, given }
    }
  }
  for (const { what, wrong, path, given } of malformedIntents) {
    const full = `holdings[0].intent.${path}`
    yield {
      what: `intent ${what}`,
      wrong,
      path: full,
      given: planAround({ ...sound, shares: {}, intent: given }),
    }
  }
  const twice = 'holdings[1].intent.id'
  yield {
    what: 'one id twice',
    wrong: 'contradictory',
    path: twice,
    given: planAround(sound, sound),
  }
  yield { what: 'no object', wrong: 'wrong type', path: 'plan', given: [] as unknown as PlanText }
}

const other = (): IntentText => ({ ...soundIntents['bulkhead']!, id: 'bulkhead-2' })

export const malformedPlans: readonly Malformed<PlanText>[] = [...ofPlans()]
