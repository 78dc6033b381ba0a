// JSON Schema rules → SQL boolean expressions. Each rule becomes one named CHECK, so that a violation says which rule.
import { literal } from './ddl-literal.ts'

/** The part of JSON Schema (2020-12) that `z.toJSONSchema` emits for our models. */
export interface JsonSchema {
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  minItems?: number
  maxItems?: number
  items?: JsonSchema | boolean
  prefixItems?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema | boolean
  propertyNames?: JsonSchema
  anyOf?: JsonSchema[]
  default?: unknown
  description?: string
}

/** One rule: its name (last part of the constraint name) and its SQL over the column. */
export interface Check {
  readonly rule: string
  readonly sql: string
}

/** JavaScript's safe-integer bounds, which zod adds to every integer; they say nothing about the column. */
const SAFE = Number.MAX_SAFE_INTEGER

/** Formats whose pattern is implied by their SQL type. */
const TYPED_FORMATS = new Set(['date-time', 'date', 'time', 'uuid'])

/**
 * Rules of a scalar schema over a SQL expression of the matching type.
 * @throws Error when a pattern uses syntax that PostgreSQL's regular expressions lack
 */
export function scalarChecks(expr: string, schema: JsonSchema): Check[] {
  const checks: Check[] = []
  const add = (rule: string, sql: string): void => void checks.push({ rule, sql })
  if (schema.enum) add('enum', `${expr} IN (${schema.enum.map((v) => literal(v)).join(', ')})`)
  if (schema.const !== undefined) add('const', `${expr} = ${literal(schema.const)}`)
  if (schema.minLength) add('min_length', `char_length(${expr}) >= ${schema.minLength}`)
  if (schema.maxLength !== undefined) add('max_length', `char_length(${expr}) <= ${schema.maxLength}`)
  if (schema.pattern && !TYPED_FORMATS.has(schema.format ?? '')) add('pattern', `${expr} ~ ${literal(posix(schema.pattern))}`)
  if (schema.minimum !== undefined && schema.minimum !== -SAFE) add('min', `${expr} >= ${schema.minimum}`)
  if (schema.maximum !== undefined && schema.maximum !== SAFE) add('max', `${expr} <= ${schema.maximum}`)
  if (schema.exclusiveMinimum !== undefined) add('exclusive_min', `${expr} > ${schema.exclusiveMinimum}`)
  if (schema.exclusiveMaximum !== undefined) add('exclusive_max', `${expr} < ${schema.exclusiveMaximum}`)
  if (schema.multipleOf !== undefined) add('multiple_of', `mod(${expr}::numeric, ${schema.multipleOf}) = 0`)
  return checks
}

/** Rules of a jsonb column: kind, then whatever of the nested schema SQL can say without a subquery. */
export function jsonbChecks(column: string, schema: JsonSchema): Check[] {
  const checks: Check[] = []
  const kind = kindOf(schema)
  if (kind) checks.push({ rule: 'type', sql: typeTest(column, kind) })
  const rest = nestedRules(column, schema)
  // Another kind is the type rule's violation: PostgreSQL checks in order of name, and shape functions raise on other kinds.
  const shape = rest.join(' AND ')
  if (rest.length > 0)
    checks.push({ rule: 'shape', sql: kind ? `CASE WHEN ${typeTest(column, kind)} THEN ${shape} ELSE true END` : shape })
  return checks
}

function kindOf(schema: JsonSchema): string | undefined {
  return typeof schema.type === 'string' ? schema.type : undefined
}

function typeTest(expr: string, kind: string): string {
  if (kind === 'integer') return `(jsonb_typeof(${expr}) = 'number' AND mod((${expr} #>> '{}')::numeric, 1) = 0)`
  return `jsonb_typeof(${expr}) = ${literal(kind)}`
}

/** A value at a jsonb expression: CASE guards the casts, because SQL does not promise the order of AND. */
function valueRule(expr: string, schema: JsonSchema): string | undefined {
  const alternatives = schema.anyOf?.map((s) => valueRule(expr, s) ?? 'true')
  if (alternatives) return alternatives.includes('true') ? undefined : `(${alternatives.join(' OR ')})`
  const kind = kindOf(schema)
  if (!kind) return undefined
  const rules = nestedRules(expr, schema)
  return rules.length === 0
    ? typeTest(expr, kind)
    : `CASE WHEN ${typeTest(expr, kind)} THEN ${rules.join(' AND ')} ELSE false END`
}

function nestedRules(expr: string, schema: JsonSchema): string[] {
  const kind = kindOf(schema)
  if (kind === 'object') return objectRules(expr, schema)
  if (kind === 'array') return arrayRules(expr, schema)
  if (!kind) return []
  const text = `(${expr} #>> '{}')`
  const cast = kind === 'string' ? text : kind === 'boolean' ? `${text}::boolean` : `${text}::numeric`
  return scalarChecks(cast, schema).map((c) => c.sql)
}

function objectRules(expr: string, schema: JsonSchema): string[] {
  const rules: string[] = []
  if (schema.required?.length) rules.push(`${expr} ?& array[${schema.required.map((k) => literal(k)).join(', ')}]`)
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const rule = valueRule(`(${expr} -> ${literal(key)})`, property)
    if (!rule) continue
    rules.push(schema.required?.includes(key) ? rule : `(NOT ${expr} ? ${literal(key)} OR ${rule})`)
  }
  if (schema.additionalProperties === false) {
    const known = Object.keys(schema.properties ?? {})
    rules.push(`(${expr} - array[${known.map((k) => literal(k)).join(', ')}]::text[]) = '{}'::jsonb`)
  }
  return rules
}

function arrayRules(expr: string, schema: JsonSchema): string[] {
  const rules: string[] = []
  if (schema.minItems) rules.push(`jsonb_array_length(${expr}) >= ${schema.minItems}`)
  if (schema.maxItems !== undefined) rules.push(`jsonb_array_length(${expr}) <= ${schema.maxItems}`)
  // A CHECK may not contain a subquery, so items are tested by jsonpath: no item may break the rule.
  if (typeof schema.items === 'object') {
    const broken = itemViolations(schema.items)
    if (broken.length > 0) rules.push(`NOT jsonb_path_exists(${expr}, ${literal(`$[*] ? (${broken.join(' || ')})`)})`)
  }
  schema.prefixItems?.forEach((item, i) => {
    const rule = valueRule(`(${expr} -> ${i})`, item)
    if (rule) rules.push(rule)
  })
  return rules
}

/** jsonpath predicates that are true for an item that breaks its schema. */
function itemViolations(item: JsonSchema): string[] {
  const kind = kindOf(item)
  if (!kind) return []
  const broken = [`@.type() != ${JSON.stringify(kind === 'integer' ? 'number' : kind)}`]
  if (kind === 'integer') broken.push('@ % 1 != 0')
  if (item.enum) broken.push(`!(${item.enum.map((v) => `@ == ${JSON.stringify(v)}`).join(' || ')})`)
  if (item.pattern && !item.format) broken.push(`!(@ like_regex ${JSON.stringify(posix(item.pattern))})`)
  if (item.minimum !== undefined && item.minimum !== -SAFE) broken.push(`@ < ${item.minimum}`)
  if (item.maximum !== undefined && item.maximum !== SAFE) broken.push(`@ > ${item.maximum}`)
  for (const [key, property] of Object.entries(item.properties ?? {})) {
    const type = kindOf(property)
    if (item.required?.includes(key)) broken.push(`!(exists(@.${JSON.stringify(key)}))`)
    if (type) broken.push(`@.${JSON.stringify(key)}.type() != ${JSON.stringify(type === 'integer' ? 'number' : type)}`)
  }
  return broken
}

/** JavaScript pattern → PostgreSQL ARE. What it does not know is refused while generating, never dropped silently. */
function posix(pattern: string): string {
  if (/\(\?<|\\[pPkbB]/.test(pattern)) throw new Error(`pattern ${pattern} uses syntax that PostgreSQL lacks`)
  return pattern
}
