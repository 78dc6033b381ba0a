// What this browser remembers of how somebody likes the page. No secret is among it.

export type Theme = 'system' | 'light' | 'dark'
export interface Preferences {
  readonly theme: Theme
  /** Seconds between two refreshes; 0: none. */
  readonly refresh: number
  /** Names of the columns of the list of jobs that are hidden. */
  readonly hidden: readonly string[]
}

const KEY = 'lamplighter.preferences'
const DEFAULTS: Preferences = { theme: 'system', refresh: 5, hidden: ['attempt'] }
export const REFRESH_SECONDS = [0, 2, 5, 30] as const

/** What somebody else wrote there, or an older page, counts only where it fits. */
export function readPreferences(text: string | null): Preferences {
  let stored: Partial<Record<keyof Preferences, unknown>> = {}
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    if (typeof value === 'object' && value !== null) stored = value
  } catch {
    return DEFAULTS
  }
  const { theme, refresh, hidden } = stored
  return {
    theme: theme === 'light' || theme === 'dark' ? theme : DEFAULTS.theme,
    refresh: REFRESH_SECONDS.find((seconds) => seconds === refresh) ?? DEFAULTS.refresh,
    hidden: Array.isArray(hidden) ? hidden.filter((name) => typeof name === 'string') : DEFAULTS.hidden,
  }
}

export const preferences = (): Preferences => readPreferences(localStorage.getItem(KEY))

export function setPreferences(change: Partial<Preferences>): Preferences {
  const next = { ...preferences(), ...change }
  localStorage.setItem(KEY, JSON.stringify(next))
  return next
}
