/**
 * The demo's own machinery: what its services do must be so before a story can be told with them.
 */
import t from 'tap'
import { quoted } from '../../cli/demo/command.ts'
import { readDemoFlags } from '../../cli/demo/flags.ts'
import { FrameReader, frame, KEPT, RECORD, record } from '../../cli/demo/frame.ts'
import { roleOf, roster, targetsOf } from '../../cli/demo/roster.ts'
import { Thrash } from '../../cli/demo/thrash.ts'

t.test('frames are read however the bytes are cut', async (t) => {
  const bytes = Buffer.concat([record(300), frame(KEPT, 7), record(1), record(0), frame(KEPT, 9)])
  const whole = [
    [RECORD, 300],
    [KEPT, 7],
    [RECORD, 1],
    [RECORD, 0],
    [KEPT, 9],
  ]
  for (const size of [1, 2, 4, 5, 6, 299, 305, 1_000]) {
    const read: number[][] = []
    const reader = new FrameReader((kind, length) => read.push([kind, length]))
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
    t.same(read, whole, `in pieces of ${size}`)
  }
})

t.test('the router keeps up below its knee and stays down above it', async (t) => {
  const arrivals = (thrash: Thrash, seconds: number, perSecond: number, most: number): number => {
    let done = 0
    for (let ms = 0; ms < seconds * 1000; ms += 5) {
      for (let n = 0; n < (perSecond * 5) / 1000; n += 1) {
        if (thrash.inFlight < most) thrash.enter({ done: () => (done += 1) })
      }
      thrash.work(5, ms)
    }
    return done / seconds
  }
  const perSecond = 200
  const sound = new Thrash(300, 1_000)
  t.ok(arrivals(sound, 5, perSecond, Infinity) > 190, 'a sound one does what comes in')

  const stuck = new Thrash(300, 24)
  stuck.hold(3_000)
  t.ok(arrivals(stuck, 10, perSecond, Infinity) < 10, 'a thrashing one does nothing')
  t.ok(stuck.inFlight > 1_900, 'and has swallowed it all')

  const capped = new Thrash(300, 24)
  capped.hold(3_000)
  t.ok(arrivals(capped, 10, perSecond, 16) > 120, 'with a cap on what is in flight it works')
})

t.test('who gave up is not worked for', async (t) => {
  const thrash = new Thrash(1_000, 1_000)
  let done = 0
  const first = { done: () => (done += 1) }
  thrash.enter(first)
  thrash.enter({ done: () => (done += 10) })
  thrash.abandon(first)
  thrash.work(5, 0)
  t.equal(done, 10)
  t.equal(thrash.inFlight, 0)
})

t.test('everyone called is on stage, and every service is an address of its own', async (t) => {
  const broker = roster.filter(({ kind }) => kind === 'broker')
  const addresses = roster.map(({ address }) => address)
  t.equal(new Set(addresses).size, roster.length - broker.length + 1)
  for (const address of addresses) t.match(address, /^127\.0\.1\.\d+$/)
  for (const { calls, patienceMs } of roster) {
    for (const called of Object.values(calls).flat()) {
      if (called === 'journal') continue
      const deeper = roleOf(called)
      const leaf = Object.keys(deeper.calls).length === 0
      t.ok(leaf || deeper.patienceMs <= patienceMs, `${called} gives up before its callers`)
    }
  }
  t.same(targetsOf('node-a'), ['web', 'catalog', 'orders', 'logbroker', 'inventory', 'router'])
})

t.test('words are quoted for the shell', async (t) => {
  t.equal(quoted('*..logbroker'), `'*..logbroker'`)
  t.equal(quoted('512KiB/s'), '512KiB/s')
  t.equal(quoted("it's"), `'it'\\''s'`)
  t.equal(quoted(''), `''`)
})

t.test('flags that make no sense are refused with what would do', async (t) => {
  t.throws(() => readDemoFlags(['--story', 'green-ruter']), /none of logging-storm, green-router/)
  t.throws(() => readDemoFlags(['--speed', '0']), /--speed: '0' is not between 1 and 10/)
  t.throws(() => readDemoFlags(['--rate', '1.5']), /--rate: '1.5' is not between 1 and 1000/)
  t.throws(() => readDemoFlags(['--nonsense']), /nonsense/)
  t.equal(readDemoFlags(['--help']), undefined)
  t.equal(readDemoFlags(['--headless'])?.speed, 4, 'nobody waits for people that are not there')
  t.equal(readDemoFlags([])?.speed, 1)
})
