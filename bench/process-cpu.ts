// CPU seconds of processes and all that they started, from /proc: Linux alone.
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second of /proc on Linux. */
const TICKS = 100

interface Stat {
  readonly parent: number
  readonly ticks: number
}

/** Undefined for a process that ended meanwhile. */
function statOf(pid: string): Stat | undefined {
  try {
    // The name stands in parentheses and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) /).at(-1)?.split(' ') ?? []
    // utime, stime, and of children that ended and were waited for: cutime, cstime.
    return { parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) }
  } catch {
    return undefined
  }
}

/** NaN where there is no /proc. */
export function cpuSecondsOfTrees(roots: readonly number[]): number {
  if (process.platform !== 'linux') return Number.NaN
  const stats = new Map<number, Stat>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = statOf(pid)
    if (stat) stats.set(Number(pid), stat)
  }
  const isInside = (pid: number): boolean => {
    const stat = stats.get(pid)
    return roots.includes(pid) || (stat !== undefined && stat.parent > 1 && isInside(stat.parent))
  }
  return [...stats].filter(([pid]) => isInside(pid)).reduce((sum, [, { ticks }]) => sum + ticks, 0) / TICKS
}
