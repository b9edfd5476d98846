/** An intent read from what was given: defaults, bounds, and who it covers. */
import t from 'tap'
import type { Service } from '../../landscape/service.ts'
import {
  covers,
  describeIntent,
  type IntentText,
  readDraft,
  readIntent,
  writeIntent,
} from '../../policies/intent.ts'
import { intentText, thrownBy } from './world.ts'

const service = (name: string, labels: Record<string, string> = {}): Service => ({
  name,
  labels,
  known: true,
})
const given = intentText({ kind: 'bulkhead', id: 'b1', to: 'payments' })

t.test('intent: what is not said has its default', async (t) => {
  t.same(writeIntent(readIntent(given)), {
    id: 'b1',
    kind: 'bulkhead',
    from: '*',
    to: 'payments',
    settings: { maxInFlight: 1 },
    mode: 'enforce',
    percent: 100,
    existing: 'keep',
    leaseMs: 15 * 60_000,
    onExpire: 'ramp',
    rampMs: 60_000,
    per: 'policy',
    reason: '',
    owner: '',
    incident: '',
  })
  for (const [kind, existing, per] of [
    ['backpressure', 'keep', 'policy'],
    ['breaker', 'keep', 'edge'],
    ['segment', 'drain', 'policy'],
    ['quarantine', 'drain', 'policy'],
  ] as const) {
    const settings = kind === 'backpressure' ? { ratePerSecond: 1 } : {}
    const intent = readIntent(intentText({ kind, to: 'web', settings }))
    t.match(intent, { existing, per }, kind)
  }
})

t.test('intent: what is written is read as the same', async (t) => {
  const all: IntentText = {
    ...given,
    mode: 'observe',
    percent: 12.5,
    existing: 'cut',
    graceMs: 0,
    leaseMs: 60_000,
    onExpire: 'now',
    rampMs: 0,
    exempt: 'probe|ops',
    per: 'source',
    reason: 'it is slow',
    owner: 'anna',
    incident: 'INC-1',
  }
  const written = writeIntent(readIntent(all))
  t.same(written, all)
  t.same(writeIntent(readIntent(written)), written)
  const quarantine = intentText({ kind: 'quarantine', to: 'a', settings: { allow: 'ops' } })
  t.same(writeIntent(readIntent(quarantine)).settings, { direction: 'both', allow: 'ops' })
})

t.test('intent: an operator`s draft has no id yet, and is checked all the same', async (t) => {
  const { id: _id, ...draft } = given
  t.equal(readDraft(draft).id, 'draft')
  t.equal(readDraft({ ...draft, id: '' }).id, 'draft')
  t.equal(readDraft({ ...draft, id: 'b7' }).id, 'b7')
  t.equal(thrownBy(() => readDraft({ ...draft, to: '' })).path, 'to')
  t.throws(() => readDraft(undefined), /undefined is not an intent/)
})

t.test('intent: is about the edges from one set to another', async (t) => {
  const intent = readIntent({ ...given, from: 'web|tier=1', to: 'payments' })
  for (const [source, target, side] of [
    [service('web'), service('payments'), 'on'],
    [service('shop', { tier: '1' }), service('payments'), 'on'],
    [service('shop'), service('payments'), undefined],
    [service('web'), service('orders'), undefined],
    [service('payments'), service('web'), undefined],
  ] as const) {
    t.equal(covers(intent, source, target), side, `${source.name}..${target.name}`)
  }
})

t.test('intent: the exempt and the protected are left alone', async (t) => {
  const web = service('web')
  const guarded = service('dns', { protected: 'true' })
  for (const kind of ['bulkhead', 'quarantine'] as const) {
    const intent = readIntent(intentText({ kind, to: 'payments|dns', exempt: 'probe' }))
    t.ok(covers(intent, web, service('payments')), kind)
    t.notOk(covers(intent, service('probe'), service('payments')), `${kind}: exempt source`)
    t.notOk(covers(intent, web, guarded), `${kind}: protected target`)
    t.notOk(covers(intent, guarded, service('payments')), `${kind}: protected source`)
    t.ok(covers(intent, service('web', { protected: 'false' }), service('payments')))
  }
})

t.test('intent: is described by what was set', async (t) => {
  for (const [kind, more, text] of [
    ['bulkhead', { to: 'web' }, 'bulkhead *..web maxInFlight=1'],
    ['breaker', { from: 'web' }, 'breaker web..*'],
    [
      'backpressure',
      { settings: { ratePerSecond: 200, maxWaitMs: 1500 }, mode: 'observe', percent: 10 },
      'backpressure *..* ratePerSecond=200/s maxWaitMs=1.5s observe 10%',
    ],
    ['quarantine', { to: 'bad', settings: { direction: 'in' } }, 'quarantine *..bad direction=in'],
  ] as const) {
    t.equal(describeIntent(readIntent(intentText({ kind, ...more }))), text)
  }
})
