// Structured log: one JSON line per event on standard output, secrets redacted in one place.
import type { Log } from '../engine/define-job.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]

// What could open something: SAS signatures, account keys, passwords in URLs, function keys.
const SECRETS = /(sig=|AccountKey=|SharedAccessKey=|[Pp]assword=|[?&]code=)[^&;"'\s]+|(:\/\/[^:/@\s]+:)[^@\s]+(?=@)/g

/** Replaces values of known secret forms by `***`. */
export function redact(text: string): string {
  return text.replaceAll(SECRETS, (_, name: string | undefined, url: string | undefined) => `${name ?? url}***`)
}

/** A logger that writes lines of at least the given level. */
export function createLog(least: Level, write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`)): Log {
  const at =
    (level: Level) =>
    (event: string, fields: Record<string, unknown> = {}): void => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
      write(redact(JSON.stringify({ at: new Date().toISOString(), level, event, ...fields }, plainErrors)))
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

function plainErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return { message: value.message, stack: value.stack, ...(value.cause === undefined ? {} : { cause: value.cause }) }
}
