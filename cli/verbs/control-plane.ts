/** `airspace control-plane`: runs what keeps the ledger. Its flags are its own. */

/** Loaded when asked for: an operator's verb needs none of it, and the planes never meet here. */
export async function controlPlane(argv: readonly string[]): Promise<number> {
  const { runControlPlane } = await import('../../control-plane/main.ts')
  return runControlPlane(argv)
}
