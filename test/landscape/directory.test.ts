/** Who lives where: the most specific entry wins, and whoever is in none still has a name. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { readBlock, writeBlock } from '../../landscape/address.ts'
import { Directory, UNKNOWN_MAX } from '../../landscape/directory.ts'

const directory = (): Directory =>
  Directory.read({
    services: {
      payments: {
        addresses: ['127.0.1.2', '10.1.0.0/16', '10.1.2.3:8080', 'Pay.Example', 'pay.example:81'],
        labels: { tier: 1, zone: 'a', protected: true },
      },
      web: { addresses: ['10.1.2.0/24', '2001:db8::/32', '[2001:db8::7]:80'] },
      cache: { addresses: ['10.1.2.3', '10.0.0.0/8', '2001:db8::7', '::ffff:10.7.7.7'] },
      empty: {},
    },
  })

const sources: [string, string][] = [
  ['127.0.1.2', 'payments'],
  ['::ffff:127.0.1.2', 'payments'],
  ['10.1.9.9', 'payments'],
  ['10.1.2.9', 'web'],
  ['10.1.2.3', 'cache'],
  ['10.200.0.1', 'cache'],
  ['10.7.7.7', 'cache'],
  ['2001:db8::1', 'web'],
  ['2001:DB8:0::7', 'cache'],
  ['127.0.1.3', 'unknown/127.0.1.3'],
  ['::ffff:127.0.1.3', 'unknown/127.0.1.3'],
  ['fe80::1%eth0', 'unknown/fe80::1'],
  ['not-an-address', 'unknown/not-an-address'],
]
for (const [address, name] of sources) {
  t.test(`a caller from ${address} is ${name}`, async (t) => {
    const service = directory().sourceOf(address)
    t.equal(service.name, name)
    t.equal(service.known, !name.startsWith('unknown/'))
  })
}

const targets: [string, number, string][] = [
  ['10.1.2.3', 8080, 'payments'],
  ['10.1.2.3', 8081, 'cache'],
  ['::ffff:10.1.2.3', 8080, 'payments'],
  ['2001:db8::7', 80, 'web'],
  ['2001:db8::7', 81, 'cache'],
  ['pay.example', 80, 'payments'],
  ['PAY.example', 81, 'payments'],
  ['www.pay.example', 80, 'unknown/www.pay.example:80'],
  ['127.0.0.1', 9000, 'unknown/127.0.0.1:9000'],
  ['fe80::1', 9000, 'unknown/[fe80::1]:9000'],
]
for (const [host, port, name] of targets) {
  t.test(`who is called at ${host} port ${port} is ${name}`, async (t) => {
    t.equal(directory().targetOf(host, port).name, name)
  })
}

t.test('a source whose port is in the directory is found by it', async (t) => {
  t.equal(directory().sourceOf('10.1.2.3', 8080).name, 'payments')
  t.equal(directory().sourceOf('10.1.2.3', 50_000).name, 'cache')
})

t.test('labels are text, whatever YAML made of them', async (t) => {
  const { labels } = directory().byName('payments')
  t.strictSame(labels, { tier: '1', zone: 'a', protected: 'true' })
})

t.test('addresses have one spelling', async (t) => {
  t.strictSame(directory().byName('payments').addresses, [
    ...['127.0.1.2', '10.1.0.0/16', '10.1.2.3:8080', 'pay.example', 'pay.example:81'],
  ])
})

t.test(
  'a name without an entry has no labels; one of an unknown service has its address',
  async (t) => {
    t.strictSame(directory().byName('legacy'), { name: 'legacy', labels: {}, known: false })
    t.equal(directory().byName('unknown/10.9.8.7:80').address, '10.9.8.7')
    t.equal(directory().byName('unknown/[::1]:80').address, '::1')
    t.equal(directory().byName('unknown/::1').address, '::1')
    t.equal(directory().byName('unknown/other').address, undefined)
  },
)

t.test('an unknown caller is told apart from others up to a bound', async (t) => {
  const found = Directory.empty()
  const first = found.sourceOf('10.0.0.1')
  for (let at = 1; at < UNKNOWN_MAX; at += 1) found.sourceOf(`10.1.${at >> 8}.${at & 255}`)
  t.equal(found.sourceOf('10.9.9.9').name, 'unknown/other')
  t.equal(found.targetOf('10.9.9.9', 80).name, 'unknown/other')
  t.equal(found.sourceOf('10.0.0.1'), first, 'those that were met before keep their names')
  t.equal(found.sourceOf('10.9.9.9'), found.sourceOf('10.8.8.8'))
})

t.test('the longest block wins, in whatever order they are written', async () => {
  const octet = fc.constantFrom(0, 1, 128, 255)
  const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'))
  const blocks = fc.uniqueArray(fc.tuple(address, fc.integer({ min: 0, max: 32 })), {
    selector: ([text, prefix]) => writeBlock(readBlock(`${text}/${prefix}`)!),
    minLength: 1,
    maxLength: 12,
  })
  fc.assert(
    fc.property(blocks, address, (given, caller) => {
      const texts = given.map(([text, prefix]) => writeBlock(readBlock(`${text}/${prefix}`)!))
      const entries = texts.map((text, at) => [`s${at}`, { addresses: [text] }])
      const longest = given
        .map(([text, prefix], at) => ({ text, prefix, name: `s${at}` }))
        .filter(({ text, prefix }) => {
          const widened = writeBlock(readBlock(`${caller}/${prefix}`)!)
          return widened === writeBlock(readBlock(`${text}/${prefix}`)!)
        })
        .sort((a, b) => b.prefix - a.prefix)[0]
      const found = Directory.read({ services: Object.fromEntries(entries) }).sourceOf(caller)
      assert.equal(found.name, longest?.name ?? `unknown/${caller}`)
    }),
  )
})

const services = (entry: unknown): unknown => ({ services: { web: entry } })
const addresses = (...list: unknown[]): unknown => services({ addresses: list })
const refused: [string, unknown, RegExp][] = [
  ['nothing', undefined, /directory: nothing is not a mapping/],
  ['an empty file', null, /directory: null is not a mapping/],
  ['a list', [], /directory: \[\] is not a mapping/],
  ['no services', {}, /services: nothing is not a mapping/],
  ['another word', { service: {} }, /directory: 'service' is not known here; use services/],
  ['a service without a form', services(null), /services.web: null is not a mapping/],
  ['a misspelt key', services({ adresses: [] }), /services.web: 'adresses' is not known here/],
  [
    'addresses that are no list',
    services({ addresses: '10.1.2.3' }),
    /addresses: "10.1.2.3" is not a/,
  ],
  ['a blank address', addresses(''), /services.web.addresses\[0\]: "" is no address; use/],
  ['a number', addresses(10), /addresses\[0\]: 10 is no address/],
  ['half an address', addresses('10.1.2.3', '10.1.2'), /addresses\[1\]: "10.1.2" is no address/],
  ['a block with a port', addresses('10.1.0.0/16:80'), /is no address/],
  ['port 0', addresses('10.1.2.3:0'), /is no address/],
  ['port 65536', addresses('10.1.2.3:65536'), /is no address/],
  ['bits beyond the prefix', addresses('10.1.2.3/8'), /use '10.0.0.0\/8'/],
  ['a wildcard', addresses('*.example'), /is no address/],
  ['a URL', addresses('http://pay.example'), /is no address/],
  ['labels that are a list', services({ labels: ['a'] }), /web.labels: \["a"\] is not a mapping/],
  ['a blank label', services({ labels: { tier: '' } }), /web.labels.tier: "" is no label/],
  ['a label of labels', services({ labels: { tier: {} } }), /web.labels.tier: {} is no label/],
  ['a label nobody can select', services({ labels: { 'a=b': 1 } }), /'a=b' cannot name a label/],
  ['a service in capitals', { services: { Web: {} } }, /'Web' cannot name a service/],
  ['a blank service', { services: { '': {} } }, /'' cannot name a service/],
  ['two dots', { services: { 'a..b': {} } }, /'a..b' cannot name a service/],
  ['unknown', { services: { unknown: {} } }, /'unknown' cannot name a service/],
  ['unknown/x', { services: { 'unknown/x': {} } }, /'unknown\/x' cannot name a service/],
  ['other', { services: { other: {} } }, /'other' cannot name a service/],
  ['an address as a name', { services: { '10.1.2.3': {} } }, /cannot name a service/],
  ['a long name', { services: { ['a'.repeat(129)]: {} } }, /cannot name a service/],
  [
    'an address of two services',
    { services: { web: { addresses: ['::ffff:10.1.2.3'] }, cart: { addresses: ['10.1.2.3'] } } },
    /services.cart.addresses\[0\]: '10.1.2.3' belongs to 'web' already/,
  ],
]
for (const [what, given, complaint] of refused) {
  t.test(`a directory with ${what} is refused`, async (t) => {
    t.throws(() => Directory.read(given), { name: 'RangeError', message: complaint })
  })
}
