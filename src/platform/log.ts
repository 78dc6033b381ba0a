// Structured log: one line per event with its level, as JSON or readable, secrets redacted (redact.ts).
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Log } from '../define/define-job.ts'
import { redact } from '../rules/redact.ts'

/** What a running function gives to log with; the host keeps its level, adds the time and ties it to the invocation. */
export interface HostLog {
  warn(line: string): void
  error(line: string): void
}

/** The function that runs now, set by the door through which the host calls. */
export const runningFunction = new AsyncLocalStorage<HostLog>()

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]
export type LogFormat = 'json' | 'text'

interface Entry {
  readonly at: string
  readonly level: Level
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Where lines go. Default: the host takes every line of standard output for information, so what is worse goes through the function. */
export type WriteLine = (level: Level, line: string, isHost: boolean) => void
const writeLine: WriteLine = (level, line, isHost) => {
  const host = runningFunction.getStore()
  if (isHost && host && (level === 'warn' || level === 'error')) host[level](line)
  else if (level === 'warn' || level === 'error') process.stderr.write(`${line}\n`)
  else process.stdout.write(`${line}\n`)
}

/** A logger that writes lines of at least the given level. */
export function createLog(least: Level, format: LogFormat = 'json', write: WriteLine = writeLine): Log {
  const at =
    (level: Level) =>
    (event: string, fields: Record<string, unknown> = {}): void => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
      const isHost = (level === 'warn' || level === 'error') && runningFunction.getStore() !== undefined
      const entry = { at: new Date().toISOString(), level, event, fields }
      write(level, redact(format === 'json' ? jsonLine(entry) : textLine(entry, isHost)), isHost)
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

const jsonLine = ({ at, level, event, fields }: Entry): string => JSON.stringify({ at, level, event, ...fields }, plainErrors)

function plainErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return { message: value.message, stack: value.stack, ...(value.cause === undefined ? {} : { cause: value.cause }) }
}

/** For people: time, level, event, then `name=value`; of errors what they say and why, without their stacks. */
function textLine({ at, level, event, fields }: Entry, isHost: boolean): string {
  const values = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`)
  const front = isHost ? '' : `${at.slice(11, 19)} ${level.padEnd(5)} `
  return [`${front}${event}`, ...values].join(' ')
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value)
  if (value instanceof Error) return JSON.stringify(wordsOf(value))
  return JSON.stringify(value, plainErrors) ?? 'undefined'
}

function wordsOf(error: Error): string {
  const { cause } = error
  return cause instanceof Error && cause.message !== error.message ? `${error.message} (${wordsOf(cause)})` : error.message
}
