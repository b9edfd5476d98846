/** `airspace demo`: a small landscape on loopback, something going wrong in it, and the remedy. */
interface Demo {
  runDemo(argv: readonly string[]): Promise<number | undefined>
}

/** Loaded when asked for: it starts processes of its own. */
const WHERE = '../demo/main.ts'

export async function demo(argv: readonly string[]): Promise<number | undefined> {
  const part = (await import(WHERE)) as Demo
  return part.runDemo(argv)
}
