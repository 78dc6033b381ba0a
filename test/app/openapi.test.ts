// The description of the API is what the app does: every operation asked with good and broken inputs gives only what it declares.
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApi } from '../../src/http/openapi.ts'
import { ANSWERS } from '../../src/http/openapi-answers.ts'
import { HTTP_TABLE } from '../../src/http/table.ts'
import { startApp, type TestApp } from '../support/app.ts'

interface Operation {
  readonly operationId: string
  readonly 'x-role': string
  readonly parameters: readonly { name: string; in: 'path' | 'query'; required: boolean; schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>>
}
interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
}

let app: TestApp
let jobId: string
let document: { paths: Record<string, Record<string, Operation>>; components: { schemas: { Problem: object } } }
beforeAll(async () => {
  app = await startApp({ env: { WEBHOOK_HOSTS: 'hooks.example' } })
  jobId = (await app.submit('hello_world', { n: 2 })).job_id
  await app.waitForJob(jobId)
  document = (await app.get('/api/openapi.json')).body
})
afterAll(() => app.stop())

const ajv = new Ajv2020({ strict: false, allErrors: false })
formats.default(ajv)

test('it has every route of the table once, with its role; every path parameter is declared; every schema compiles', () => {
  const operations = Object.entries(document.paths).flatMap(([path, of]) =>
    Object.entries(of).map(([method, o]) => [path, method, o] as const),
  )
  expect(operations.map(([, , o]) => o.operationId).toSorted()).toEqual(HTTP_TABLE.map((row) => row.name).toSorted())
  for (const [path, , operation] of operations) {
    expect(operation['x-role']).toBe(HTTP_TABLE.find((row) => row.name === operation.operationId)?.role)
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1])
    expect(operation.parameters.filter((p) => p.in === 'path').map((p) => p.name)).toEqual(named)
    for (const { schema } of [...operation.parameters, ...Object.values(operation.requestBody?.content ?? {})])
      ajv.compile(schema)
  }
  expect(Object.keys(ANSWERS).filter((name) => !HTTP_TABLE.some((row) => row.name === name))).toEqual([])
})

const isJson = (type: string): boolean => /[/+]json\b/.test(type)
type Declared = Operation['responses'][string]

/** An answer that is JSON has a declared shape, and fits it. */
function expectShape(declared: Declared | undefined, type: string, body: unknown): void {
  if (!isJson(type) || type === 'application/problem+json') return
  const [of, { schema } = { schema: undefined }] =
    Object.entries(declared?.content ?? {}).find(([of]) => of.split(';')[0] === type || of === '*/*') ?? []
  // Bytes of somebody's blob, whatever they call themselves.
  if (of === '*/*') return
  expect([type, typeof schema]).toEqual([type, 'object'])
  const check = ajv.compile(schema ?? {})
  const value: unknown = typeof body === 'string' ? JSON.parse(body) : body
  expect([check(value), check.errors, check.errors ? value : null]).toEqual([true, null, null])
}

test('every route declares what it answers, and every JSON its shape: nothing fits none, an empty object or a list', () => {
  const silent = HTTP_TABLE.filter(({ name }) => Object.keys(ANSWERS[name] ?? {}).length === 0)
  expect(silent.map(({ name }) => name)).toEqual([])
  const loose = Object.entries(ANSWERS).flatMap(([name, answers]) =>
    Object.entries(answers).flatMap(([status, { type = 'application/json', schema }]) => {
      if (type === null || !isJson(type)) return []
      if (!schema) return [`${name} ${status}: no schema`]
      return [null, {}, [], 'text'].some((value) => schema.safeParse(value).success) ? [`${name} ${status}: takes anything`] : []
    }),
  )
  expect(loose).toEqual([])
})

/** Values that mean something, by the name of the parameter. */
const GOOD: Readonly<Record<string, () => unknown>> = {
  job_id: () => jobId,
  container: () => 'silver',
  job_type: () => 'hello_world',
  stage: () => 1,
  collection_id: () => 'bronze-silver',
  confirm: () => 'no',
  since: () => '2026-01-01T00:00:00Z',
  text: () => 'a',
  pattern: () => '*.tif',
}
const ODD = fc.constantFrom<unknown>('', '..', 'ž', '-1', 'null', '%00', `'; --`, 'x'.repeat(3000), '1e9', '{}')

function good(name: string, schema: Schema): fc.Arbitrary<unknown> {
  const own = GOOD[name]
  if (own) return fc.constant(own())
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.type === 'integer' || schema.type === 'number')
    return fc.constant(Math.max(schema.minimum ?? 1, Math.min(2, schema.maximum ?? 2)))
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'array') return fc.constant([])
  if (schema.type === 'object') return fc.constant({})
  return fc.constantFrom<unknown>('a', 'b-1')
}
/** Mostly good; now and then one is odd, of another type, or not there. */
const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))
const mixed = (name: string, schema: Schema): fc.Arbitrary<unknown> =>
  fc.oneof(
    { arbitrary: good(name, schema), weight: 6 },
    { arbitrary: ODD, weight: 1 },
    { arbitrary: fc.constant(undefined), weight: 2 },
  )

function requestOf({ parameters, requestBody }: Operation) {
  const values = (place: string) =>
    fc.record(Object.fromEntries(parameters.filter((p) => p.in === place).map((p) => [p.name, mixed(p.name, p.schema)])))
  const schema = requestBody?.content['application/json']?.schema
  const body = schema
    ? fc.record(Object.fromEntries(Object.entries(schema.properties ?? {}).map(([k, s]) => [k, mixed(k, s)])))
    : fc.constant(undefined)
  return fc.record({
    path: values('path'),
    query: values('query'),
    body: fc.oneof({ arbitrary: body, weight: 5 }, { arbitrary: fc.constant('no json'), weight: 1 }),
  })
}

describe('each operation gives only what it declares', () => {
  const all = openApi(HTTP_TABLE, 'http://x') as unknown as typeof document
  for (const [template, methods] of Object.entries(all.paths))
    for (const [method, operation] of Object.entries(methods))
      test(`${method.toUpperCase()} ${template}`, async () => {
        const problem = ajv.compile(document.components.schemas.Problem)
        await fc.assert(
          fc.asyncProperty(requestOf(operation), async ({ path, query, body }) => {
            const at = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
              encodeURIComponent(text((path as Record<string, unknown>)[name] ?? 'x')),
            )
            const search = new URLSearchParams(
              Object.entries(query).flatMap(([k, v]): [string, string][] => (v === undefined ? [] : [[k, text(v)]])),
            )
            const isUpload = operation.requestBody?.content['*/*'] !== undefined
            const sent = isUpload ? Buffer.from('x') : operation.requestBody ? (body ?? {}) : undefined
            const type = isUpload ? 'application/octet-stream' : 'application/json'
            const answer = await app.send(
              method.toUpperCase(),
              `${at}?${search.toString()}`,
              sent,
              method === 'get' ? {} : { 'content-type': type },
            )
            // The host itself refuses what is no path: it is none of ours then.
            if (typeof answer.body === 'string' && answer.body === '' && answer.status >= 400) return
            // A path that changed with the value belongs to another operation.
            if (answer.body?.code === 'ROUTE_NOT_FOUND' || answer.status === 405) return
            const declared = operation.responses[answer.status]
            expect([template, at, search.toString(), answer.status, declared === undefined ? answer.body : 'declared']).toEqual([
              template,
              at,
              search.toString(),
              answer.status,
              'declared',
            ])
            const answered = answer.headers.get('content-type')?.split(';')[0] ?? ''
            if (answered === 'application/problem+json') expect([answer.body, problem(answer.body)]).toEqual([answer.body, true])
            expectShape(declared, answered, answer.body)
          }),
          { numRuns: 4, seed: 7 },
        )
      })
})

test('the page for people has every operation, runs no script and asks nobody else', async () => {
  const answer = await app.get('/api/docs')
  expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
  for (const { method, path } of HTTP_TABLE)
    expect(answer.body).toContain(`<span class="method">${method}</span> <code>/api/${path.replaceAll(/:[^}]*\}/g, '}')}`)
  expect(answer.body).not.toMatch(/<script|<link|<img|src=|url\(/)
})
