// Inputs against their schemas: every broken rule with its path, and the nearest known name for an unknown one.
import type * as z from 'zod'
import { AppError, type Issue } from '../rules/errors.ts'
import { didYouMean } from '../rules/nearest.ts'

type InputCode = 'INVALID_ID' | 'INVALID_QUERY' | 'INVALID_PARAMETERS'

/** The refusal of an input: every broken rule with its path. */
export function invalid(code: InputCode, issues: readonly Issue[]): AppError {
  const text = issues.map((i) => `${i.path || 'body'}: ${i.message}`).join('; ')
  return new AppError(code, `Invalid input: ${text.slice(0, 2000)}`, { issues: issues.slice(0, 50) })
}

/** @throws AppError with one issue per broken rule */
export function validate<T>(schema: z.ZodType<T> | z.ZodType, value: unknown, code: InputCode): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data as T
  throw invalid(
    code,
    parsed.error.issues.flatMap((issue) => toIssues(issue, schema, value)),
  )
}

function toIssues(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): Issue[] {
  const path = issue.path.map(String).join('.')
  if (issue.code === 'invalid_value') {
    const given = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value)
    const meant = typeof given === 'string' ? didYouMean(given, issue.values.map(String)) : ''
    return [{ path, message: `${issue.message}${meant && `.${meant}`}` }]
  }
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  const known = fieldsAt(schema, issue.path)
  return issue.keys.map((key) => {
    const meant = didYouMean(key, known)
    return { path: path ? `${path}.${key}` : key, message: `unknown key${meant && `.${meant}`}` }
  })
}

/** Names of the fields of the object at a path of a schema; none where the path leads through something else. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema
  for (const key of path) at = shapeOf(at)?.[key as string]
  return Object.keys(shapeOf(at) ?? {})
}

/** Of an object, also within optional, default and preprocess (whose object comes out of a pipe). */
function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  if (schema === undefined) return undefined
  const { shape, def } = schema as { shape?: Record<string, unknown>; def?: { innerType?: unknown; in?: unknown; out?: unknown } }
  return shape ?? shapeOf(def?.innerType) ?? shapeOf(def?.in) ?? shapeOf(def?.out)
}
