/** What happened around one thing: the part that every `describe` ends with. */
import type { Control } from './client.ts'
import { EXIT, Failure } from './failure.ts'
import { table } from './table.ts'
import { type EventRow, eventColumns, eventRow } from './view/events.ts'
import { type EntryRow, entryColumns, entryRow } from './view/ledger.ts'
import { didYouMean } from './words.ts'

/** How far back a description looks. */
const SINCE_MS = 60 * 60_000
const EVENTS_MAX = 500
const ENTRIES_MAX = 500
/** Rows that are shown of either; JSON has all that were found. */
const SHOWN = 20

export interface Around {
  readonly events: readonly EventRow[]
  readonly entries: readonly EntryRow[]
}

/** Events and entries that `is` about the thing, of the last hour. */
export async function around(
  control: Control,
  nowMs: number,
  about: { event?(row: EventRow): boolean; entry?(row: EntryRow): boolean },
): Promise<Around> {
  const [events, ledger] = await Promise.all([
    about.event
      ? control.ask('getEvents', { sinceUnixMs: nowMs - SINCE_MS, limit: EVENTS_MAX })
      : undefined,
    about.entry ? control.ask('getLedger', { limit: ENTRIES_MAX }) : undefined,
  ])
  return {
    events: (events?.events ?? []).map(eventRow).filter((row) => about.event?.(row)),
    entries: (ledger?.entries ?? []).map(entryRow).filter((row) => about.entry?.(row)),
  }
}

export function aroundWords({ events, entries }: Around, nowMs: number): string {
  const told = table(eventColumns(nowMs), events.slice(-SHOWN))
  const done = table(entryColumns(nowMs), entries.slice(-SHOWN))
  return (told && `\nevents of the last hour\n${told}`) + (done && `\nledger\n${done}`)
}

/** Exit 3, with the name that may have been meant. */
export function nothing(what: string, name: string, known: readonly string[]): Failure {
  return new Failure(
    EXIT.missing,
    `no ${what} '${name}'${didYouMean(name, known)}`,
    `airspace get ${what}s`,
  )
}
