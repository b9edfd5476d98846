/**
 * One event, one JSON line on standard error or output, whatever a field holds: JSON escapes it.
 * Nothing is logged per request.
 */
export type Level = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = { readonly [name: string]: unknown }

const order: { readonly [level in Level]: number } = { debug: 0, info: 1, warn: 2, error: 3 }

export interface Log {
  debug(msg: string, fields?: LogFields): void
  info(msg: string, fields?: LogFields): void
  warn(msg: string, fields?: LogFields): void
  error(msg: string, fields?: LogFields): void
}

/** Errors are not enumerable: say what they say. */
const plain = (value: unknown): unknown => (value instanceof Error ? value.message : value)

export function logger(
  part: string,
  write: (line: string) => void = (line) => process.stdout.write(line),
  least: Level = 'info',
): Log {
  const say =
    (level: Level) =>
    (msg: string, fields: LogFields = {}) => {
      if (order[level] < order[least]) return
      const entry: Record<string, unknown> = { at: new Date().toISOString(), level, part, msg }
      for (const [name, value] of Object.entries(fields)) entry[name] = plain(value)
      write(`${JSON.stringify(entry)}\n`)
    }
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
}
