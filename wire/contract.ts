/**
 * The generated services as @grpc/grpc-js wants them. Messages are protobuf-es shapes; 64-bit
 * counts are bigint on the wire side and become numbers where they enter (exact to 2^53).
 */
import {
  type DescMessage,
  type DescService,
  fromBinary,
  type Message,
  toBinary,
} from '@bufbuild/protobuf'
import type * as grpc from '@grpc/grpc-js'

/** More than this in one message is refused by both ends. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024

/** Bytes pass as they are: a plan that goes to a hundred nodes is encoded once. */
export type Encoded = Message | Buffer

const encode = (desc: DescMessage) => (message: Encoded) =>
  Buffer.isBuffer(message) ? message : Buffer.from(toBinary(desc, message))
const decode = (desc: DescMessage) => (bytes: Buffer) => fromBinary(desc, bytes)

export function serviceDefinition(service: DescService): grpc.ServiceDefinition {
  const definition: Record<string, grpc.MethodDefinition<Encoded, Encoded>> = {}
  for (const method of service.methods) {
    const kind = method.methodKind
    definition[method.localName] = {
      path: `/${service.typeName}/${method.name}`,
      originalName: method.localName,
      requestStream: kind === 'client_streaming' || kind === 'bidi_streaming',
      responseStream: kind === 'server_streaming' || kind === 'bidi_streaming',
      requestSerialize: encode(method.input),
      requestDeserialize: decode(method.input),
      responseSerialize: encode(method.output),
      responseDeserialize: decode(method.output),
    }
  }
  return definition
}

/** Options both ends share: bounded messages, and a dead peer is noticed within 20 s. */
export const channelOptions: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
}
