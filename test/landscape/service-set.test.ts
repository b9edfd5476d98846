/**
 * A selector means what the operator reads in it; what cannot be read is refused with a way out.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type Service, serviceNamed, unknownService } from '../../landscape/service.ts'
import { readSet, SET_TERMS_MAX, SET_TEXT_MAX } from '../../landscape/service-set.ts'

const known = (
  name: string,
  labels: Service['labels'] = {},
  addresses: readonly string[] = [],
): Service => ({ name, labels, addresses, known: true })

const web = known('web', { tier: '1', zone: 'a' }, ['10.1.0.0/16', 'web.example'])
const cart = known('shop/cart', { tier: '3', zone: 'a' }, ['10.2.0.7:8080', '[2001:db8::7]:80'])
const batch = known('batch', { tier: '3', zone: 'b' }, ['10.3.0.1', '192.168.0.1'])
const guest = unknownService('10.9.8.7')
const guest6 = unknownService('2001:db8::99')
const database = unknownService('db.example', 5432)
const all = [web, cart, batch, guest, guest6, database]

const table: [string, Service[]][] = [
  ['*', all],
  ['web', [web]],
  ['we', []],
  ['shop/cart', [cart]],
  ['shop/*', [cart]],
  ['shop', []],
  ['w*', [web]],
  ['  web  ', [web]],
  ['tier=3', [cart, batch]],
  ['tier=3,zone=a', [cart]],
  ['tier=3 , zone=a', [cart]],
  ['web|batch', [web, batch]],
  ['tier=3,zone=b|web', [batch, web]],
  ['web|tier=3,zone=b', [web, batch]],
  ['!web', [cart, batch, guest, guest6, database]],
  ['!unknown,!tier=1', [cart, batch]],
  ['! web,zone=a', [cart]],
  ['web,!web', []],
  ['toString=3', []],
  ['constructor=Object', []],
  ['unknown', [guest, guest6, database]],
  ['unknown/*', [guest, guest6, database]],
  ['unknown/10.9.8.7', [guest]],
  ['unknown/10.9.*', [guest]],
  ['unknown/2001:db8::99', [guest6]],
  ['unknown/db.example:5432', [database]],
  ['10.9.8.7', [guest]],
  ['10.0.0.0/8', [web, cart, batch, guest]],
  ['10.1.0.0/16', [web]],
  ['10.1.2.3', []],
  ['10.2.0.7', [cart]],
  ['192.168.0.0/16', [batch]],
  ['2001:db8::/32', [cart, guest6]],
  ['2001:db8::7', [cart]],
  ['0.0.0.0/0', [web, cart, batch, guest]],
  ['10.0.0.0/8,!10.1.0.0/16,!unknown', [cart, batch]],
]
for (const [text, members] of table) {
  t.test(`'${text}' has ${members.map(({ name }) => name).join(' ') || 'no member'}`, async (t) => {
    const set = readSet(text)
    t.equal(set.text, text.trim())
    const has = all.filter((service) => set.has(service)).map(({ name }) => name)
    t.strictSame(has.sort(), members.map(({ name }) => name).sort())
  })
}

const refused: [string, RegExp][] = [
  ['', /blank is nobody's set; use a name/],
  ['   ', /blank is nobody's set/],
  ['web,', /a blank term in 'web,'/],
  ['web||batch', /a blank term/],
  [',', /a blank term/],
  ['!', /a blank term/],
  ['Web', /cannot read 'Web'; use a name/],
  ['web batch', /cannot read 'web batch'/],
  ['web,Batch', /cannot read 'Batch' in 'web,Batch'/],
  ['a*b', /cannot read 'a\*b'/],
  ['**', /cannot read/],
  ['*web', /cannot read/],
  ['!!web', /cannot read '!web' in '!!web'/],
  ['web..payments', /cannot read 'web..payments'/],
  ['web..*', /cannot read/],
  ['/', /cannot read/],
  ['tier=', /a label is written 'tier=3'/],
  ['=3', /a label is written/],
  ['tier==3', /a label is written/],
  ['tier!=3', /use '!tier=3'/],
  ['10.1.2', /an address is written '10.1.2.3'/],
  ['10.1.2.3.4', /an address is written/],
  ['10.1.2.300', /an address is written/],
  ['10.1.2.3/33', /an address is written/],
  ['10.1.2.*', /cannot read/],
  ['10.1.2.3/8', /use '10.0.0.0\/8' or '10.1.2.3'/],
  ['2001:db8::1/32', /use '2001:db8::\/32' or '2001:db8::1'/],
  ['10.1.2.3:80', /no port here; use '10.1.2.3' or 'unknown\/10.1.2.3:80'/],
  ['web:80', /cannot read 'web:80'/],
  ['a'.repeat(SET_TEXT_MAX + 1), /1025 characters are more than 1024/],
  [new Array(SET_TERMS_MAX + 1).fill('a').join('|'), /has more than 64 terms/],
]
for (const [text, complaint] of refused) {
  t.test(`'${text.slice(0, 30)}' is refused`, async (t) => {
    t.throws(() => readSet(text), { name: 'RangeError', message: complaint })
  })
}

t.test('what is not text is refused', async (t) => {
  for (const given of [undefined, null, 3, {}, ['web']]) {
    t.throws(() => readSet(given as string), { name: 'RangeError', message: /is not text/ })
  }
})

t.test('or, and, not are those of logic', async () => {
  const term = fc.constantFrom('web', 'shop/*', 'tier=3', 'zone=a', 'unknown', '10.0.0.0/8', '*')
  const signed = fc.tuple(fc.boolean(), term).map(([not, text]) => (not ? `!${text}` : text))
  const ands = fc.array(signed, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.array(ands, { minLength: 1, maxLength: 3 }), (choices) => {
      const set = readSet(choices.map((terms) => terms.join(',')).join('|'))
      for (const service of all) {
        const holds = (text: string): boolean =>
          text.startsWith('!') ? !readSet(text.slice(1)).has(service) : readSet(text).has(service)
        assert.equal(
          set.has(service),
          choices.some((terms) => terms.every(holds)),
          set.text,
        )
      }
    }),
  )
})

t.test('the reader ends on any text, with a set or a RangeError', async () => {
  const noise = fc.string({ unit: fc.constantFrom(...'ab19.:/*!,|= []%_-A'), maxLength: 24 })
  fc.assert(
    fc.property(noise, (text) => {
      try {
        readSet(text).has(web)
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }),
    { numRuns: 2000 },
  )
})

t.test('the set of an unknown service by name has it, whatever its address', async (t) => {
  for (const service of [guest, guest6, database, unknownService('2001:db8::1', 80)]) {
    t.ok(readSet(service.name).has(service), service.name)
    t.strictSame(serviceNamed(service.name), service, 'and its name alone tells all of it')
  }
})
