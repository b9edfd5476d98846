/** A target, a worker before it, and sources to come; all gone when the test ends. */
import type { Test } from 'tap'
import { DataPath, type PathOptions } from './data-path.ts'
import { Talk, Target } from './raw.ts'

export interface Between {
  readonly target: Target
  readonly path: DataPath
  source(): Promise<Talk>
}

export async function between(
  t: Test,
  act?: (talk: Talk) => void,
  options?: PathOptions,
): Promise<Between> {
  const target = await Target.start(act)
  const path = await DataPath.start(target.port, options)
  const sources: Talk[] = []
  t.teardown(() => {
    for (const { socket } of sources) socket.destroy()
    path.stop()
    target.stop()
  })
  return {
    target,
    path,
    async source() {
      const talk = await Talk.to(path.port)
      sources.push(talk)
      return talk
    },
  }
}

/** Turns of the event loop until it is so: for what no socket tells. */
export async function soon(done: () => boolean, what: string): Promise<void> {
  const lateMs = performance.now() + 5_000
  while (!done()) {
    if (performance.now() > lateMs) throw new Error(`it never came to be: ${what}`)
    await new Promise<void>((next) => setImmediate(next))
  }
}
