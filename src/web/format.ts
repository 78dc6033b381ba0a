// Numbers, times and names as a person reads them. Pure: the time and the language are given.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Three digits at least, so that figures in a column compare. */
export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(value) / 10))
  const scaled = value / 1024 ** power
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${UNITS[power]}`
}

/** Bytes with their sign, where they may be below zero. */
export const signed = (value: number): string => (value < 0 ? `−${bytes(-value)}` : `+${bytes(value)}`)

/** 12,345 */
export const count = (value: number): string => value.toLocaleString('en-US')

/** The two largest units that say something: `840 ms`, `12.3 s`, `4 min 10 s`, `3 h 20 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const pair = (large: number, unit: string, small: number, below: string): string =>
    small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${below}`
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

/** The time alone today, with the day within this year, else with the year. */
export function moment(at: string | Date, now: Date): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return '–'
  if (date.toDateString() === now.toDateString()) return TIME.format(date)
  const day = date.getFullYear() === now.getFullYear() ? DAY.format(date) : YEAR.format(date)
  return `${day}, ${TIME.format(date)}`
}

/** `in 4 min 10 s`, `overdue` */
export function ahead(at: string, now: Date): string {
  const ms = new Date(at).getTime() - now.getTime()
  return ms <= 0 ? 'any moment' : `in ${duration(ms)}`
}

/** From start to end, or to now while it lasts. */
export function span(from: string | null, to: string | null, now: Date): string {
  if (from === null) return '–'
  return duration(Math.max(0, (to === null ? now.getTime() : new Date(to).getTime()) - new Date(from).getTime()))
}

/** Enough of an id to tell jobs apart. */
export const shortId = (id: string): string => id.slice(0, 8)

/** `completed_with_errors` → `completed with errors` */
export const words = (name: string): string => name.replaceAll('_', ' ')

/** One decimal below 100, none above: `0.4`, `12.5`, `140`. */
export const rate = (value: number): string => (value >= 100 ? count(Math.round(value)) : value.toFixed(1))
