/**
 * Break-glass: one proxy, asked by its admin port when the control plane is gone. It tells its own
 * part of the landscape and lets go of what it enforces; nothing else can be asked of it.
 */
import type { Ends } from './ends.ts'
import type { Invocation } from './invocation.ts'
export const edgesOfNode = async (_run: Invocation, _ends: Ends): Promise<void> => {}
export const patternsOfNode = async (_run: Invocation): Promise<void> => {}
export const releaseAtNode = async (
  _run: Invocation,
  _ids: readonly string[],
  _flags: object,
): Promise<void> => {}
