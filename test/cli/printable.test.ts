/** Names come from attackers: nothing that acts on a terminal gets out, and nothing is lost. */
import t from 'tap'
import { parse } from 'yaml'
import { json, yaml } from '../../cli/output.ts'
import {
  clipped,
  fitted,
  line,
  NAME_COLUMNS_MAX,
  printable,
  rendered,
  toned,
  width,
} from '../../cli/printable.ts'
import { rows } from '../../cli/table.ts'
import { edgeName, quoted } from '../../cli/words.ts'
import { FakeControl } from '../support/fake-control.ts'
import { CANNED } from './canned.ts'
import { runWith, wordsOf } from './run.ts'
import { HOSTILE } from './scenery.ts'

/** What a terminal would obey: control characters but the line feed, and marks that reorder. */
const ACTING = /[\p{Zl}\p{Zp}]|(?!\n)\p{C}/u

t.test('every hostile name is printed on one line, and acts on nothing', async (t) => {
  for (const name of HOSTILE) {
    for (const text of [printable(name), line`${name}`, edgeName(name, name)]) {
      t.notMatch(text, ACTING, JSON.stringify(name))
      t.notMatch(text, /\n/)
      t.equal(printable(text), text, 'twice is as good as once')
    }
  }
})

t.test('all single characters are escaped or shown as they are', async (t) => {
  const passed: string[] = []
  for (let code = 0; code < 0x10_000; code += 1) {
    const shown = printable(String.fromCodePoint(code))
    if (ACTING.test(shown) || shown.includes('\n')) passed.push(code.toString(16))
  }
  t.strictSame(passed, [])
})

t.test('what was forgotten before is escaped by the terminal', async (t) => {
  const ability = { colour: true, unicode: true }
  t.equal(rendered('a\x1b[31mb\r\n', ability), 'a\\u{1b}[31mb\\u{d}\n')
  t.equal(rendered(toned('bad', 'x'), ability), '\x1b[31mx\x1b[0m')
  t.equal(rendered(toned('bad', 'x'), { colour: false, unicode: true }), 'x')
  t.equal(
    rendered('→ √ é \u{1f600}', { colour: false, unicode: false }),
    '-> ok \\u{e9} \\u{1f600}',
  )
})

t.test('a foreign colour mark colours nothing', async (t) => {
  const text = line`${toned('bad', 'evil')}`
  t.notMatch(rendered(text, { colour: true, unicode: true }), '\x1b')
})

t.test('a name cannot read as an edge, as columns or as a line of its own', async (t) => {
  t.equal(edgeName('web → payments', 'x'), 'web \\u{2192} payments → x')
  t.equal(edgeName('web  9.9k', 'x'), 'web \\u{20}9.9k → x')
  const table = rows([{ title: 'NAME', cell: (name: string) => name }], HOSTILE)
  t.equal(table.length, HOSTILE.length + 1)
  for (const row of table) t.ok(width(row) <= NAME_COLUMNS_MAX, row)
})

t.test('JSON and YAML hold no acting character, and parse back to the same', async (t) => {
  const value = { names: HOSTILE, labels: Object.fromEntries(HOSTILE.map((name) => [name, name])) }
  for (const text of [json(value), yaml(value)]) t.notMatch(text, ACTING)
  t.strictSame(JSON.parse(json(value)), value)
  t.strictSame(parse(yaml(value)), value)
})

t.test('64-bit counts become numbers, what was not measured becomes null', async (t) => {
  t.strictSame(JSON.parse(json({ count: 2n ** 40n, p99Ms: Number.NaN })), {
    count: 2 ** 40,
    p99Ms: null,
  })
})

t.test('cutting keeps both ends of a name and never half a character', async (t) => {
  t.equal(fitted('abcdefghij', 5), 'ab…ij')
  t.equal(fitted('abc', 5), 'abc')
  t.equal(width(fitted('日本語のとても長い名前', 9)) <= 9, true)
  t.equal(width(clipped(toned('bad', 'abcdefghij'), 5)), 5)
})

t.test('a command line survives the shell it is pasted into', async (t) => {
  t.equal(quoted(['web..payments', '--for', '15m']), 'web..payments --for 15m')
  t.equal(quoted(['*..web', "it's", '$(x)', '']), `'*..web' 'it'\\''s' '$(x)' ''`)
})

t.test('no verb lets a hostile name act', async (t) => {
  const control = await new FakeControl({
    ...CANNED['everywhere'],
    ...CANNED['names of attackers'],
  }).start()
  t.teardown(() => control.stop())
  for (const command of [
    'get edges',
    'get edges -o json',
    'get edges -o yaml',
    'get edges -q',
    'get services',
    'get services -o json',
    'top --once',
    'describe edge web..payments',
    'bulkhead web..payments --max-in-flight 3',
    'bulkhead web..payments --max-in-flight 3 -o json',
    "describe service '\u202efdp.exe'",
    "release '\x1b[2Jbh-1'",
    '__complete bulkhead web..',
    "__complete get services ''",
  ]) {
    const { stdout, stderr } = await runWith(control, wordsOf(`airspace ${command}`))
    // Shells split a candidate from its meaning at a tab of ours.
    t.notMatch(command.startsWith('__complete') ? stdout.replaceAll('\t', '') : stdout, ACTING)
    t.notMatch(stderr, ACTING, command)
    t.notMatch(stderr, /^revision 99/m, 'a warning cannot forge a line')
  }
})
