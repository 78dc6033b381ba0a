// Structured log: one JSON line per event, with its level, secrets redacted (redact.ts).
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Log } from '../engine/define-job.ts'
import { redact } from './redact.ts'

/** What a running function gives to log with; the host keeps its level and ties it to the invocation. */
export interface HostLog {
  warn(line: string): void
  error(line: string): void
}

/** The function that runs now, set by the door through which the host calls. */
export const runningFunction = new AsyncLocalStorage<HostLog>()

/** The host takes every line of standard output for information: what is worse goes through the function, or to standard error. */
function writeLine(level: Level, line: string): void {
  const host = runningFunction.getStore()
  if (level === 'warn' || level === 'error') {
    if (host) host[level](line)
    else process.stderr.write(`${line}\n`)
  } else process.stdout.write(`${line}\n`)
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]

/** A logger that writes lines of at least the given level. */
export function createLog(least: Level, write: (level: Level, line: string) => void = writeLine): Log {
  const at =
    (level: Level) =>
    (event: string, fields: Record<string, unknown> = {}): void => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
      write(level, redact(JSON.stringify({ at: new Date().toISOString(), level, event, ...fields }, plainErrors)))
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

function plainErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return { message: value.message, stack: value.stack, ...(value.cause === undefined ? {} : { cause: value.cause }) }
}
