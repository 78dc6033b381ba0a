// Every HTTP function goes through here: request id, strict validation, body limit, problem+json, log.
import { randomUUID } from 'node:crypto'
import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions'
import * as df from 'durable-functions'
import * as z from 'zod'
import { AppError, type Issue } from '../engine/errors.ts'
import { type Instances, instancesOf } from '../orchestrators/client.ts'
import type { Role } from '../models/words.ts'
import { authLevelOf } from '../platform/config.ts'
import { type Resources, resources } from '../platform/resources.ts'
import { type Caller, callerOf, requireRole } from './caller.ts'
import { problemAnswer } from './problem.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Call<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  /** The body of an upload; empty elsewhere. */
  readonly bytes: Uint8Array
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
}

export interface Route<P, Q, B> {
  /** Verb + resource; also the function's name in the portal. */
  readonly name: string
  readonly method: Method
  /** Below `/api`, in the host's template syntax. */
  readonly path: string
  /** The least role that may call it. */
  readonly role: Role | 'anonymous'
  readonly params?: z.ZodType<P>
  readonly query?: z.ZodType<Q>
  /** Given: a JSON body is read (an empty one counts as {}). */
  readonly body?: z.ZodType<B>
  /** Given: the body is bytes, at most so many. */
  readonly uploadBytes?: number
  handle(call: Call<P, Q, B>): Promise<Answer>
}

/** Declared routes, for 405 answers and documents. */
export const declaredRoutes: Pick<Route<unknown, unknown, unknown>, 'name' | 'method' | 'path' | 'role'>[] = []

const MAX_BODY_BYTES = 1_000_000
const MAX_DEPTH = 32
const NO_BYTES = new Uint8Array()
const ANONYMOUS: Caller = { name: 'anonymous', role: 'reader' }

/** Declares one endpoint and registers it with the host. */
export function route<P = Record<string, never>, Q = Record<string, never>, B = undefined>(definition: Route<P, Q, B>): void {
  const { name, method, path, role } = definition
  declaredRoutes.push({ name, method, path, role })
  app.http(name, {
    methods: [method],
    route: path,
    authLevel: role === 'anonymous' ? 'anonymous' : authLevelOf(process.env, role === 'admin'),
    extraInputs: [df.input.durableClient()],
    handler: (request, context) => answer(request, context, (call) => definition.handle(call), definition),
  })
}

/** A legal request id of the caller is kept, so that a trace goes through; anything else is replaced. */
export function requestIdOf(request: HttpRequest): string {
  const given = request.headers.get('x-request-id')
  return given && /^[A-Za-z0-9_.:-]{1,100}$/.test(given) ? given : randomUUID()
}

async function answer<P, Q, B>(
  request: HttpRequest,
  context: InvocationContext,
  handle: (call: Call<P, Q, B>) => Promise<Answer>,
  definition: Route<P, Q, B>,
): Promise<HttpResponseInit> {
  const requestId = requestIdOf(request)
  try {
    const r = resources()
    const { role } = definition
    const known = role === 'anonymous' ? ANONYMOUS : requireRole(callerOf(request.headers, r.config, role === 'admin'), role)
    const call: Call<P, Q, B> = {
      params: validate<P>(definition.params ?? nothing, pathParams(definition.path, request.params), 'INVALID_ID'),
      query: validate<Q>(definition.query ?? nothing, Object.fromEntries(request.query), 'INVALID_QUERY'),
      caller: known,
      bytes: definition.uploadBytes === undefined ? NO_BYTES : await readBytes(request, definition.uploadBytes),
      body: (definition.body ? validate<B>(definition.body, await readJson(request), 'INVALID_PARAMETERS') : undefined) as B,
      requestId,
      headers: request.headers,
      url: new URL(request.url),
      r,
      instances: instancesOf(context),
    }
    const { status = 200, headers, body, stream } = await handle(call)
    return {
      status,
      headers: { 'content-type': 'application/json', 'x-request-id': requestId, ...headers },
      body: stream ?? JSON.stringify(body),
    }
  } catch (error) {
    logProblem(error, definition.name, requestId)
    return problemAnswer(error, requestId)
  }
}

/** With HTTP streaming the host hands query parameters among those of the path: only what the template names is taken. */
function pathParams(template: string, given: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const names = [...template.matchAll(/\{\*?(\w+)\}/g)].map(([, name = '']) => name)
  return Object.fromEntries(names.map((name) => [name, given[name]]))
}

function logProblem(error: unknown, route: string, requestId: string): void {
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

/** @throws AppError with one issue per broken rule */
export function validate<T>(
  schema: z.ZodType<T> | z.ZodType,
  value: unknown,
  code: 'INVALID_ID' | 'INVALID_QUERY' | 'INVALID_PARAMETERS',
): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data as T
  const issues = parsed.error.issues.flatMap(toIssues)
  throw new AppError(
    code,
    `Invalid input: ${issues
      .map((i) => `${i.path || 'body'}: ${i.message}`)
      .join('; ')
      .slice(0, 2000)}`,
    { issues: issues.slice(0, 50) },
  )
}

function toIssues(issue: z.core.$ZodIssue): Issue[] {
  const path = issue.path.map(String).join('.')
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  return issue.keys.map((key) => ({ path: path ? `${path}.${key}` : key, message: 'unknown key' }))
}

/** @throws AppError `BODY_TOO_LARGE`, as soon as it is known */
async function readBytes(request: HttpRequest, most: number): Promise<Uint8Array> {
  const tooLarge = (): AppError => new AppError('BODY_TOO_LARGE', `The body is larger than ${most} bytes.`)
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > most) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function readJson(request: HttpRequest): Promise<unknown> {
  const body = await readBytes(request, MAX_BODY_BYTES)
  if (body.length === 0) return {}
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new AppError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The body is ${type || 'of no declared type'}; send content-type: application/json.`,
    )
  let value: unknown
  try {
    // fatal: bytes that are not UTF-8 would otherwise become replacement characters, silently.
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new AppError('INVALID_JSON', `The body is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`)
  }
  assertDepth(value, 0)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('INVALID_PARAMETERS', 'The body must be a JSON object.', {
      issues: [{ path: '', message: 'must be a JSON object' }],
    })
  return value
}

function assertDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth >= MAX_DEPTH) throw new AppError('INVALID_JSON', `The body is nested more than ${MAX_DEPTH} levels deep.`)
  for (const member of Object.values(value)) assertDepth(member, depth + 1)
}
