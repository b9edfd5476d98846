/** `airspace proxy`: runs what measures and enforces. Its flags are its own. */
interface Proxy {
  runProxy(argv: readonly string[]): Promise<number | undefined>
}

/** Loaded when asked for: an operator's verb needs none of it, and the planes never meet here. */
const WHERE = '../../proxy/main.ts'

export async function proxy(argv: readonly string[]): Promise<number | undefined> {
  const part = (await import(WHERE)) as Proxy
  return part.runProxy(argv)
}
