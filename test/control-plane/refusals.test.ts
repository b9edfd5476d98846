/**
 * Blank, zero, negative, unknown, too much, of another type: refused with its path, and no entry.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import t from 'tap'
import type { Control, InputOf, Question } from '../../cli/client.ts'
import { IntentSchema, ReleaseRequestSchema } from '../../wire/gen/airspace_pb.ts'
import { bulkhead, Plane } from './running.ts'

type Given = MessageInitShape<typeof IntentSchema>
const number = (value: number) => ({ value: { case: 'number' as const, value } })
const text = (value: string) => ({ value: { case: 'text' as const, value } })
const flag = (value: boolean) => ({ value: { case: 'flag' as const, value } })

/** One field each is wrong; what is said must begin with its path. */
const WRONG: [path: string, intent: Given][] = [
  ['kind', bulkhead('web', 1, { kind: '' })],
  ['kind', bulkhead('web', 1, { kind: 'bulkhaed' })],
  ['kind', bulkhead('web', 1, { kind: 'Bulkhead' })],
  ['from', bulkhead('web', 1, { from: '' })],
  ['from', bulkhead('web', 1, { from: '   ' })],
  ['from', bulkhead('web', 1, { from: 'a b' })],
  ['from', bulkhead('web', 1, { from: '10.1.2.3/8' })],
  ['from', bulkhead('web', 1, { from: 'tier=' })],
  ['from', bulkhead('web', 1, { from: 'x'.repeat(2_000) })],
  ['to', bulkhead('', 1)],
  ['to', bulkhead('!', 1)],
  ['to', bulkhead('web|', 1)],
  ['to', bulkhead('web..payments', 1)],
  ['settings.maxInFlight', bulkhead('web', 0)],
  ['settings.maxInFlight', bulkhead('web', -1)],
  ['settings.maxInFlight', bulkhead('web', 0.5)],
  ['settings.maxInFlight', bulkhead('web', Number.NaN)],
  ['settings.maxInFlight', bulkhead('web', Number.POSITIVE_INFINITY)],
  ['settings.maxInFlight', bulkhead('web', 1e12)],
  ['settings.maxInFlight', bulkhead('web', 1, { settings: { maxInFlight: text('1') } })],
  ['settings.maxInFlight', bulkhead('web', 1, { settings: { maxInFlight: flag(true) } })],
  ['settings.maxInFlight', bulkhead('web', 1, { settings: { maxInFlight: {} } })],
  ['settings.maxInflight', bulkhead('web', 1, { settings: { maxInflight: number(1) } })],
  ['settings', bulkhead('web', 1, { settings: {} })],
  ['settings.ratePerSecond', bulkhead('web', 1, { settings: { ratePerSecond: number(1) } })],
  ['mode', bulkhead('web', 1, { mode: '' })],
  ['mode', bulkhead('web', 1, { mode: 'watch' })],
  ['percent', bulkhead('web', 1, { percent: 0 })],
  ['percent', bulkhead('web', 1, { percent: 101 })],
  ['percent', bulkhead('web', 1, { percent: -5 })],
  ['percent', bulkhead('web', 1, { percent: Number.NaN })],
  ['existing', bulkhead('web', 1, { existing: '' })],
  ['existing', bulkhead('web', 1, { existing: 'kill' })],
  ['graceMs', bulkhead('web', 1, { graceMs: -1 })],
  ['graceMs', bulkhead('web', 1, { graceMs: 1e12 })],
  ['leaseMs', bulkhead('web', 1, { leaseMs: 0 })],
  ['leaseMs', bulkhead('web', 1, { leaseMs: -1 })],
  ['leaseMs', bulkhead('web', 1, { leaseMs: 1 })],
  ['leaseMs', bulkhead('web', 1, { leaseMs: 86_400_001 })],
  ['leaseMs', bulkhead('web', 1, { leaseMs: Number.NaN })],
  ['onExpire', bulkhead('web', 1, { onExpire: '' })],
  ['onExpire', bulkhead('web', 1, { onExpire: 'later' })],
  ['rampMs', bulkhead('web', 1, { rampMs: -1 })],
  ['rampMs', bulkhead('web', 1, { rampMs: 1e12 })],
  ['exempt', bulkhead('web', 1, { exempt: '' })],
  ['exempt', bulkhead('web', 1, { exempt: 'a b' })],
  ['per', bulkhead('web', 1, { per: '' })],
  ['per', bulkhead('web', 1, { per: 'zone' })],
  ['reason', bulkhead('web', 1, { reason: 'x'.repeat(501) })],
  ['owner', bulkhead('web', 1, { owner: 'x'.repeat(501) })],
  ['incident', bulkhead('web', 1, { incident: 'x'.repeat(501) })],
  ['id', bulkhead('web', 1, { id: 'bh-1' })],
]

t.test('malformed intents are refused with path and reason, and change nothing', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  for (const [path, intent] of WRONG) {
    for (const verb of ['apply', 'dryRun'] as const) {
      const refused = await control.ask(verb, { intent }).catch((error: Error) => error)
      const said = refused instanceof Error ? refused.message : 'it was taken'
      t.ok(said.startsWith(`${path}: `), `${verb} ${path}: ${said}`)
    }
  }
  t.match(await control.ask('getStatus', {}), { revision: 0n, alarms: [] })
})

t.test('every other request is read as strictly', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const { ids } = await control.ask('apply', { intent: bulkhead('web', 1) })
  const id = ids[0]!
  const everything = { from: '*', to: '*' }
  const cases: [Question, object, RegExp][] = [
    ['apply', {}, /intent: is missing/],
    ['apply', { intent: bulkhead('web', 1), change: 'bh-zzz' }, /no intent 'bh-zzz'/],
    [
      'apply',
      {
        intent: { kind: 'segment', from: 'a', to: 'b', settings: { action: text('deny') } },
        change: id,
      },
      /change: .* is a bulkhead, and this is a segment/,
    ],
    ['release', {}, /ids: none was given; or say all/],
    ['release', { ids: [id], all: true }, /ids, all: say one of them/],
    ['release', { ids: [id, 'bh-zzz'] }, /no intent 'bh-zzz'/],
    ['release', { ids: [''] }, /no intent ''/],
    ['release', { all: true, reason: 'x'.repeat(501) }, /reason: 501 characters/],
    ['extend', { id: '', forMs: 60_000 }, /no intent ''/],
    ['extend', { id, forMs: 0 }, /forMs: 0 is not between 1s and/],
    ['extend', { id, forMs: -1 }, /forMs/],
    ['extend', { id, forMs: Number.NaN }, /forMs/],
    ['extend', { id, forMs: 86_400_001 }, /forMs/],
    ['undo', { reason: 'x'.repeat(501) }, /reason/],
    ['addEvent', { text: '' }, /text: is blank/],
    ['addEvent', { text: ' \n' }, /text: is blank/],
    ['addEvent', { text: 'x'.repeat(501) }, /text: 501 characters/],
    ['addEvent', { text: 'deployed', source: 'a b' }, /source: 'a b' is not the name/],
    ['forgetNode', { node: '' }, /no node ''/],
    ['getEdges', { from: '', to: '*', windowMs: 10_000 }, /from: .*blank/],
    ['getEdges', { from: '*', to: ' ', windowMs: 10_000 }, /to: .*blank/],
    ['getEdges', { ...everything, windowMs: 0 }, /windowMs: 0 is not between/],
    ['getEdges', { ...everything, windowMs: 900_001 }, /windowMs/],
    ['getEdges', { ...everything, windowMs: Number.NaN }, /windowMs/],
    ['getServices', { set: '' }, /set: .*blank/],
    ['getLedger', { limit: 0 }, /limit: 0 is not between 1 and 1000/],
    ['getLedger', { limit: 1_001 }, /limit/],
    ['getLedger', { limit: 1, after: 2n ** 60n }, /after/],
    ['getEvents', { limit: 0 }, /limit/],
    ['getEvents', { limit: 1, sinceUnixMs: -1 }, /sinceUnixMs/],
    ['getEvents', { limit: 1, sinceUnixMs: Number.NaN }, /sinceUnixMs/],
  ]
  for (const [name, request, complaint] of cases) {
    await t.rejects(control.ask(name, request as InputOf<typeof name>), complaint, complaint.source)
  }
  for (const [revision, waitMs, complaint] of [
    [0n, 1_000, /revision: 0 is not in the ledger/],
    [2n, 1_000, /revision: 2 is not in the ledger; the newest revision is 1/],
    [1n, 0, /waitMs: 0/],
    [1n, 60_001, /waitMs/],
    [1n, Number.NaN, /waitMs/],
  ] as const) {
    await t.rejects(awaited(control, revision, waitMs), complaint)
  }
  t.match(await control.ask('getStatus', {}), { revision: 1n })
})

async function awaited(control: Control, revision: bigint, waitMs: number): Promise<void> {
  for await (const _ of control.follow('await', { revision, waitMs }, 1_000));
}

t.test('a field that this build does not know is refused, not left out', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const unknown = [{ no: 99, wireType: 0, data: Uint8Array.of(1) }]
  const intent = create(IntentSchema, bulkhead('web', 1))
  intent.$unknown = unknown
  await t.rejects(control.ask('apply', { intent }), /intent: field number 99 is not known/)
  const release = create(ReleaseRequestSchema, { all: true })
  release.$unknown = unknown
  await t.rejects(control.ask('release', release), /field number 99 is not known/)
})
