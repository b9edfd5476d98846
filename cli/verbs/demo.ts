/** `airspace demo`: a small landscape on loopback, something going wrong in it, and the remedy. */

/** Loaded when asked for: it starts processes of its own. */
export async function demo(argv: readonly string[]): Promise<number> {
  const { runDemo } = await import('../demo/main.ts')
  return runDemo(argv)
}
