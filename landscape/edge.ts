/**
 * A directed pair of services: who calls whom. Every signal and every policy is about one.
 * Names are services as identified by address; what no directory knows is `unknown/<address>`.
 */
export interface Edge {
  readonly source: string
  readonly target: string
  /** 'orders..payments', as operators write it. Stable across nodes and restarts. */
  readonly key: string
}

/** Stands between source and target; `>` would be a redirection in every shell. */
export const BETWEEN = '..'

export const edgeKey = (source: string, target: string): string => `${source}${BETWEEN}${target}`

export const edgeOf = (source: string, target: string): Edge => ({
  source,
  target,
  key: edgeKey(source, target),
})
