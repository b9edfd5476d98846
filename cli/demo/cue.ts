/**
 * What the demo tells its services, and what they tell it, over the pipe they were started with.
 */
export interface Route {
  readonly host: string
  readonly port: number
}

export type Cue =
  /** Where each target is reached from here: at the node's proxy, mostly. */
  | { readonly type: 'routes'; readonly routes: { readonly [target: string]: Route } }
  | { readonly type: 'fault'; readonly on: boolean }
  /** Answered by a tally of everything since the start. */
  | { readonly type: 'tell' }

export type Report =
  | { readonly type: 'listening'; readonly ports: { readonly [service: string]: number } }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'tally'; readonly tally: Tally }

/** Counts by name, ever growing; the names are each service's own. */
export type Tally = { readonly [name: string]: number }

/** Hands cues on, and lives as long as the pipe they come by. */
export function onCue(take: (cue: Cue) => void): void {
  process.on('message', take)
  process.channel?.ref()
}

export function report(message: Report): void {
  process.send?.(message)
}
