/** Between our complaints and gRPC's statuses, and from a call to who makes it. */
import * as grpc from '@grpc/grpc-js'
import { SettingError } from '../policies/settings.ts'
import { WireError } from '../wire/codec.ts'
import type { Access, Identity } from './auth.ts'
import { Complaint, type Fault } from './complaint.ts'

const CODES: { readonly [fault in Fault]: grpc.status } = {
  misused: grpc.status.INVALID_ARGUMENT,
  missing: grpc.status.NOT_FOUND,
  conflict: grpc.status.ABORTED,
  guarded: grpc.status.FAILED_PRECONDITION,
  full: grpc.status.RESOURCE_EXHAUSTED,
  failed: grpc.status.INTERNAL,
  damaged: grpc.status.DATA_LOSS,
}

/** What cannot be put into a header, and what nobody reads any more. */
const DETAILS_MAX = 2_000

/** An error that is nobody's complaint is a mistake of ours: it is said so, and logged. */
export function statusOf(error: unknown): { code: grpc.status; details: string } {
  const message = error instanceof Error ? error.message : String(error)
  const details = message.slice(0, DETAILS_MAX)
  if (error instanceof Complaint) return { code: CODES[error.fault], details }
  if (error instanceof WireError || error instanceof SettingError) {
    return { code: grpc.status.INVALID_ARGUMENT, details }
  }
  return { code: grpc.status.INTERNAL, details: `a mistake of the control plane: ${details}` }
}

export const isMistake = (error: unknown): boolean =>
  !(error instanceof Complaint || error instanceof WireError || error instanceof SettingError)

export function identityOf(access: Access, metadata: grpc.Metadata): Identity | undefined {
  const [header] = metadata.get('authorization')
  return access.identify(header === undefined ? undefined : String(header))
}
