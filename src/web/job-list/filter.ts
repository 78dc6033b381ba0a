// The filter of the list of jobs, as it stands in the address and as the API takes it. Pure.

export interface JobFilter {
  readonly type?: string
  readonly status?: string
  readonly since?: string
  readonly error_code?: string
  readonly text?: string
}

/** Spans of time by what they are called in the address, in milliseconds. */
export const SPANS: Readonly<Record<string, readonly [label: string, ms: number]>> = {
  '1h': ['last hour', 3_600_000],
  '24h': ['last 24 hours', 86_400_000],
  '7d': ['last 7 days', 604_800_000],
  '30d': ['last 30 days', 2_592_000_000],
}

const NAMES = ['type', 'status', 'since', 'error_code', 'text'] as const

export function filterOf(query: URLSearchParams): JobFilter {
  const given = NAMES.flatMap((name) => {
    const value = query.get(name)
    return value ? [[name, value] as const] : []
  })
  return Object.fromEntries(given)
}

export const isEmpty = (filter: JobFilter): boolean => Object.keys(filter).length === 0

/** A span becomes the time from which it counts, to the minute: so the pages of one list belong together. */
export function apiFilter(filter: JobFilter, now: Date): JobFilter {
  const ms = filter.since === undefined ? undefined : SPANS[filter.since]?.[1]
  if (ms === undefined) return filter
  return { ...filter, since: new Date(Math.floor((now.getTime() - ms) / 60_000) * 60_000).toISOString() }
}

/** The filter in words, for a question. */
export function inWords(filter: JobFilter): string {
  const since = filter.since === undefined ? undefined : (SPANS[filter.since]?.[0] ?? `since ${filter.since}`)
  const parts = [
    filter.status && `status ${filter.status.replaceAll('_', ' ')}`,
    filter.type && `type ${filter.type}`,
    since,
    filter.error_code && `error ${filter.error_code}`,
    filter.text && `text “${filter.text}”`,
  ]
  return parts.filter(Boolean).join(', ')
}
