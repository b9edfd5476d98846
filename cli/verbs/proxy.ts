/** `airspace proxy`: runs what measures and enforces. Its flags are its own. */

/** Loaded when asked for: an operator's verb needs none of it, and the planes never meet here. */
export async function proxy(argv: readonly string[]): Promise<number> {
  const { runProxy } = await import('../../proxy/main.ts')
  return runProxy(argv)
}
