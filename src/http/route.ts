// Every HTTP function goes through here: request id, origin, role, strict validation, body, problem+json, log.
import { randomUUID } from 'node:crypto'
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import * as df from 'durable-functions'
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import { type Instances, instancesOf } from '../engine/instances.ts'
import { storableJson } from '../rules/storable.ts'
import type { Role } from '../models/words.ts'
import { corsOrigins } from '../platform/config.ts'
import type { Resources } from '../platform/resources.ts'
import { type Caller, callerOf, requireRole } from './caller.ts'
import { RequestBody } from './body.ts'
import { corsHeaders, isAllowedOrigin, refuseForeignOrigin } from './origin.ts'
import { NOSNIFF, problemAnswer } from './problem.ts'
import { pathBelowApi, valuesOf } from './template.ts'
import { validate } from './validation.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Call<P, Q, B> {
  readonly pathParameters: P
  readonly query: Q
  readonly body: B
  /** The body of an upload; read when it is asked for, so that a refusal costs no memory. */
  upload(): Promise<Uint8Array>
  /** Anonymous callers come through to routes of the role `anonymous` only. */
  readonly caller: Caller
  readonly requestId: string
  readonly headers: Pick<Headers, 'get' | 'entries'>
  /** Absolute URL of the request, for Location and links. */
  readonly url: URL
  readonly r: Resources
  readonly instances: Instances
}

export interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is instead, with the content type of `headers`. */
  readonly stream?: ReadableStream<Uint8Array>
  /** As `stream`, when they are at hand. */
  readonly bytes?: Uint8Array
}

export interface Route<P, Q, B> {
  /** Verb + resource; also the function's name in the portal. */
  readonly name: string
  readonly method: Method
  /** Below `/api`, in the host's template syntax. No URL may match two routes of a method: the host does not rank them. */
  readonly path: string
  /** What it answers, in one line: for the index at `/api`. */
  readonly summary: string
  /** The least role that may call it. */
  readonly role: Role | 'anonymous'
  /** Documents of the catalogue: read by anybody where the settings say so, and by pages of other origins that they name. */
  readonly isCatalogue?: boolean
  readonly pathParameters?: z.ZodType<P>
  /** By the path's values where one function answers for two resources. */
  readonly query?: z.ZodType<Q> | ((pathParameters: P) => z.ZodType<Q>)
  /** Given: a JSON body is read (an empty one counts as {}). */
  readonly body?: z.ZodType<B>
  /** Given: the body is bytes, at most so many. */
  readonly uploadBytes?: number
  handle(call: Call<P, Q, B>): Promise<Answer>
}

export interface Takes {
  readonly pathParameters?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  readonly uploadBytes?: number
}

/** A row of the table of functions. */
export interface HttpRow {
  readonly name: string
  readonly method: Method
  readonly path: string
  readonly summary: string
  readonly role: Role | 'anonymous'
  readonly isCatalogue: boolean
  /** What it takes, for the description of the API. */
  readonly takes?: Takes
  /** Values of the path, validated. @throws AppError `INVALID_ID` */
  readonly check: (values: Record<string, string>) => void
  /** @param resources asked for within, so that wrong settings are an answer */
  readonly answer: (request: HttpRequest, context: InvocationContext, resources: () => Resources) => Promise<HttpResponseInit>
}

/** Path of a job id: so long that it is never a word like `submit`, and no two routes meet. */
export const JOB = '{job_id:length(64)}'

const ANONYMOUS: Caller = { name: 'anonymous', role: 'reader' }
/** What clients of the host add by themselves: a key, and the name of the client in function URLs of the portal. */
const HOST_QUERY = new Set(['code', 'clientid'])

/** A query as the caller meant it, for links: without the key of whoever asked. */
export const queryWithoutKeys = (query: Iterable<readonly [string, string]>): [string, string][] =>
  [...query].filter(([name]) => !HOST_QUERY.has(name.toLowerCase())).map(([name, value]) => [name, value])

/** One endpoint as a row: everything around the handler is here. */
export function route<P = Record<string, never>, Q = Record<string, never>, B = undefined>(definition: Route<P, Q, B>): HttpRow {
  const { name, method, path, summary, role, pathParameters, isCatalogue = false } = definition
  const check = (values: Record<string, string>): void => void validate(pathParameters ?? nothing, values, 'INVALID_ID')
  return {
    name,
    method,
    path,
    summary,
    role,
    isCatalogue,
    takes: takesOf(definition),
    check,
    answer: (request, context, resources) => answer({ request, context, resources }, definition),
  }
}

/** Where the query depends on the path, that of the path without its last part. */
function takesOf<P, Q, B>({ pathParameters, query, body, uploadBytes }: Route<P, Q, B>): Takes {
  const ofQuery = typeof query === 'function' ? query({ path: '' } as P) : query
  return {
    ...(pathParameters ? { pathParameters } : {}),
    ...(ofQuery ? { query: ofQuery } : {}),
    ...(body ? { body } : {}),
    ...(uploadBytes === undefined ? {} : { uploadBytes }),
  }
}

interface Incoming {
  readonly request: HttpRequest
  readonly context: InvocationContext
  readonly resources: () => Resources
}

/** A legal request id of the caller is kept, so that a trace goes through; anything else is replaced. */
export function requestIdOf(request: HttpRequest): string {
  const given = request.headers.get('x-request-id')
  return given && /^[A-Za-z0-9_.:-]{1,100}$/.test(given) ? given : randomUUID()
}

async function answer<P, Q, B>(incoming: Incoming, definition: Route<P, Q, B>): Promise<HttpResponseInit> {
  const { request, resources } = incoming
  const requestId = requestIdOf(request)
  const body = new RequestBody(request)
  const allowed = definition.isCatalogue ? corsHeaders(request.headers, corsOrigins(process.env)) : {}
  try {
    const call = await callOf(incoming, body, definition, requestId)
    const { status = 200, headers, body: json, stream, bytes } = await definition.handle(call)
    await body.drop()
    return {
      status,
      headers: {
        ...(stream || bytes ? {} : JSON_HEADERS),
        ...NOSNIFF,
        'x-request-id': requestId,
        ...allowed,
        ...headers,
      },
      body: stream ?? bytes ?? JSON.stringify(json),
    }
  } catch (error) {
    await body.drop()
    logProblem(resources, error, definition.name, requestId)
    const problem = problemAnswer(error, requestId)
    return { ...problem, headers: { ...(problem.headers as Record<string, string>), ...allowed } }
  }
}

export const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' }

/** Everything that can be refused without the body is refused before it is read. */
async function callOf<P, Q, B>(
  { request, context, resources }: Incoming,
  body: RequestBody,
  definition: Route<P, Q, B>,
  requestId: string,
): Promise<Call<P, Q, B>> {
  const r = resources()
  const { uploadBytes, isCatalogue = false } = definition
  const role = isCatalogue && r.config.STAC_PUBLIC_READ === 'true' ? 'anonymous' : definition.role
  const url = new URL(request.url)
  if (!(isCatalogue && isAllowedOrigin(request.headers, corsOrigins(process.env))))
    refuseForeignOrigin(request.method, request.headers, url)
  const caller = role === 'anonymous' ? ANONYMOUS : requireRole(await callerOf(request.headers, r, role === 'admin'), role)
  const given = Object.fromEntries(queryWithoutKeys(request.query))
  const pathParameters = validate<P>(
    definition.pathParameters ?? nothing,
    valuesOf(definition.path, pathBelowApi(url)) ?? {},
    'INVALID_ID',
  )
  const schema = typeof definition.query === 'function' ? definition.query(pathParameters) : definition.query
  const query = validate<Q>(schema ?? nothing, given, 'INVALID_QUERY')
  // What Postgres cannot hold is refused by its field; a cursor is opaque and has its own refusal.
  storableJson(pathParameters)
  storableJson({ ...given, next: undefined })
  const call = {
    pathParameters,
    query,
    caller,
    body: (definition.body ? validate<B>(definition.body, await body.json(), 'INVALID_PARAMETERS') : undefined) as B,
    upload: () => body.bytes(uploadBytes ?? 0),
    requestId,
    headers: request.headers,
    url,
    r,
    instances: instancesOf(df.getClient(context)),
  }
  // Last, since it asks storage: nothing that is refused by its form gets there.
  const { container } = pathParameters as { container?: string }
  if (container !== undefined) await r.blobs.checkContainer(container)
  return call
}

function logProblem(resources: () => Resources, error: unknown, route: string, requestId: string): void {
  if (error instanceof AppError && error.status < 500) return
  try {
    resources().log.error('http.failed', { route, request_id: requestId, error })
  } catch {
    console.error(
      JSON.stringify({
        event: 'http.failed',
        route,
        request_id: requestId,
        message: error instanceof Error ? error.message : 'unknown',
      }),
    )
  }
}

const nothing = z.strictObject({})
