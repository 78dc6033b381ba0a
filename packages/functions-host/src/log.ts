// The host's log: one line per event with a time stamp; levels per category from host.json.

/** An invocation begins or ends; what a line for people or machines is made of. */
export interface InvocationEvent {
  readonly phase: 'begin' | 'end'
  readonly functionId: string
  readonly invocationId: string
  readonly isTimer: boolean
  /** Of an end. */
  readonly ok?: boolean
  readonly ms?: number
  readonly why?: string
}

export type Log = (level: string, message: string, category?: string, invocation?: InvocationEvent) => void

/** `func`: as the real host writes; `text`: one readable line per event; `json`: one object per event. */
export type LogFormat = 'func' | 'text' | 'json'

const LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none']
const SHORT = new Map([
  ['information', 'info'],
  ['warning', 'warn'],
])
const rank = (level: string): number => LEVELS.indexOf(level.toLowerCase())

/** Writes lines of the given form. Below information only with `verbose`. */
export function createLog(
  verbose: boolean,
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
  format: LogFormat = 'func',
): Log {
  return (level, message, category, invocation) => {
    if (rank(level) < rank('information') && !verbose) return
    if (format !== 'func' && invocation && !verbose && isNoise(invocation)) return
    const at = new Date().toISOString()
    if (format === 'func') write(`[${at}] ${rank(level) >= rank('warning') ? `${level}: ` : ''}${message}`)
    else if (format === 'text') write(`${at.slice(11, 19)} ${shortLevel(level).padEnd(5)} ${textOf(message, invocation)}`)
    else
      write(JSON.stringify({ at, level: shortLevel(level), ...(category ? { category } : {}), ...entryOf(message, invocation) }))
  }
}

/** The end says what the begin said, and a timer that did its work says nothing new. */
const isNoise = ({ phase, isTimer, ok }: InvocationEvent): boolean => phase === 'begin' || (isTimer && ok === true)
const shortLevel = (level: string): string => SHORT.get(level.toLowerCase()) ?? level.toLowerCase()

function textOf(message: string, invocation: InvocationEvent | undefined): string {
  if (!invocation) return message
  const { functionId, phase, ms, why } = invocation
  return phase === 'begin' ? `${functionId} …` : `${functionId} ${ms} ms${why ? `: ${why}` : ''}`
}

function entryOf(message: string, invocation: InvocationEvent | undefined): object {
  if (!invocation) return { event: 'host', message }
  const { functionId, invocationId, phase, ok, ms, why } = invocation
  return {
    event: `function.${phase}`,
    function: functionId,
    invocation_id: invocationId,
    ok,
    ms,
    ...(why ? { message: why } : {}),
  }
}

/** Keeps what the level of the longest matching category prefix allows; `default` for the rest. */
export function filterLog(log: Log, levels: Readonly<Record<string, string>>): Log {
  const prefixes = Object.keys(levels).sort((a, b) => b.length - a.length)
  return (level, message, category = 'Host', invocation?) => {
    const found = prefixes.find((p) => category === p || category.startsWith(`${p}.`)) ?? 'default'
    if (rank(level) >= rank(levels[found] ?? 'information') || rank(level) < rank('information'))
      log(level, message, category, invocation)
  }
}
