/** Which role may call what. Whatever is not listed is refused: a new call needs a rule. */
import type { Role } from './auth.ts'

export type Rule = readonly Role[] | 'anybody'

const LOOK: Rule = ['viewer', 'operator']
const ACT: Rule = ['operator']
const NODE: Rule = ['node']
const TOKEN: Rule = ['viewer', 'operator', 'node']

export const RULES: { readonly [path: string]: Rule } = {
  '/airspace.v1.Operator/Apply': ACT,
  '/airspace.v1.Operator/Release': ACT,
  '/airspace.v1.Operator/Extend': ACT,
  '/airspace.v1.Operator/Undo': ACT,
  '/airspace.v1.Operator/AddEvent': ACT,
  '/airspace.v1.Operator/ForgetNode': ACT,
  '/airspace.v1.Operator/Await': LOOK,
  '/airspace.v1.Operator/DryRun': LOOK,
  '/airspace.v1.Operator/GetEdges': LOOK,
  '/airspace.v1.Operator/GetNodes': LOOK,
  '/airspace.v1.Operator/GetPatterns': LOOK,
  '/airspace.v1.Operator/GetLedger': LOOK,
  '/airspace.v1.Operator/GetEvents': LOOK,
  '/airspace.v1.Operator/GetServices': LOOK,
  '/airspace.v1.Operator/GetStatus': LOOK,
  '/airspace.v1.Fleet/Follow': NODE,
  '/airspace.v1.Fleet/Report': NODE,
  // Probes have no token, and learn only that we are there.
  '/grpc.health.v1.Health/Check': 'anybody',
  '/grpc.health.v1.Health/Watch': 'anybody',
  '/grpc.health.v1.Health/List': 'anybody',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': TOKEN,
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': TOKEN,
}

export const mayAnybody = (path: string): boolean => RULES[path] === 'anybody'

export function may(role: Role, path: string): boolean {
  const rule = Object.hasOwn(RULES, path) ? RULES[path]! : []
  return rule === 'anybody' || rule.includes(role)
}
