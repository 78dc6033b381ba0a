// Route templates as the host writes them: `jobs/{job_id:length(64)}/tasks/{stage}/{*key}`. What a URL names is read from the URL alone:
// with HTTP streaming the host hands query and body members over among the values of the path.

/** The template for people: without constraints. @example 'jobs/{job_id}' */
export const plainTemplate = (template: string): string => template.replaceAll(/\{(\*?\w+):[^}]*\}/g, '{$1}')

/** The path below `/api/`, undecoded. */
export const pathBelowApi = (url: URL): string => url.pathname.replace(/^\/api(?:\/|$)/i, '')

/** A percent escape is taken once; `%2F` stays, as the host leaves it, so that a value is the same whoever decoded it. */
function decode(segment: string): string {
  try {
    return segment
      .split(/(%2f)/i)
      .map((piece) => (/^%2f$/i.test(piece) ? piece : decodeURIComponent(piece)))
      .join('')
  } catch {
    return segment
  }
}

/**
 * The values that a path gives to the parameters of a template, whatever their constraints; undefined when its shape differs.
 * A catch-all takes the rest, which may be empty.
 */
export function valuesOf(template: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [plainTemplate(template).split('/'), path.split('/')]
  const values: Record<string, string> = {}
  for (const [i, part] of wanted.entries()) {
    const name = /^\{(\*?)(\w+)\}$/.exec(part)
    if (name?.[1] === '*') {
      values[name[2] ?? ''] = given
        .slice(i)
        .map((segment) => decode(segment))
        .join('/')
      return values
    }
    const segment = given[i]
    if (segment === undefined || segment === '') return undefined
    if (name) values[name[2] ?? ''] = decode(segment)
    else if (part.toLowerCase() !== segment.toLowerCase()) return undefined
  }
  // A slash at the end belongs to nothing.
  return given.length === wanted.length || (given.length === wanted.length + 1 && given.at(-1) === '') ? values : undefined
}
