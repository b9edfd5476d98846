/** The admin port: a stranger learns whether it is ready, and nothing else. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Access } from '../../proxy/access.ts'
import { Admin, Misuse, type Office } from '../../proxy/admin.ts'
import { logger } from '../../runtime/log.ts'
import { askHttp } from '../support/fleet.ts'

const OPERATOR = 'c'.repeat(64)

async function admin(t: Test, change: Partial<Office> = {}) {
  const folder = t.testdir({ control: {} })
  const access = new Access(folder, join(folder, 'control', 'node.token'))
  const released: (string | undefined)[] = []
  const office: Office = {
    isReady: () => true,
    ready: () => ({ ready: true }),
    plan: () => ({ revision: 3 }),
    edges: () => ({ edges: [] }),
    metrics: async () => ({ type: 'text/plain; version=0.0.4', text: 'x 1\n' }),
    release: async (id) => {
      released.push(id)
      return id === 'nope' ? [] : ['b1']
    },
    fault: undefined,
    ...change,
  }
  const lines: string[] = []
  const log = logger('test', (line) => lines.push(line))
  const made = new Admin({ host: '127.0.0.1', port: 0 }, access, office, log)
  const address = await made.listen()
  t.teardown(() => made.close())
  const own = readFileSync(join(folder, 'admin.token'), 'utf8').trim()
  return { address, own, folder, released, lines, made }
}

t.test('without a token only readiness is told', async (t) => {
  const { address, own, folder } = await admin(t)
  t.equal((await askHttp(address, 'GET', '/ready')).code, 200)
  const routes = ['GET /plan', 'GET /edges', 'GET /metrics', 'POST /release', 'GET /nothing']
  for (const route of routes) {
    const [method = '', path = ''] = route.split(' ')
    t.equal((await askHttp(address, method, path)).code, 401, route)
    t.equal((await askHttp(address, method, path, 'd'.repeat(64))).code, 401, `${route}, wrong`)
    const near = own.slice(0, -1) + (own.endsWith('0') ? '1' : '0')
    for (const wrong of [near, own.slice(1)]) {
      t.equal((await askHttp(address, method, path, wrong)).code, 401, `${route}, nearly right`)
    }
  }
  t.match((await askHttp(address, 'GET', '/plan', own)).text, /"revision":3/)
  t.equal(statSync(join(folder, 'admin.token')).mode & 0o777, 0o600)
})

t.test("the operator's token opens it too, once it is there", async (t) => {
  const { address, folder } = await admin(t)
  t.equal((await askHttp(address, 'GET', '/plan', OPERATOR)).code, 401)
  writeFileSync(join(folder, 'control', 'operator.token'), `${OPERATOR}\n`)
  t.equal((await askHttp(address, 'GET', '/plan', OPERATOR)).code, 200)
  t.equal((await askHttp(address, 'GET', '/plan', 'd'.repeat(64))).code, 401)
})

t.test('the token stays the same over restarts', async (t) => {
  const folder = join(t.testdir({}), 'deep', 'state')
  new Access(folder, '/nowhere/node.token')
  const first = readFileSync(join(folder, 'admin.token'), 'utf8')
  new Access(folder, '/nowhere/node.token')
  t.equal(readFileSync(join(folder, 'admin.token'), 'utf8'), first)
  t.match(first, /^[0-9a-f]{64}\n$/)
  mkdirSync(join(folder, 'x'))
  t.throws(() => new Access(join(folder, 'admin.token'), ''), /ENOTDIR|EEXIST/)
})

t.test('a release names one or says all; blank means neither', async (t) => {
  const { address, own, released } = await admin(t)
  const post = (body: unknown) => askHttp(address, 'POST', '/release', own, body)
  for (const body of [
    {},
    { id: '' },
    { all: false },
    { id: 'b1', all: true },
    { id: 3 },
    [],
    'x',
  ]) {
    const { code, text } = await post(body)
    t.equal(code, 400, JSON.stringify(body))
    t.match(text, /say|JSON object/)
  }
  t.match(await post({ ids: ['b1'] }), { code: 400, text: /ids: say/ })
  t.same(released, [])
  t.match(await post({ id: 'b1' }), { code: 200, text: /"released":\["b1"\]/ })
  t.match(await post({ all: true }), { code: 200 })
  t.same(released, ['b1', undefined])
  t.match(await post({ id: 'nope' }), { code: 400, text: /not in force/ })
  t.equal((await askHttp(address, 'POST', '/release', own)).code, 400, 'no body at all')
  t.equal((await post({ id: 'x'.repeat(5000) })).code, 400, 'a body beyond its bound')
})

t.test('what is not there, and what cannot be done with it', async (t) => {
  const { address, own } = await admin(t)
  t.match(await askHttp(address, 'GET', '/nothing', own), { code: 404, text: /GET \/plan/ })
  t.equal((await askHttp(address, 'GET', '/release', own)).code, 405)
  t.equal((await askHttp(address, 'POST', '/fault', own, {})).code, 404)
  t.equal((await askHttp(address, 'GET', '/plan?x=1', own)).code, 200)
})

t.test(
  'not ready is 503; a mistake of ours is 500, in the log and not in the answer',
  async (t) => {
    const { address, own, lines } = await admin(t, {
      isReady: () => false,
      ready: () => ({ ready: false }),
      plan: () => {
        throw new Error('a secret')
      },
      fault: () => {
        throw new Misuse('how: is not one of')
      },
    })
    t.equal((await askHttp(address, 'GET', '/ready')).code, 503)
    const failed = await askHttp(address, 'GET', '/plan', own)
    t.equal(failed.code, 500)
    t.notMatch(failed.text, /secret/)
    t.match(lines.join(''), /a secret/)
    t.match(await askHttp(address, 'POST', '/fault', own, {}), { code: 400, text: /how/ })
  },
)

t.test('a port that is taken is named', async (t) => {
  const { address } = await admin(t)
  const access = new Access(t.testdir({}), '/nowhere/node.token')
  const [host = '', port] = address.split(':')
  const other = new Admin(
    { host, port: Number(port) },
    access,
    {} as Office,
    logger('t', () => {}),
  )
  await t.rejects(other.listen(), { message: new RegExp(`--admin: cannot listen on ${address}`) })
})
