// Spans: nothing is made while no SDK is registered, only the ids of the trace flow on.
import { randomBytes } from 'node:crypto'
import {
  type Attributes,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import { AppError } from '../rules/errors.ts'
import { redact } from '../rules/redact.ts'
import { keepContext } from './async-context.ts'
import { formatTraceparent, parseTraceparent } from './trace-context.ts'

/** Name of tracer and meter. */
export const SCOPE = 'lamplighter'

/** The tracer of a registered SDK; asked each time, because one may be registered at any time and is gone after tests. */
function recorder(): Tracer | undefined {
  const provider = trace.getTracerProvider() as Partial<Delegating>
  // The API's own provider stands in until there is one: it says so by having no delegate.
  return provider.getDelegateTracer ? provider.getDelegateTracer(SCOPE) : trace.getTracer(SCOPE)
}
interface Delegating {
  getDelegateTracer(name: string): Tracer | undefined
}

/** Whether spans are recorded: asked before anything is allocated for one. */
export const isTracing = (): boolean => recorder() !== undefined

/** What a door knows of where it is called from. */
export interface Incoming {
  /** `traceparent` that the caller or the orchestration carries: the trace to go on with. */
  readonly carried?: string | null | undefined
  /** `traceparent` of the host for this invocation. */
  readonly host?: string | undefined
  readonly kind?: SpanKind
  readonly attributes?: Attributes
}

/**
 * Runs the work of a door in one trace: the carried one, else the host's, else a new one. Where the host's invocation belongs to the
 * carried trace, it is the parent; a trace of its own is linked. Without an SDK the ids flow on in a span that records nothing.
 */
export function inTrace<T>(name: string, incoming: Incoming, work: (span: Span) => Promise<T>): Promise<T> {
  keepContext()
  const carried = parseTraceparent(incoming.carried)
  const host = parseTraceparent(incoming.host)
  const parent = !carried || host?.traceId === carried.traceId ? host : carried
  const tracer = recorder()
  if (!tracer) {
    const span = trace.wrapSpanContext(parent ?? newSpanContext())
    return context.with(trace.setSpan(ROOT_CONTEXT, span), work, undefined, span)
  }
  const links: Link[] = host && parent && host.traceId !== parent.traceId ? [{ context: host }] : []
  const from = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT
  const { kind = SpanKind.INTERNAL, attributes = {} } = incoming
  const span = tracer.startSpan(name, { kind, links, attributes: clean(attributes) }, from)
  return ended(span, () => context.with(trace.setSpan(from, span), work, undefined, span))
}

/** Random ids, as the specification wants them; not sampled, because nobody records. */
const newSpanContext = (): SpanContext => ({
  traceId: randomBytes(16).toString('hex'),
  spanId: randomBytes(8).toString('hex'),
  traceFlags: 0,
})

/** Runs the work in a span below the active one; without an SDK, or outside of every trace, it runs as it is. */
export function inSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span | undefined) => Promise<T>,
  kind: SpanKind = SpanKind.INTERNAL,
): Promise<T> {
  const tracer = recorder()
  const from = context.active()
  if (!tracer || !trace.getSpan(from)) return work(undefined)
  const span = tracer.startSpan(name, { kind, attributes: clean(attributes) }, from)
  return ended(span, () => context.with(trace.setSpan(from, span), work, undefined, span))
}

async function ended<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = error instanceof AppError ? error.code : error instanceof Error ? error.name : typeof error
    failSpan(span, code, error instanceof Error ? error.message : String(error))
    throw error
  } finally {
    span.end()
  }
}

/** Code and redacted message; no stack: lines of code help nobody who reads a trace. */
export function failSpan(span: Span | undefined, code: string, message = ''): void {
  span?.setAttribute('error.type', code)
  span?.setStatus({ code: SpanStatusCode.ERROR, message: redact(message).slice(0, 1000) })
}

/** Names of blobs and messages come from outside: no attribute carries what could open something. */
function clean(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value]),
  )
}

let last: { readonly span: Span; readonly text: string } | undefined

/** `traceparent` of the active span; undefined outside of every trace. Made once for a span that many statements ask about. */
export function activeTraceparent(): string | undefined {
  const span = trace.getActiveSpan()
  if (!span) return undefined
  if (last?.span !== span) last = { span, text: formatTraceparent(span.spanContext()) }
  return last.text
}

/** The statement with its trace as a trailing comment, as sqlcommenter writes it: a pooler hands it on, unlike a session setting. */
export function withTraceComment(text: string): string {
  const traceparent = activeTraceparent()
  return traceparent === undefined ? text : `${text} /*traceparent='${traceparent}'*/`
}

/** `<trace id>-<span id>`: what the log of a service keeps as the id of the client's request; undefined outside of every trace. */
export function clientRequestId(): string | undefined {
  return activeTraceparent()?.slice(3, 52)
}

/** The trace id alone. */
export function activeTraceId(): string | undefined {
  return activeTraceparent()?.slice(3, 35)
}
