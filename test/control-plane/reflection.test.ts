/**
 * Any gRPC client can look around: health without a token, the description of all calls with one.
 */
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import * as grpc from '@grpc/grpc-js'
import { service as health } from 'grpc-health-check'
import t from 'tap'
import { Plane } from './running.ts'

/** The two fields of the reflection protocol that are needed here, by hand: field 4 and 7. */
const ask = (field: number, text: string): Buffer =>
  Buffer.concat([Buffer.from([(field << 3) | 2, text.length]), Buffer.from(text)])

function reflect(client: grpc.Client, token: string, request: Buffer): Promise<Buffer> {
  const metadata = new grpc.Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  const same = (bytes: Buffer): Buffer => bytes
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
  return new Promise((resolve, reject) => {
    const call = client.makeBidiStreamRequest(path, same, same, metadata)
    call.on('data', resolve)
    call.on('error', reject)
    call.write(request)
    call.end()
  })
}

/** The bytes of a field of the wire type that has a length, wherever it is. */
function fieldOf(bytes: Buffer, wanted: number): Buffer | undefined {
  const varint = (at: number): [number, number] => {
    let [value, scale, end] = [0, 1, at]
    for (; bytes[end]! > 127; end += 1, scale *= 128) value += (bytes[end]! & 127) * scale
    return [value + bytes[end]! * scale, end + 1]
  }
  for (let at = 0; at < bytes.length; ) {
    const [tag, from] = varint(at)
    const [length, begin] = varint(from)
    if (tag >> 3 === wanted) return bytes.subarray(begin, begin + length)
    at = begin + ((tag & 7) === 2 ? length : 0)
  }
  return undefined
}

t.test('reflection gives the file that we were made from', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const client = new grpc.Client(plane.grpc, grpc.credentials.createInsecure())
  t.teardown(() => client.close())
  const token = plane.token('viewer')
  const listed = await reflect(client, token, ask(7, '*'))
  t.match(listed.toString('latin1'), /airspace\.v1\.Operator/)
  t.match(listed.toString('latin1'), /airspace\.v1\.Fleet/)
  const described = await reflect(client, token, ask(4, 'airspace.v1.Operator'))
  const bytes = fieldOf(fieldOf(described, 4)!, 1)!
  const file = fromBinary(FileDescriptorProtoSchema, bytes)
  const operator = createFileRegistry(file, () => undefined).getService('airspace.v1.Operator')
  t.ok(operator?.methods.some(({ name }) => name === 'Apply'))
  t.equal(operator?.method['await']?.methodKind, 'server_streaming')
  await t.rejects(reflect(client, 'f'.repeat(64), ask(7, '*')), { code: 16 })
})

t.test('health is told to whoever asks', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const Client = grpc.makeGenericClientConstructor(health, 'Health')
  const client = new Client(plane.grpc, grpc.credentials.createInsecure())
  t.teardown(() => client.close())
  for (const service of ['', 'airspace.v1.Operator', 'airspace.v1.Fleet']) {
    const answer = await new Promise((resolve, reject) => {
      client['check']!({ service }, (error: Error | null, told: unknown) => {
        if (error) reject(error)
        else resolve(told)
      })
    })
    t.match(answer, { status: 'SERVING' }, service)
  }
})
