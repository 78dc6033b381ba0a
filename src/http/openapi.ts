// The API described for machines (OpenAPI 3.1): made from the rows that register the routes, and the schemas that check their inputs.
import * as z from 'zod'
import { RELEASE } from '../platform/release.ts'
import { ERROR_CODES } from '../rules/error-codes.ts'
import { ANSWERS, type DeclaredAnswer } from './openapi-answers.ts'
import type { HttpRow } from './route.ts'
import { plainTemplate } from './template.ts'

type Json = Record<string, unknown>

/** @param origin of the server that answers */
export function openApi(rows: readonly HttpRow[], origin: string): Json {
  const paths: Record<string, Json> = {}
  for (const row of rows) {
    const path = `/api/${plainTemplate(row.path).replaceAll('{*', '{')}`
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operation(row) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Lamplighter',
      version: RELEASE.version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Jobs over rasters in blob containers: inventory, description (STAC), cutting, Cloud-Optimized GeoTIFF. Errors are problem+json (RFC 9457) with a code and a request_id.',
    },
    servers: [{ url: origin }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'AUTH_MODE jwt' },
        key: { type: 'apiKey', in: 'header', name: 'x-functions-key', description: 'AUTH_MODE key' },
      },
      schemas: { Problem: PROBLEM },
    },
  }
}

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'what happened, why, and what to do' },
    code: { type: 'string', enum: Object.keys(ERROR_CODES).toSorted() },
    request_id: { type: 'string' },
    issues: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
}

function operation(row: HttpRow): Json {
  const { name, summary, role, path, takes = {} } = row
  const body = bodyOf(row)
  return {
    operationId: name,
    summary: summary.replaceAll('`', ''),
    tags: [path.split('/')[0] ?? ''],
    'x-role': role,
    security: role === 'anonymous' ? [] : [{ bearer: [] }, { key: [] }],
    parameters: [...pathParameters(path, takes.pathParameters), ...queryParameters(takes.query)],
    ...(body ? { requestBody: body } : {}),
    responses: { ...answersOf(row), ...problemsOf(row) },
  }
}

const schemaOf = (schema: z.ZodType, io: 'input' | 'output' = 'input'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
  return rest
}

/** Of a value in a URL: what it becomes tells more than the text that it is. */
function textSchema(property: z.ZodType): Json {
  const [after, before] = [schemaOf(property, 'output'), schemaOf(property)]
  const says = (schema: Json): boolean => ['type', 'enum', 'anyOf', 'const', '$ref'].some((key) => key in schema)
  const { default: _, ...plain } = says(after) ? after : says(before) ? before : { ...before, type: 'string' }
  return 'default' in before ? { ...plain, default: before['default'] } : plain
}

const shapeOf = (schema: z.ZodType | undefined): Record<string, z.ZodType> =>
  schema && 'shape' in schema ? (schema.shape as Record<string, z.ZodType>) : {}

function pathParameters(path: string, schema: z.ZodType | undefined): Json[] {
  const shape = shapeOf(schema)
  return [...plainTemplate(path).matchAll(/\{(\*?)(\w+)\}/g)].map(([, rest, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...(rest ? { description: 'the rest of the path, with its slashes; may be empty where the summary says so' } : {}),
    schema: shape[name] ? textSchema(shape[name]) : { type: 'string' },
  }))
}

function queryParameters(schema: z.ZodType | undefined): Json[] {
  return Object.entries(shapeOf(schema)).map(([name, property]) => {
    const { description, ...rest } = textSchema(property)
    const isRequired = !property.safeParse(undefined).success
    return { name, in: 'query', required: isRequired, ...(description ? { description } : {}), schema: rest }
  })
}

function bodyOf({ takes = {} }: HttpRow): Json | undefined {
  if (takes.uploadBytes !== undefined)
    return {
      required: true,
      description: `at most ${takes.uploadBytes} bytes`,
      content: { '*/*': { schema: { type: 'string', format: 'binary', maxLength: takes.uploadBytes } } },
    }
  return takes.body ? { required: false, content: { 'application/json': { schema: schemaOf(takes.body) } } } : undefined
}

function answersOf({ name }: HttpRow): Json {
  const declared = ANSWERS[name] ?? {}
  return Object.fromEntries(Object.entries(declared).map(([status, answer]) => [status, answerOf(answer)]))
}

function answerOf({ description, type = 'application/json', schema }: DeclaredAnswer): Json {
  if (type === null) return { description }
  return { description, content: { [type]: { schema: schema ? schemaOf(schema) : {} } } }
}

const MEANING: Readonly<Record<number, string>> = {
  400: 'an input breaks a rule; issues names each',
  401: 'the caller is not known',
  403: 'the caller may not; or a page of another origin, a container that is not on the list',
  404: 'there is no such thing',
  406: 'it is of another type than Accept asks for',
  408: 'the body did not arrive in time',
  409: 'its state does not allow it',
  412: 'it was changed meanwhile',
  413: 'too large',
  415: 'the body is not of the type that is wanted',
  416: 'the range is beyond its end',
  422: 'understood, and yet it cannot be done: too slow, not a raster, beyond a quota',
  429: 'too much at once; Retry-After says when',
  500: 'an unexpected error, in the log under request_id',
  502: 'what lies behind answered something odd',
  503: 'what lies behind does not answer now; Retry-After says when',
  504: 'what lies behind took too long',
}

/** Statuses of refusals: those of every route, and those that its inputs bring. */
export function problemStatuses({ role, method, takes = {}, path }: HttpRow): number[] {
  const changes = method !== 'GET'
  return [
    400,
    ...(role === 'anonymous' ? [] : [401, 403]),
    404,
    ...(path.includes('file/') || path.includes('download/') ? [406, 416] : []),
    ...((takes.body ?? takes.uploadBytes) ? [408, 413, 415] : []),
    ...(changes ? [409, 412, 429] : [409]),
    422,
    500,
    502,
    503,
    504,
  ]
}

function problemsOf(row: HttpRow): Json {
  const own = new Set(Object.keys(ANSWERS[row.name] ?? {}))
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    problemStatuses(row)
      .filter((status) => !own.has(String(status)))
      .map((status) => [status, { description: MEANING[status] ?? 'a problem', content }]),
  )
}
