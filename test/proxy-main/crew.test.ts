/** Workers are started, told the same, replaced when they end, and never waited for without end. */
import t, { type Test } from 'tap'
import { Cells, cellsBytes, MAIN } from '../../policies/cells.ts'
import { Crew } from '../../proxy/crew.ts'
import type { Bound } from '../../proxy/thread.ts'
import { clock } from '../../runtime/clock.ts'
import { logger } from '../../runtime/log.ts'

const memory = new SharedArrayBuffer(cellsBytes())
new Cells(memory, MAIN, [1, 2])
const bound = (epoch: number, intents: unknown[] = []): Bound => ({ epoch, intents }) as Bound

function crewOf(t: Test, workers = 2) {
  const heard: string[] = []
  const deaths: [number, boolean][] = []
  const begun: number[] = []
  const crew = new Crew({
    workers,
    entry: new URL('./stub-worker.ts', import.meta.url),
    cells: memory,
    listeners: [],
    clock,
    log: logger('test', () => {}),
    answerWaitMs: 2000,
    began: (worker) => begun.push(worker),
    said: (worker, message) => {
      if (message.type === 'log') heard.push(`${worker} ${message.msg}`.trim())
    },
    died: (worker, asked) => deaths.push([worker, asked]),
  })
  t.teardown(() => crew.stop())
  return { crew, heard, deaths, begun }
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
  if (!done()) throw new Error('it never comes to that')
}

t.test('all begin with what is in force, and a plan is given when all have it', async (t) => {
  const { crew, heard } = crewOf(t)
  t.equal(await crew.start(bound(1), undefined), true)
  t.equal(crew.listening, 2)
  await crew.give(bound(2))
  t.same(heard.filter((line) => line.includes('plan 2')).sort(), ['0 plan 2', '1 plan 2'])
  crew.direct({ manner: 'new' })
  await until(() => heard.filter((line) => line.includes('directory new')).length === 2)
})

for (const how of ['throw', 'terminate', 'heap'] as const) {
  t.test(`one that ends by ${how} is replaced, with the plan and directory of now`, async (t) => {
    const { crew, heard, deaths, begun } = crewOf(t)
    await crew.start(bound(1), undefined)
    crew.direct({ manner: 'kind' })
    await crew.give(bound(5))
    t.equal(crew.crash(1, how, false), true)
    await until(() => begun.length === 3 && crew.listening === 2)
    t.same(deaths, [[1, false]])
    t.same(begun, [0, 1, 1])
    await until(() => heard.includes('1 begun with 5 kind'))
    t.equal(crew.deaths, 1)
    t.equal(heard.filter((line) => line.startsWith('0 begun')).length, 1, 'the other goes on')
  })
}

t.test('a death on the way of a plan delays it, and does not lose it', async (t) => {
  const { crew, deaths, heard } = crewOf(t)
  await crew.start(bound(1), undefined)
  crew.crash(0, 'terminate', true)
  await crew.give(bound(2))
  await until(() => crew.listening === 2)
  t.same(deaths, [[0, true]])
  t.equal(heard.filter((line) => /plan 2|begun with 2/.test(line)).length, 2)
})

t.test(
  'one that does not answer to a plan is ended, and its successor begins with it',
  async (t) => {
    const { crew, heard, deaths } = crewOf(t, 1)
    await crew.start(bound(1), { manner: 'deaf' })
    await crew.give(bound(2))
    t.same(deaths, [[0, false]])
    t.equal(crew.lastDeath, 'took no plan in time')
    await until(() => heard.includes('0 begun with 2 deaf'))
  },
)

t.test('one that dies again and again is replaced ever more slowly', async (t) => {
  const { crew, begun } = crewOf(t, 1)
  await crew.start(bound(1), undefined)
  const atMs: number[] = []
  for (let i = 0; i < 4; i++) {
    crew.crash(0, 'terminate', true)
    const startMs = performance.now()
    const before = begun.length
    await until(() => begun.length > before)
    atMs.push(performance.now() - startMs)
    await until(() => crew.listening === 1)
  }
  t.ok(atMs[3]! > 150, `the fourth time after ${atMs[3]?.toFixed(0)} ms`)
})

t.test('workers that cannot start are no crew', async (t) => {
  const { crew } = crewOf(t)
  t.equal(await crew.start(bound(1, [{}]), { manner: 'stillborn' }), false)
  t.equal(crew.lastDeath, 'cannot bear this plan')
  await crew.stop()
  t.equal(await crew.start(bound(2), { manner: 'stillborn' }), true, 'without that plan they can')
})

t.test('who does not answer a question in time is left out', async (t) => {
  const { crew } = crewOf(t)
  await crew.start(bound(1), { manner: 'mute' })
  t.equal((await crew.ask<'recalled'>('recall', 100)).length, 1)
})

t.test('a drain ends when all have let go, or with its grace', async (t) => {
  const kind = crewOf(t)
  await kind.crew.start(bound(1), undefined)
  const startMs = performance.now()
  await kind.crew.drain(5000)
  t.ok(performance.now() - startMs < 2000)
  const stubborn = crewOf(t)
  await stubborn.crew.start(bound(1), { manner: 'stubborn' })
  await stubborn.crew.drain(50)
  t.same(stubborn.deaths, [])
})
