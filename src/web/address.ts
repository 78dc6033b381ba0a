// Where in the page somebody is: the part of the address behind #, which no server sees. Filters stand there, so links can be shared.

export interface Address {
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

/** `#/jobs/ab%2Fc?tab=tasks` → parts jobs, ab/c and tab=tasks; a part that is not well encoded stands as it is. */
export function parseAddress(hash: string): Address {
  const [path, rest] = splitOnce(hash.replace(/^#\/?/, ''), '?')
  const parts = path.split('/').filter(Boolean).map(decoded)
  return { parts, query: new URLSearchParams(rest) }
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

type Values = Readonly<Record<string, string | number | undefined>>

/** The address of a view, for links. */
export function address(parts: readonly string[], values: Values = {}): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  )
  const text = given.length > 0 ? `?${new URLSearchParams(given).toString()}` : ''
  return `#/${parts.map(encodeURIComponent).join('/')}${text}`
}

/** The same view with some values changed. */
export const changed = ({ parts, query }: Address, values: Values): string =>
  address(parts, { ...Object.fromEntries(query), ...values })
