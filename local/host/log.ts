// The host's log: one line per event with a time stamp; levels per category from host.json.

export type Log = (level: string, message: string, category?: string) => void

const LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none']
const rank = (level: string): number => LEVELS.indexOf(level.toLowerCase())

/** Writes `[time] message`; warnings and errors name their level. Below information only with `verbose`. */
export function createLog(
  verbose: boolean,
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
): Log {
  return (level, message) => {
    if (rank(level) < rank('information') && !verbose) return
    const mark = rank(level) >= rank('warning') ? `${level}: ` : ''
    write(`[${new Date().toISOString()}] ${mark}${message}`)
  }
}

/** Keeps what the level of the longest matching category prefix allows; `default` for the rest. */
export function filterLog(log: Log, levels: Readonly<Record<string, string>>): Log {
  const prefixes = Object.keys(levels).sort((a, b) => b.length - a.length)
  return (level, message, category = 'Host') => {
    const found = prefixes.find((p) => category === p || category.startsWith(`${p}.`)) ?? 'default'
    if (rank(level) >= rank(levels[found] ?? 'information') || rank(level) < rank('information')) log(level, message, category)
  }
}
