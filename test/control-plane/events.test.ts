/** What is worth knowing is told once, is over when it is over, and people's words outlive us. */
import t from 'tap'
import { EVENTS_MAX, Events } from '../../control-plane/events.ts'
import type { Event } from '../../wire/gen/airspace_pb.ts'
import { Plane } from './running.ts'

/** Asks until it is so: events come with the beat of a second. */
async function event(plane: Plane, test: (event: Event) => boolean): Promise<Event> {
  const control = plane.control('viewer')
  for (let tries = 0; tries < 100; tries += 1) {
    const { events } = await control.ask('getEvents', { limit: 100 })
    const found = events.find(test)
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('no such event within 10 s')
}

t.test('a silent node is an event, over when it is heard again', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const node = plane.node('n-a').follow()
  await node.until('a plan', () => node.plans.length > 0)
  node.cut()
  const silent = await event(plane, ({ kind }) => kind === 'node-silent')
  t.match(silent, {
    ...{ over: false, author: 'airspace', suggestion: 'airspace describe node n-a' },
    text: /node n-a has been silent for \d+ s; it enforces what it had/,
  })
  const beat = setInterval(() => node.plans.length > 0 && node.demand(), 300)
  t.teardown(() => clearInterval(beat))
  node.follow()
  t.match(await event(plane, ({ over }) => over), { id: silent.id, kind: 'node-silent' })
})

t.test('what a person tells is in the ledger, and shown after a restart', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const told = { text: 'payments v7 deployed', target: 'payments' }
  const added = await plane.control().ask('addEvent', told)
  t.match(added, { kind: 'marker', author: 'operator', ...told })
  t.match(await plane.control().ask('getLedger', { limit: 5 }), {
    entries: [{ act: 'event', author: 'operator', text: told.text }],
  })
  await plane.kill()
  await plane.start()
  const { atUnixMs } = await event(plane, ({ text }) => text === told.text)
  t.ok(Math.abs(atUnixMs - added.atUnixMs) < 1_000)
  const { events } = await plane.control().ask('getEvents', { limit: 5, sinceUnixMs: Date.now() })
  t.strictSame(events, [], 'and not as if it were new')
})

t.test('events are bounded, and asked for by time and number', async (t) => {
  const events = new Events('run')
  const happening = { kind: 'marker', source: '', target: '', text: '', suggestion: '', author: '' }
  for (let i = 0; i < EVENTS_MAX + 10; i += 1) events.add(happening, i)
  t.equal(events.since(0, 10_000).length, EVENTS_MAX)
  const newest = events.since(EVENTS_MAX, 3).map(({ wallMs }) => wallMs)
  t.strictSame(newest, [1_007, 1_008, 1_009])
  t.equal(new Set(events.since(0, 10_000).map(({ id }) => id)).size, EVENTS_MAX)
})
