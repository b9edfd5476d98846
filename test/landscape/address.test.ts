/** Equal addresses have equal text, and a block holds what lies in it and nothing else. */
import assert from 'node:assert/strict'
import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import {
  holds,
  joinPort,
  readBlock,
  splitPort,
  widened,
  writeBlock,
} from '../../landscape/address.ts'

const written = (text: string): string | undefined => {
  const block = readBlock(text)
  return block && writeBlock(block)
}

t.test('is read, and written in one way', async (t) => {
  const table: [string, string][] = [
    ['10.1.2.3', '10.1.2.3'],
    ['255.255.255.255', '255.255.255.255'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['10.1.2.3/16', '10.1.0.0/16'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['200.1.2.3/1', '128.0.0.0/1'],
    ['::1', '::1'],
    ['::', '::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::ffff:a01:203', '10.1.2.3'],
    ['64:ff9b::10.1.2.3', '64:ff9b::a01:203'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1/128', '::1'],
    ['::/0', '::/0'],
  ]
  for (const [text, expected] of table) t.equal(written(text), expected, text)
})

t.test('what is no address is none', async (t) => {
  const table = [
    ...[
      '',
      ' ',
      '10',
      '10.1.2',
      '10.1.2.3.4',
      '256.1.1.1',
      '10.1.2.03',
      '10.1.2.3/33',
      '10.1.2.3/',
    ],
    ...['10.1.2.3/08', '10.1.2.3/-1', '/8', '10.1.2.3:80', '::1::', ':', ':::', '1:2:3:4:5:6:7'],
    ...['1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8', '12345::', 'g::', '::1/129', '[::1]', '1.2.3.4::'],
    ...['pay.example', '0x7f.0.0.1', '::10.1.2.3.4', '10.1.2.3 '],
  ]
  for (const text of table) t.equal(readBlock(text), undefined, `'${text}'`)
})

t.test('reads what the runtime reads, and nothing more', async () => {
  const v6 = fc.array(fc.constantFrom('0', '1', 'db8', 'ffff', '', '00f', '10.0.0.1'), {
    minLength: 1,
    maxLength: 10,
  })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        v6.map((parts) => parts.join(':')),
      ),
      (text) => {
        return (readBlock(text) !== undefined) === (isIP(text) !== 0)
      },
    ),
    { numRuns: 2000 },
  )
})

t.test('is written as the runtime writes it', async () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const block = readBlock(text)!
      if (block.bits === 32) return
      const address = SocketAddress.parse(`[${text}]:1`)!.address
      // The C library still writes ::a.b.c.d for the deprecated form of RFC 4291 §2.5.5.1.
      if (address.startsWith('::') && address.includes('.')) return
      assert.equal(writeBlock(block), address)
      assert.ok(isIPv6(writeBlock(block)))
    }),
    { numRuns: 500 },
  )
})

t.test('a block holds an address exactly when the runtime says so', async () => {
  const base = fc.constantFrom('10.1.2.3', '10.1.2.200', '10.1.3.3', '10.2.2.3', '11.1.2.3')
  fc.assert(
    fc.property(base, fc.integer({ min: 0, max: 32 }), base, (network, prefix, address) => {
      const list = new BlockList()
      list.addSubnet(network, prefix)
      assert.equal(
        holds(readBlock(`${network}/${prefix}`)!, readBlock(address)!),
        list.check(address),
      )
    }),
  )
  const six = fc.constantFrom('2001:db8::1', '2001:db8::ffff', '2001:db8:1::1', '::1', 'fe80::1')
  fc.assert(
    fc.property(six, fc.integer({ min: 0, max: 128 }), six, (network, prefix, address) => {
      const list = new BlockList()
      list.addSubnet(network, prefix, 'ipv6')
      const held = holds(readBlock(`${network}/${prefix}`)!, readBlock(address)!)
      assert.equal(held, list.check(address, 'ipv6'))
    }),
  )
})

t.test('a block holds a block only if it holds all of it', async (t) => {
  const table: [string, string, boolean][] = [
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/16', '10.0.0.0/8', false],
    ['10.1.0.0/16', '10.1.0.0/16', true],
    ['::/0', '10.1.2.3', false],
    ['0.0.0.0/0', '::1', false],
    ['0.0.0.0/0', '255.1.2.3', true],
  ]
  for (const [outer, inner, held] of table) {
    t.equal(holds(readBlock(outer)!, readBlock(inner)!), held, `${inner} in ${outer}`)
  }
})

t.test('is widened to the block it lies in', async (t) => {
  t.equal(writeBlock(widened(readBlock('10.1.2.3')!, 16)), '10.1.0.0/16')
  t.equal(writeBlock(widened(readBlock('2001:db8:1:2::3')!, 48)), '2001:db8:1::/48')
})

t.test('a port is split off and joined again', async (t) => {
  const table: [string, string, number | undefined][] = [
    ['10.1.2.3:80', '10.1.2.3', 80],
    ['10.1.2.3', '10.1.2.3', undefined],
    ['[::1]:80', '::1', 80],
    ['[::1]', '::1', undefined],
    ['::1', '::1', undefined],
    ['pay.example:443', 'pay.example', 443],
  ]
  for (const [text, host, port] of table) {
    t.strictSame(splitPort(text), { host, port }, text)
    if (port !== undefined) t.equal(joinPort(host, port), text)
  }
})
