/** Windows are kept until they are acknowledged: over restarts, full bounds and torn files. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { WindowBuffer } from '../../proxy/buffer.ts'
import { SEGMENT_RECORDS } from '../../proxy/segments.ts'
import { logger } from '../../runtime/log.ts'
import { WindowSchema } from '../../wire/gen/airspace_pb.ts'

const quiet = logger('test', () => {})
const windowOf = (epoch: bigint, sequence: number) =>
  create(WindowSchema, { epoch, sequence: BigInt(sequence), lengthMs: 1000 })

const bounds = { windows: 5, bytes: 1_000_000, held: 1_000_000 }

function sequencesIn(buffer: WindowBuffer): number[] {
  const found: number[] = []
  let at = 0
  for (let next = buffer.after(at); next; next = buffer.after(at)) {
    at = next.number
    const window = buffer.read(next)
    if (window) found.push(Number(window.sequence))
  }
  return found
}

t.test('windows come back in order until they are acknowledged', async (t) => {
  const buffer = new WindowBuffer(t.testdir(), 7n, quiet)
  for (let i = 1; i <= 4; i++) buffer.append(windowOf(7n, i))
  t.same(sequencesIn(buffer), [1, 2, 3, 4])
  buffer.acknowledge(7n, 2n)
  t.same(sequencesIn(buffer), [3, 4])
  buffer.acknowledge(6n, 4n)
  t.same(sequencesIn(buffer), [3, 4], 'another epoch is another sequence')
  buffer.acknowledge(7n, 4n)
  t.equal(buffer.size, 0)
  t.equal(buffer.bytes, 0)
})

t.test('a restart sends what the process before had not brought home, oldest first', async (t) => {
  const folder = t.testdir()
  const before = new WindowBuffer(folder, 9n, quiet)
  for (let i = 1; i <= 3; i++) before.append(windowOf(9n, i))
  before.acknowledge(9n, 1n)

  const after = new WindowBuffer(folder, 10n, quiet)
  after.append(windowOf(10n, 1))
  // Acknowledgements are not written down: a window sent twice counts once.
  t.same(sequencesIn(after), [1, 2, 3, 1])
  after.acknowledge(9n, 3n)
  t.same(sequencesIn(after), [1])
  t.same(readdirSync(folder), ['windows-10-0.log'], 'a segment nobody needs is removed')
})

t.test('at the bound the oldest is forgotten and the next one says so', async (t) => {
  const buffer = new WindowBuffer(t.testdir(), 1n, quiet, bounds)
  for (let i = 1; i <= 8; i++) buffer.append(windowOf(1n, i))
  t.same(sequencesIn(buffer), [4, 5, 6, 7, 8])
  t.equal(buffer.forgotten, 3)
  t.equal(buffer.read(buffer.after(0)!)?.forgottenWindows, 3n)
  t.equal(buffer.read(buffer.after(buffer.after(0)!.number)!)?.forgottenWindows, 0n)
})

t.test('segments that are acknowledged leave the disk', async (t) => {
  const folder = t.testdir()
  const buffer = new WindowBuffer(folder, 1n, quiet)
  const many = SEGMENT_RECORDS * 2 + 1
  for (let i = 1; i <= many; i++) buffer.append(windowOf(1n, i))
  t.equal(readdirSync(folder).length, 3)
  buffer.acknowledge(1n, BigInt(SEGMENT_RECORDS))
  t.same(readdirSync(folder).sort(), ['windows-1-1.log', 'windows-1-2.log'])
  t.equal(sequencesIn(buffer).length, SEGMENT_RECORDS + 1)
})

t.test('a torn or changed segment loses only what is torn', async (t) => {
  const folder = t.testdir()
  const before = new WindowBuffer(folder, 1n, quiet)
  for (let i = 1; i <= 3; i++) before.append(windowOf(1n, i))
  const path = join(folder, 'windows-1-0.log')
  const bytes = readFileSync(path)

  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes)
    truncateSync(path, length)
    const found = sequencesIn(new WindowBuffer(folder, 2n, quiet))
    t.same(found, [1, 2, 3].slice(0, Math.floor((length * 3) / bytes.length)), `cut at ${length}`)
  }
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = changed[at]! ^ 0x40
    writeFileSync(path, changed)
    const found = sequencesIn(new WindowBuffer(folder, 2n, quiet))
    t.same(found, [1, 2, 3].slice(0, Math.floor((at * 3) / bytes.length)), `changed at ${at}`)
  }
})

t.test('a window that cannot be read back is dropped and counted', async (t) => {
  const folder = t.testdir()
  const buffer = new WindowBuffer(folder, 1n, quiet)
  for (let i = 1; i <= 3; i++) buffer.append(windowOf(1n, i))
  const path = join(folder, 'windows-1-0.log')
  const bytes = readFileSync(path)
  bytes[bytes.length / 3 + 9]! ^= 1
  writeFileSync(path, bytes)
  t.same(sequencesIn(buffer), [1, 3])
  t.equal(buffer.forgotten, 1)
  t.equal(buffer.read(buffer.after(1)!)?.forgottenWindows, 1n)
})

t.test('without a disk windows wait in memory, up to a bound of their own', async (t) => {
  const folder = join(t.testdir({ file: 'not a folder' }), 'file')
  const one = new WindowBuffer(folder, 1n, quiet)
  one.append(windowOf(1n, 1))
  t.same(sequencesIn(one), [1])
  const few = new WindowBuffer(folder, 1n, quiet, { windows: 9, bytes: 9_999, held: one.bytes * 2 })
  for (let i = 1; i <= 5; i++) few.append(windowOf(1n, i))
  t.same(sequencesIn(few), [4, 5])
  t.equal(few.forgotten, 3)
})
