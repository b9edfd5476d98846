/** `airspace control-plane`: runs what keeps the ledger. Its flags are its own. */
interface ControlPlane {
  runControlPlane(argv: readonly string[]): Promise<number | undefined>
}

/** Loaded when asked for: an operator's verb needs none of it, and the planes never meet here. */
const WHERE = '../../control-plane/main.ts'

export async function controlPlane(argv: readonly string[]): Promise<number | undefined> {
  const part = (await import(WHERE)) as ControlPlane
  return part.runControlPlane(argv)
}
