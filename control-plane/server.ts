/**
 * The gRPC port: operators and nodes, each call let in by its token's role before anything of it is
 * read; health for probes, and reflection, so that any gRPC client can look around.
 */
import { toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import * as grpc from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation } from 'grpc-health-check'
import type { Address } from '../runtime/environment.ts'
import { channelOptions, serviceDefinition } from '../wire/contract.ts'
import { Fleet, file_airspace, Operator } from '../wire/gen/airspace_pb.ts'
import type { Access } from './auth.ts'
import type { FollowCall, Following, ReportCall } from './following.ts'
import { may, mayAnybody } from './roles.ts'
import { identityOf } from './statuses.ts'

/** Calls in progress on one connection; a node has two, an operator a few. */
const STREAMS_EACH_MAX = 64
/** How long running calls may take to end when we do. */
const SHUTDOWN_MS = 2_000

export class ControlServer {
  readonly #server: grpc.Server
  readonly #health: HealthImplementation

  constructor(access: Access, operator: grpc.UntypedServiceImplementation, following: Following) {
    const options = { ...channelOptions, 'grpc.max_concurrent_streams': STREAMS_EACH_MAX }
    this.#server = new grpc.Server({ ...options, interceptors: [guard(access)] })
    this.#server.addService(serviceDefinition(Operator), operator)
    this.#server.addService(serviceDefinition(Fleet), {
      follow: (call: FollowCall) => following.follow(call),
      report: (call: ReportCall) => following.report(call),
    })
    this.#health = new HealthImplementation({
      '': 'SERVING',
      [Operator.typeName]: 'SERVING',
      [Fleet.typeName]: 'SERVING',
    })
    this.#health.addToServer(this.#server)
    reflection().addToServer(this.#server)
  }

  /** Where it listens. Throws when it cannot. */
  listen({ host, port }: Address): Promise<string> {
    const at = host.includes(':') ? `[${host}]` : host
    return new Promise((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure()
      this.#server.bindAsync(`${at}:${port}`, credentials, (error, bound) => {
        if (error) reject(error)
        else resolve(`${at}:${bound}`)
      })
    })
  }

  /** Streams of nodes never end by themselves: they are cut after a moment, and nodes go on. */
  async close(): Promise<void> {
    for (const name of ['', Operator.typeName, Fleet.typeName]) {
      this.#health.setStatus(name, 'NOT_SERVING')
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#server.forceShutdown(), SHUTDOWN_MS)
      this.#server.tryShutdown(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

/** Default is no: what no rule names, and whoever no rule names, is refused. */
function guard(access: Access): grpc.ServerInterceptor {
  return ({ path }, call) =>
    new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            const refusal = refusalOf(access, path, metadata)
            if (refusal) call.sendStatus(refusal)
            else pass(metadata)
          },
        }),
    })
}

function refusalOf(access: Access, path: string, metadata: grpc.Metadata) {
  if (mayAnybody(path)) return undefined
  const identity = identityOf(access, metadata)
  if (!identity) {
    const details = 'a token is needed: authorization: Bearer <64 hexadecimal digits>'
    return { code: grpc.status.UNAUTHENTICATED, details }
  }
  if (may(identity.role, path)) return undefined
  const details = `a ${identity.role} token may not call ${path}`
  return { code: grpc.status.PERMISSION_DENIED, details }
}

/**
 * The generated file carries its own description; reflection wants it as a loader would give it.
 */
function reflection(): ReflectionService {
  const bytes = Buffer.from(toBinary(FileDescriptorProtoSchema, file_airspace.proto))
  const format = 'Protocol Buffer 3 DescriptorProto'
  const described = { format, type: {}, fileDescriptorProtos: [bytes] }
  type Loaded = ConstructorParameters<typeof ReflectionService>[0]
  return new ReflectionService({ [Operator.typeName]: described } as unknown as Loaded)
}
