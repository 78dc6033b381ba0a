// State that views share: the address, what was loaded and when it is loaded again, the time.
import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import { type Address, parseAddress } from './address.ts'
import { ApiError } from './api.ts'
import { preferences, type Preferences, setPreferences } from './preferences.ts'
import type { Whoami } from './types.ts'

export function useAddress(): Address {
  const [current, set] = useState(() => parseAddress(location.hash))
  useEffect(() => {
    const follow = (): void => set(parseAddress(location.hash))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return current
}

/** Goes to an address; `replace` leaves no step for Back, as while somebody types. */
export function go(to: string, replace = false): void {
  if (to === location.hash) return
  if (!replace) location.hash = to
  else {
    history.replaceState(null, '', to)
    dispatchEvent(new HashChangeEvent('hashchange'))
  }
}

export const Caller = createContext<Whoami | undefined>(undefined)
const ROLES = ['reader', 'submitter', 'operator', 'admin'] as const

/** Whether the caller may do what needs this role. */
export function useRole(needed: Whoami['role']): boolean {
  const caller = useContext(Caller)
  return caller !== undefined && ROLES.indexOf(caller.role) >= ROLES.indexOf(needed)
}

export function usePreferences(): [Preferences, (change: Partial<Preferences>) => void] {
  const [current, set] = useState(preferences)
  return [current, useCallback((change: Partial<Preferences>) => set(setPreferences(change)), [])]
}

export interface Loaded<T> {
  readonly data: T | undefined
  /** Of the last request; what was loaded before stays. */
  readonly error: ApiError | undefined
  readonly loading: boolean
  reload(): void
}

/** Whether somebody can see the page: a tab in the background asks for nothing. */
function useVisible(): boolean {
  const [visible, set] = useState(() => !document.hidden)
  useEffect(() => {
    const follow = (): void => set(!document.hidden)
    document.addEventListener('visibilitychange', follow)
    return () => document.removeEventListener('visibilitychange', follow)
  }, [])
  return visible
}

interface State<T> {
  readonly key: string
  readonly data?: T | undefined
  readonly error?: ApiError | undefined
}

/**
 * Loads by a key, again when the key changes, and every so many seconds after the last answer; never in a hidden tab.
 * @param key undefined: nothing to load
 */
export function useLoad<T>(key: string | undefined, load: (signal: AbortSignal) => Promise<T>, refreshSeconds = 0): Loaded<T> {
  const [state, setState] = useState<State<T>>({ key: '' })
  const [turn, setTurn] = useState(0)
  const [loading, setLoading] = useState(false)
  const visible = useVisible()
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    if (key === undefined || !visible) return undefined
    const aborted = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const settle = (next: (before: State<T>) => State<T>): void => {
      if (aborted.signal.aborted) return
      setState(next)
      setLoading(false)
      if (refreshSeconds > 0) timer = setTimeout(() => setTurn((n) => n + 1), refreshSeconds * 1000)
    }
    setLoading(true)
    latest.current(aborted.signal).then(
      (data) => settle(() => ({ key, data })),
      (error: unknown) =>
        settle((before) => ({ key, ...(before.key === key ? { data: before.data } : {}), error: asApiError(error) })),
    )
    return () => {
      aborted.abort()
      clearTimeout(timer)
    }
  }, [key, turn, visible, refreshSeconds])
  const reload = useCallback(() => setTurn((n) => n + 1), [])
  const isOwn = state.key === key
  return { data: isOwn ? state.data : undefined, error: isOwn ? state.error : undefined, loading, reload }
}

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(0, { detail: error instanceof Error ? error.message : String(error), code: 'PAGE' })
