// What no route took: the index at `/api`, 400 for an id that no route takes, 405 when another method knows the path, else 404.
// The host alone would answer 404 with an empty body. It does not rank routes but sorts them by function name: this one must be last.
import type { HttpRequest, HttpResponseInit } from '@azure/functions'
import { AppError } from '../rules/errors.ts'
import { RequestBody } from './body.ts'
import { isAllowedOrigin, preflightHeaders } from './origin.ts'
import { NOSNIFF, problemAnswer } from './problem.ts'
import { type HttpRow, requestIdOf } from './route.ts'
import { pathBelowApi, plainTemplate, valuesOf } from './template.ts'

/** Sorts behind every other name, so that the host asks all others first. */
export const UNKNOWN_ROUTE = 'zzAnswerUnknownRoute'

/** A service document: where to go from here, and every route that this app answers. */
function indexAnswer(rows: readonly HttpRow[], origin: string, requestId: string): HttpResponseInit {
  const routes = rows.map(({ method, path, role, summary }) => ({ method, path: `/api/${plainTemplate(path)}`, role, summary }))
  routes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const links = Object.fromEntries(START_HERE.map((path) => [path.replaceAll(/\W/g, '_'), `${origin}/api/${path}`]))
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...NOSNIFF, 'x-request-id': requestId },
    body: JSON.stringify({ name: 'lamplighter', links, routes, count: routes.length }),
  }
}
const START_HERE = ['job-types', 'jobs', 'containers', 'health/ready'] as const

type Match = HttpRow & { readonly values: Record<string, string> }

function refusal(method: string, found: readonly Match[]): AppError {
  const allowed = [...new Set(found.map((d) => d.method))]
  try {
    // The constraint of a template refused a value: the route's own rules say which and why.
    for (const { check, values } of found.filter((d) => d.method === method)) check(values)
  } catch (error) {
    if (error instanceof AppError) return error
  }
  return allowed.length > 0 && !allowed.includes(method as never)
    ? new AppError('METHOD_NOT_ALLOWED', `${method} is not allowed here. Use ${allowed.join(' or ')}.`)
    : new AppError('ROUTE_NOT_FOUND', 'There is no such resource. GET /api shows all there are.')
}

/**
 * @param rows every route of the app
 * @param origins whose pages may read the catalogue
 */
export async function answerUnknownRoute(
  request: HttpRequest,
  rows: readonly HttpRow[],
  origins: readonly string[] | undefined,
): Promise<HttpResponseInit> {
  const url = new URL(request.url)
  const path = pathBelowApi(url)
  const requestId = requestIdOf(request)
  await new RequestBody(request).drop()
  if (path === '' && request.method === 'GET') return indexAnswer(rows, url.origin, requestId)
  const found = rows.flatMap((d): Match[] => {
    const values = valuesOf(d.path, path)
    return values ? [{ ...d, values }] : []
  })
  if (request.method === 'OPTIONS' && isAllowedOrigin(request.headers, origins) && found.some((row) => row.isCatalogue)) {
    const methods = [...new Set(found.map((row) => row.method))].join(', ')
    return { status: 204, headers: preflightHeaders(request.headers, origins ?? [], methods) }
  }
  const error = refusal(request.method, found)
  const answer = problemAnswer(error, requestId)
  if (error.status !== 405) return answer
  const allow = [...new Set(found.map((d) => d.method))].join(', ')
  return { ...answer, headers: { ...(answer.headers as Record<string, string>), allow } }
}
