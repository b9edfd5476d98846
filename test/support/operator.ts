/** The operator's API of a running control plane, asked as the CLI asks it, without its words. */
import { readFileSync } from 'node:fs'
import { Control } from '../../cli/client.ts'
import type { Fleet } from './fleet.ts'

/** The caller closes it. */
export function operatorOf(fleet: Fleet): Control {
  const path = fleet.operatorToken
  const secret = readFileSync(path, 'utf8').trim()
  return new Control({
    address: fleet.grpc,
    token: () => ({ path, secret }),
    timeoutMs: 10_000,
    interrupted: new AbortController().signal,
  })
}

/** Waits until a revision is in force on every node, and throws when it is not in ten seconds. */
export async function everywhere(control: Control, revision: bigint): Promise<void> {
  const waitMs = 10_000
  for await (const told of control.follow('await', { revision, waitMs }, waitMs)) {
    if (!told.done) continue
    if (told.lagging.length === 0 && told.reported >= told.expected) return
    const late = told.lagging.map(({ node, state, reason }) => `${node} ${state} ${reason}`)
    throw new Error(`revision ${revision} is not everywhere: ${late.join(', ')}`)
  }
  throw new Error(`revision ${revision}: nobody said when it was everywhere`)
}
