// One trace from the request on: the caller's, the host's or a new one; the answer says which.
import { SpanKind } from '@opentelemetry/api'
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { plainTemplate } from './template.ts'
import { activeTraceparent, inTrace } from '../telemetry/spans.ts'

/**
 * Runs the answer to a request in the span `http <route>`, and adds `traceparent` to its headers.
 * @param path of the route below `/api`, with its constraints: the template and never the path itself, so that names of spans are few
 */
export function inHttpTrace(
  request: HttpRequest,
  context: Pick<InvocationContext, 'traceContext' | 'functionName'>,
  path: string,
  run: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  const { method, headers } = request
  const route = `/api/${plainTemplate(path)}`
  const incoming = {
    carried: headers.get('traceparent'),
    host: context.traceContext?.traceParent,
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': method, 'http.route': route, 'faas.name': context.functionName },
  }
  return inTrace(`http ${route}`, incoming, async (span) => {
    const answer = await run()
    const status = answer.status ?? 200
    span.setAttribute('http.response.status_code', status)
    if (status >= 500) span.setAttribute('error.type', String(status))
    return { ...answer, headers: { ...(answer.headers as Record<string, string>), traceparent: activeTraceparent() ?? '' } }
  })
}
