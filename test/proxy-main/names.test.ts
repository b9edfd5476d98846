/** Who lives where: a file of the node's own, or the control plane's, kept for when it is away. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DIRECTORY_FILE, Names, readDirectory } from '../../proxy/names.ts'
import { logger } from '../../runtime/log.ts'

const YAML = "services:\n  web:\n    addresses: ['127.0.1.1']\n    labels: { tier: '1' }\n"
const heard: string[] = []
const log = logger('test', (line) => heard.push(line))
const web = (names: Names) => names.directory.sourceOf('127.0.1.1').name

t.test(
  "the control plane's directory is taken, kept, and known again after a restart",
  async (t) => {
    const folder = t.testdir({})
    const names = new Names(folder, undefined, log)
    t.equal(names.given, undefined)
    t.equal(web(names), 'unknown/127.0.1.1')
    t.equal(names.take('v1', YAML), true)
    t.equal(names.take('v1', YAML), false, 'the same again is no news')
    t.equal(web(names), 'web')
    t.equal(web(new Names(folder, undefined, log)), 'web')
  },
)

t.test('one that cannot be read changes nothing', async (t) => {
  const folder = t.testdir({})
  const names = new Names(folder, undefined, log)
  names.take('v1', YAML)
  for (const [i, text] of ['services: [', 'services: { web: 3 }', 'x'.repeat(5e6)].entries()) {
    t.equal(names.take(`bad ${i}`, text), false)
    t.equal(web(names), 'web')
  }
  t.equal(heard.filter((line) => line.includes('the one before stays')).length, 3)
  t.equal(web(new Names(folder, undefined, log)), 'web', 'nor what is on disk')
})

t.test('a damaged one on disk is ignored with an alarm', async (t) => {
  const folder = t.testdir({})
  new Names(folder, undefined, log).take('v1', YAML)
  const path = join(folder, DIRECTORY_FILE)
  writeFileSync(path, readFileSync(path, 'utf8').replace('127.0.1.1', '127.0.1.2'))
  const names = new Names(folder, undefined, log)
  t.equal(names.given, undefined)
  t.match(heard.at(-1), /"level":"error".*checksum/)
})

t.test('with a file of its own a node listens to no other', async (t) => {
  const folder = t.testdir({ 'own.yaml': YAML })
  const names = new Names(folder, join(folder, 'own.yaml'), log)
  t.equal(web(names), 'web')
  t.equal(names.take('v1', 'services: {}\n'), false)
  t.equal(web(names), 'web')
  t.notOk(existsSync(join(folder, DIRECTORY_FILE)))
  t.throws(
    () => new Names(folder, join(folder, 'none.yaml'), log),
    /^--directory: .*none.yaml: ENOENT/,
  )
  writeFileSync(join(folder, 'own.yaml'), 'services: { web: [] }')
  t.throws(() => new Names(folder, join(folder, 'own.yaml'), log), /^--directory: .*web/)
})

t.test('a small text that stands for a large one is refused', async (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 9; i++) {
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  }
  t.throws(() => readDirectory(lines.join('\n')), RangeError)
})
