// The path of a request as the real host takes it: dot segments go before anything looks at it.

/** Removes `.` and `..`, also escaped, as RFC 3986 says; the rest stays as the client wrote it. */
export function withoutDotSegments(path: string): string {
  if (!/\/(\.|%2e)/i.test(path)) return path
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [i, segment] of segments.entries()) {
    const name = segment.replaceAll(/%2e/gi, '.')
    if (name !== '.' && name !== '..') {
      kept.push(segment)
      continue
    }
    if (name === '..') kept.pop()
    // `/a/..` names the folder: its slash stays.
    if (i === segments.length - 1) kept.push('')
  }
  return `/${kept.join('/')}`
}
