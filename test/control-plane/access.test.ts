/** Every call is let in by a role's token and by nothing else; a new call needs a rule. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import t from 'tap'
import { Access } from '../../control-plane/auth.ts'
import { may, RULES } from '../../control-plane/roles.ts'
import { logger } from '../../runtime/log.ts'
import { channelOptions } from '../../wire/contract.ts'
import { Fleet, Operator } from '../../wire/gen/airspace_pb.ts'
import { Plane } from './running.ts'

const silent = logger('test', () => {})

t.test('every method has a rule, and no rule is for nothing', async (t) => {
  const paths = [Operator, Fleet].flatMap(({ typeName, methods }) => {
    return methods.map(({ name }) => `/${typeName}/${name}`)
  })
  const ruled = Object.keys(RULES).filter((path) => path.startsWith('/airspace.'))
  t.strictSame(ruled.sort(), paths.sort())
  t.notOk(may('operator', '/airspace.v1.Operator/Invented'))
  t.notOk(may('operator', 'toString'))
  const looking = paths.filter((path) => may('viewer', path))
  t.ok(
    looking.every((path) => /\/(Get\w+|Await|DryRun)$/.test(path)),
    'a viewer only looks',
  )
})

t.test('tokens are made once, for their owner alone, and named by their files', async (t) => {
  const folder = t.testdir({
    'anna.operator.token': `${'a'.repeat(64)}\n`,
    'n-7.node.token': 'b'.repeat(64),
    'short.viewer.token': 'abc',
    'odd.king.token': 'c'.repeat(64),
  })
  const access = new Access(folder, silent)
  const token = readFileSync(join(folder, 'operator.token'), 'latin1').trim()
  t.match(token, /^[0-9a-f]{64}$/)
  t.equal(statSync(join(folder, 'operator.token')).mode & 0o777, 0o600)
  t.equal(statSync(join(folder, 'anna.operator.token')).mode & 0o777, 0o600, 'closed to others')
  new Access(folder, silent)
  t.equal(readFileSync(join(folder, 'operator.token'), 'latin1').trim(), token, 'made once')
  t.match(access.identify(`Bearer ${token}`), { name: 'operator', role: 'operator', bound: false })
  t.match(access.identify(`Bearer ${'a'.repeat(64)}`), { name: 'anna', role: 'operator' })
  t.match(access.identify(`Bearer ${'b'.repeat(64)}`), { name: 'n-7', role: 'node', bound: true })
  const wrong = [
    ...[undefined, '', 'Bearer ', token, `bearer ${token}`, `Bearer ${token} `, `Basic ${token}`],
    ...[`Bearer ${'c'.repeat(64)}`, `Bearer ${'0'.repeat(64)}`, `Bearer ${token.slice(1)}`],
  ]
  for (const header of wrong) t.equal(access.identify(header), undefined, `${header}`)
  t.equal(access.refused, wrong.length)
})

/** The status of one call, as any client would make it. */
function statusOf(client: grpc.Client, path: string, token: string): Promise<grpc.status> {
  const metadata = new grpc.Metadata()
  if (token !== '') metadata.set('authorization', `Bearer ${token}`)
  const empty = (): Buffer => Buffer.alloc(0)
  return new Promise((resolve) => {
    const call = client.makeBidiStreamRequest(path, empty, empty, metadata, {
      deadline: Date.now() + 5_000,
    })
    call.on('error', ({ code }: grpc.ServiceError) => resolve(code))
    call.on('status', ({ code }) => resolve(code))
    call.on('data', () => call.cancel())
    call.write({})
    call.end()
  })
}

t.test('on the wire each role does what it may and nothing else', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const client = new grpc.Client(plane.grpc, grpc.credentials.createInsecure(), channelOptions)
  t.teardown(() => client.close())
  const { UNAUTHENTICATED, PERMISSION_DENIED } = grpc.status
  for (const path of Object.keys(RULES)) {
    const open = RULES[path] === 'anybody'
    const none = await statusOf(client, path, '')
    t.equal(none === UNAUTHENTICATED, !open, `${path} without a token`)
    t.equal((await statusOf(client, path, 'f'.repeat(64))) === UNAUTHENTICATED, !open)
    for (const role of ['viewer', 'operator', 'node'] as const) {
      const status = await statusOf(client, path, plane.token(role))
      const passed = status !== UNAUTHENTICATED && status !== PERMISSION_DENIED
      t.equal(passed, may(role, path), `${path} as ${role}: ${grpc.status[status]}`)
    }
  }
  t.match(await plane.control('viewer').ask('getStatus', {}), { revision: 0n })
  await t.rejects(plane.control('viewer').ask('release', { all: true }), /viewer token may not/)
})

t.test('a token of one node speaks for that node alone', async (t) => {
  const state = t.testdir({ 'n-7.node.token': 'b'.repeat(64) })
  const plane = await new Plane(state).start()
  t.teardown(() => plane.end())
  plane.token = () => 'b'.repeat(64)
  const own = plane.node('n-7').follow()
  await own.until('a plan', () => own.plans.length > 0)
  const other = plane.node('n-8').follow()
  await other.until('an end', () => other.status !== undefined)
  t.match(other.status?.details, /this token is n-7's, not that of n-8/)
  const windows = plane.node('n-8')
  windows.window()
  await windows.until('an end', () => windows.status !== undefined)
  t.match(windows.status?.details, /this token is n-7's/)
})

t.test('HTTP: probes need no token, metrics do', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const get = (path: string, token = '', method = 'GET') =>
    fetch(`http://${plane.http}${path}`, {
      method,
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    })
  t.equal((await get('/healthz')).status, 200)
  t.equal((await get('/readyz')).status, 200)
  t.equal((await get('/metrics')).status, 401)
  t.equal((await get('/metrics', 'f'.repeat(64))).status, 401)
  t.equal((await get('/metrics', plane.token('node'))).status, 403)
  for (const role of ['viewer', 'operator']) {
    const answer = await get('/metrics', plane.token(role))
    t.equal(answer.status, 200)
    t.match(await answer.text(), /airspace_control_plane_nodes_expected 0/)
  }
  t.equal((await get('/metrics', plane.token('viewer'), 'POST')).status, 405)
  t.equal((await get('/')).status, 404)
})
