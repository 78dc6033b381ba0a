// The host's log: one line per event with a time stamp.

export type Log = (level: string, message: string) => void

/** Writes `[time] message`; warnings and errors name their level. Below information only with `verbose`. */
export function createLog(
  verbose: boolean,
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
): Log {
  return (level, message) => {
    if ((level === 'trace' || level === 'debug') && !verbose) return
    const mark = level === 'warning' || level === 'error' || level === 'critical' ? `${level}: ` : ''
    write(`[${new Date().toISOString()}] ${mark}${message}`)
  }
}
