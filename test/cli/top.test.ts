/** `airspace top`: frames are a function of what is known and what was pressed. */
import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { chosen, frame, pressed, type Seen, VIEWING, type Viewing } from '../../cli/frame.ts'
import { run } from '../../cli/main.ts'
import { rendered, width } from '../../cli/printable.ts'
import { LandscapeSchema } from '../../wire/gen/airspace_pb.ts'
import { FakeControl, Refusal } from '../support/fake-control.ts'
import { CANNED } from './canned.ts'
import { FakeTerminal, NOW_MS } from './fake-terminal.ts'
import { runWith } from './run.ts'
import { whole } from './scenery.ts'

const plain = { colour: false, unicode: true }
const seen = (many = 1): Seen => {
  const landscape = create(LandscapeSchema, whole('own', 10_000))
  for (let i = 1; i < many; i += 1) {
    landscape.edges.push(...create(LandscapeSchema, whole('own', 10_000)).edges)
  }
  return { now: landscape, minute: create(LandscapeSchema, whole('own')), atUnixMs: NOW_MS }
}

const press = (keys: string, from: Viewing = VIEWING): Viewing | undefined => {
  let viewing: Viewing | undefined = from
  for (const key of keys.split(' ')) if (viewing) viewing = pressed(viewing, key, 10)
  return viewing
}

t.test('a frame fits any screen', async (t) => {
  for (const [columns, height] of [
    [80, 24],
    [200, 50],
    [40, 10],
    [20, 4],
  ] as const) {
    const lines = frame(seen(100), VIEWING, columns, height)
    t.ok(lines.length <= height, `${lines.length} lines in ${height}`)
    for (const row of lines) t.ok(width(row) <= columns, `${columns}: ${rendered(row, plain)}`)
  }
})

t.test('what is left out is counted', async (t) => {
  const lines = frame(seen(100), VIEWING, 200, 24).map((row) => rendered(row, plain))
  t.match(lines.at(-1), /^ … 279 more edges: [\d.]+k r\/s, worst p99 2\.2s$/)
  t.equal(lines.length, 24)
})

t.test('the heading says how whole and how old', async (t) => {
  const [heading] = frame(seen(), VIEWING, 200, 24).map((row) => rendered(row, plain))
  t.match(heading, /^top edges · window 10 s · sort p99 · 2\/2 nodes, 0\.8 s old +14:06:04 +\[p\]/)
})

t.test('keys', async (t) => {
  t.equal(press('q'), undefined)
  t.equal(press('ctrl-c'), undefined)
  t.equal(press('/ ctrl-c'), undefined)
  t.equal(press('p')?.paused, true)
  t.equal(press('p p')?.paused, false)
  t.equal(press('s')?.sort, 'inflight')
  t.equal(press('down down up')?.first, 1)
  t.equal(press('up')?.first, 0)
  t.equal(press('pagedown')?.first, 10)
  t.strictSame(press('/ w e x backspace b return'), { ...VIEWING, filter: 'web' })
  t.strictSame(press('/ q return'), { ...VIEWING, filter: 'q' }, 'q is a letter while typing')
  t.equal(press('/ w escape')?.filter, '')
  t.equal(press('/ w return escape')?.filter, '')
  t.equal(press('? q')?.help, false, 'any key goes back')
})

t.test('a filter chooses by name, verdict or pattern; ! turns it round', async (t) => {
  const names = (filter: string): string[] =>
    chosen(seen(), { ...VIEWING, filter }).map(({ source, target }) => `${source}..${target}`)
  t.strictSame(names('pay'), ['web..payments'])
  t.strictSame(names('new'), ['batch..orders-db'])
  t.strictSame(names('br-2f0'), ['web..catalog'])
  t.strictSame(names('!web'), ['batch..orders-db'])
  const none = frame(seen(), { ...VIEWING, filter: 'zzz' }, 200, 24).join('\n')
  t.match(none, "no edge has 'zzz'")
})

t.test('the last minute is of the last minute, not of the window', async (t) => {
  const [row] = chosen(seen(), { ...VIEWING, filter: 'payments' })
  t.equal(row?.trendMs.length, 8)
})

t.test('a screen of its own, given back at the end', async (t) => {
  const control = await new FakeControl(CANNED['everywhere']).start()
  t.teardown(() => control.stop())
  const terminal = new FakeTerminal({
    interactive: true,
    columns: 120,
    env: { AIRSPACE_CONTROL: control.address },
  })
  terminal.onFrame = (lines) => {
    t.equal(terminal.isOnScreen, true)
    if (lines.some((row) => row.includes('web → payments'))) terminal.press('q')
  }
  t.equal(await run(['top'], terminal), 0)
  t.equal(terminal.isOnScreen, false)
  t.equal(terminal.stdout, '')
})

t.test('a control plane that goes away is said, over what was last seen', async (t) => {
  let asked = 0
  const control = await new FakeControl({
    getEdges: ({ windowMs }) => {
      asked += 1
      if (asked > 2) throw new Refusal(14, 'connect ECONNREFUSED')
      return whole('own', windowMs)
    },
  }).start()
  t.teardown(() => control.stop())
  const terminal = new FakeTerminal({
    interactive: true,
    env: { AIRSPACE_CONTROL: control.address },
  })
  terminal.onFrame = (lines) => {
    const said = lines.some((row) => row.includes('does not answer'))
    if (said && lines.some((row) => row.includes('web → payments'))) terminal.press('q')
  }
  t.equal(await run(['top'], terminal), 0)
})

t.test('what will not pass ends it, with the screen given back', async (t) => {
  const control = await new FakeControl(CANNED['a stranger']).start()
  t.teardown(() => control.stop())
  const ran = await runWith(control, ['airspace', 'top'], { interactive: true })
  t.equal(ran.exit, 7)
  t.equal(ran.terminal.isOnScreen, false)
})
