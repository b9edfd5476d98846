/** The way to the control plane, with a real server at its other end. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import t, { type Test } from 'tap'
import { WindowBuffer } from '../../proxy/buffer.ts'
import { type Desk, Follower } from '../../proxy/follow.ts'
import { NO_PLAN, nameOf } from '../../proxy/holdings.ts'
import { Link } from '../../proxy/link.ts'
import { AHEAD_MAX, Reporter } from '../../proxy/report.ts'
import { Backoff } from '../../runtime/backoff.ts'
import { readAddress } from '../../runtime/environment.ts'
import { logger } from '../../runtime/log.ts'
import { RehearsalSchema, WindowSchema } from '../../wire/gen/airspace_pb.ts'
import { FleetServer, TOKEN } from './fleet-server.ts'
import { planText } from './plans.ts'

interface Parts {
  readonly server: FleetServer
  readonly link: Link
  readonly buffer: WindowBuffer
  readonly reporter: Reporter
  readonly follower: Follower
  readonly lines: string[]
  readonly tokenFile: string
}

async function parts(t: Test, { token = TOKEN, listening = true } = {}): Promise<Parts> {
  const folder = t.testdir({})
  const tokenFile = join(folder, 'node.token')
  if (token) writeFileSync(tokenFile, `${token}\n`)
  const server = await new FleetServer().start()
  if (!listening) server.stop()
  const lines: string[] = []
  const log = logger('test', (line) => lines.push(line))
  const buffer = new WindowBuffer(join(folder, 'windows'), 1n, log)
  const reporter = new Reporter(buffer, () => 5000)
  let held = NO_PLAN
  const desk: Desk = {
    hello: () => ({ node: 'a', epoch: 1n, revision: BigInt(held.revision) }),
    held: () => held,
    take: async (plan) => {
      held = nameOf(plan)
      return undefined
    },
    directory: () => {},
    rehearse: async () => create(RehearsalSchema),
  }
  const follower = new Follower(desk, () => 0, log)
  const session = {
    follow: follower.attach.bind(follower),
    report: reporter.attach.bind(reporter),
    ended: () => {
      follower.detach()
      reporter.detach()
    },
  }
  const route = { control: readAddress('x', server.address), tokenFile }
  const link = new Link(route, session, log, new Backoff(5, 20))
  t.teardown(async () => {
    await link.stop(100)
    server.stop()
  })
  return { server, link, buffer, reporter, follower, lines, tokenFile }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 5))

const windowOf = (sequence: number) =>
  create(WindowSchema, { node: 'a', epoch: 1n, sequence: BigInt(sequence) })

t.test('it says hello, takes the plan and brings its windows home', async (t) => {
  const { server, link, buffer, reporter } = await parts(t)
  server.plan = planText({ revision: 3, holdings: [{}] })
  for (const sequence of [1, 2]) buffer.append(windowOf(sequence))
  link.start()
  t.equal((await server.until('ack')).revision, 3n)
  t.equal((await server.until('hello')).node, 'a')
  await reporter.empty()
  t.same(
    server.windows.map(({ sequence }) => sequence),
    [1n, 2n],
  )
  t.equal(server.windows[0]?.sentUnixMs, 5000)
  t.equal(link.following, true)
})

t.test('a control plane that comes back is found again, and told what is new', async (t) => {
  const { server, link, buffer, reporter } = await parts(t)
  server.plan = planText({ revision: 3 })
  link.start()
  await server.until('ack')
  server.stop()
  buffer.append(windowOf(1))
  reporter.send()
  await server.start()
  const hello = await server.until('hello', ({ revision }) => revision === 3n)
  t.equal(hello.revision, 3n, 'it goes on with what it had')
  await reporter.empty()
  t.equal(server.windows.length, 1)
})

t.test('windows that were not acknowledged are sent again on the next stream', async (t) => {
  const { server, link, buffer, reporter } = await parts(t)
  server.plan = planText()
  server.acknowledging = false
  buffer.append(windowOf(1))
  link.start()
  await server.look(() => server.windows.length === 1, 'no window')
  server.stop()
  server.acknowledging = true
  await server.start()
  await reporter.empty()
  t.same(
    server.windows.map(({ sequence }) => sequence),
    [1n, 1n],
  )
})

t.test('it runs ahead of acknowledgements by a bounded number', async (t) => {
  const { server, link, buffer, reporter } = await parts(t)
  server.plan = planText()
  server.acknowledging = false
  for (let i = 1; i <= AHEAD_MAX * 2; i++) buffer.append(windowOf(i))
  link.start()
  await server.look(() => server.windows.length >= AHEAD_MAX, 'too few')
  await server.until('ack')
  for (let i = 0; i < 20; i++) await pause()
  t.equal(server.windows.length, AHEAD_MAX)
  server.stop()
  server.acknowledging = true
  await server.start()
  await reporter.empty()
  t.equal(server.windows.length, AHEAD_MAX * 3)
})

t.test('a token that is not there yet is waited for', async (t) => {
  const { server, link, lines, tokenFile } = await parts(t, { token: '' })
  link.start()
  await new Promise((resolve) => setTimeout(resolve, 60))
  t.equal(server.heard.length, 0)
  t.equal(lines.filter((line) => line.includes('going on alone')).length, 1, 'said once')
  server.plan = planText()
  writeFileSync(tokenFile, TOKEN)
  await server.until('ack')
})

t.test('a wrong token is refused, and tried again when it is another one', async (t) => {
  const { server, link, lines, tokenFile } = await parts(t, { token: 'b'.repeat(64) })
  server.plan = planText()
  link.start()
  for (let i = 0; i < 1000 && !lines.join('').includes('UNAUTHENTICATED'); i++) await pause()
  t.match(lines.join(''), /UNAUTHENTICATED/)
  t.equal(link.following, false)
  writeFileSync(tokenFile, TOKEN)
  await server.until('ack')
})

t.test('the last word goes out before the stream ends', async (t) => {
  const { server, link, follower } = await parts(t)
  server.plan = planText()
  link.start()
  await server.until('ack')
  follower.goodbye()
  await link.stop(1000)
  await server.until('goodbye')
})

t.test('stopping while nobody answers takes no time', async (t) => {
  const { link } = await parts(t, { listening: false })
  link.start()
  const startMs = performance.now()
  await link.stop(5000)
  t.ok(performance.now() - startMs < 1000)
})
