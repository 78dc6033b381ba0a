// LIKE as Postgres has it: `%` any text, `_` one code point, `\` takes the next one literally; case matters.

type Part = { readonly any: true } | { readonly any: false; readonly one: string | undefined }

function partsOf(pattern: string): Part[] {
  const points = Array.from(pattern)
  const parts: Part[] = []
  for (let i = 0; i < points.length; i++) {
    const point = points[i] as string
    if (point === '%') parts.push({ any: true })
    else if (point === '_') parts.push({ any: false, one: undefined })
    else parts.push({ any: false, one: point === '\\' ? points[++i] : point })
  }
  return parts
}

/**
 * Whether the whole text fits. No regular expression: going back to the last `%` alone keeps `%a%a%a…` within the product of both lengths.
 * @param pattern not ending with a lone `\`
 */
export function isLike(text: string, pattern: string): boolean {
  const [points, parts] = [Array.from(text), partsOf(pattern)]
  let [at, part, retryAt, retryPart] = [0, 0, 0, -1]
  while (at < points.length) {
    const wanted = parts[part]
    if (wanted?.any) {
      retryPart = part++
      retryAt = at
    } else if (wanted && (wanted.one === undefined || wanted.one === points[at])) {
      at++
      part++
    } else if (retryPart >= 0) {
      part = retryPart + 1
      at = ++retryAt
    } else return false
  }
  while (parts[part]?.any) part++
  return part === parts.length
}
