// Pages of other origins may change nothing: a browser tells where a request comes from, and programs that are no browser say nothing.
import { AppError } from '../rules/errors.ts'

const READING = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * @param url of the request, as the caller sees it
 * @throws AppError `FOREIGN_ORIGIN` when a browser sends something that changes something for a page of another origin
 * @see https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 */
export function refuseForeignOrigin(method: string, headers: Pick<Headers, 'get'>, url: URL): void {
  if (READING.has(method)) return
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  const foreign = (site !== null && site !== 'same-origin' && site !== 'none') || (origin !== null && hostOf(origin) !== url.host)
  if (!foreign) return
  throw new AppError(
    'FOREIGN_ORIGIN',
    `A page of ${JSON.stringify((origin ?? site ?? '').slice(0, 200))} may not change anything here. Call from a page of this origin, or from a program.`,
  )
}

/** The scheme may differ: what stands before the host often ends TLS. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

/** Whether the settings let pages of the caller's origin read the catalogue. */
export function isAllowedOrigin(headers: Pick<Headers, 'get'>, allowed: readonly string[] | undefined): boolean {
  const origin = headers.get('origin')
  return origin !== null && allowed !== undefined && (allowed.includes('*') || allowed.includes(origin))
}

/** What lets such a page read the answer (Fetch standard, 3.3). Keys go in a header or the URL, so cookies are never allowed. */
export function corsHeaders(headers: Pick<Headers, 'get'>, allowed: readonly string[] | undefined): Record<string, string> {
  if (allowed === undefined) return {}
  const common = { vary: 'Origin' }
  if (!isAllowedOrigin(headers, allowed)) return common
  return {
    ...common,
    'access-control-allow-origin': headers.get('origin') ?? '',
    'access-control-expose-headers': 'etag, x-request-id',
  }
}

/** The answer to a browser's question before such a request. */
export const preflightHeaders = (
  headers: Pick<Headers, 'get'>,
  allowed: readonly string[],
  methods: string,
): Record<string, string> => ({
  ...corsHeaders(headers, allowed),
  'access-control-allow-methods': methods,
  'access-control-allow-headers': 'content-type, x-functions-key, authorization, if-none-match',
  'access-control-max-age': '3600',
})
