// A form from the JSON Schema of a job type's parameters, and parameters from what was filled in. Pure.
import type { Issue, Json } from '../types.ts'

/** What the API gives of a schema, as far as forms need it. */
export interface Schema {
  readonly type?: string
  readonly description?: string
  readonly default?: Json
  readonly enum?: readonly Json[]
  readonly const?: Json
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly maxLength?: number
  readonly format?: string
}

export interface Field {
  /** With dots between the names of members. */
  readonly path: string
  readonly kind: 'text' | 'number' | 'switch' | 'choice' | 'set' | 'list' | 'json'
  readonly isRequired: boolean
  readonly description: string
  /** As it stands in the field while nothing was entered. */
  readonly initial: string
  readonly options: readonly string[]
  readonly schema: Schema
}

/** Fields in the order of the schema; members of an object stand in its place. */
export function fieldsOf(schema: Schema, prefix = '', isWithin = true): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = `${prefix}${name}`
    const isRequired = isWithin && (schema.required ?? []).includes(name)
    if (member.type === 'object' && member.properties) return fieldsOf(member, `${path}.`, isRequired)
    return [
      {
        path,
        kind: kindOf(member),
        isRequired,
        description: member.description ?? '',
        initial: textOf(member.default),
        options: optionsOf(member.items?.enum ? member.items : member).map(textOf),
        schema: member,
      },
    ]
  })
}

function kindOf(schema: Schema): Field['kind'] {
  if (optionsOf(schema).length > 0) return 'choice'
  if (schema.type === 'boolean') return 'switch'
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (
    schema.type === 'string' ||
    schema.anyOf?.every(({ type, const: only }) => type !== 'object' && (type !== undefined || only !== undefined))
  )
    return 'text'
  if (schema.type === 'array' && schema.items?.enum) return 'set'
  return schema.type === 'array' && ['string', 'integer', 'number'].includes(schema.items?.type ?? '') ? 'list' : 'json'
}

/** Of an enumeration, also where it is written as constants. */
function optionsOf({ enum: values, anyOf }: Schema): readonly Json[] {
  if (values) return values
  return anyOf?.every((part) => part.const !== undefined) ? anyOf.map((part) => part.const ?? null) : []
}

/** A value as it stands in a field. */
export function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value) && value.every((v) => typeof v !== 'object')) return value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Values of fields from parameters, e.g. of an earlier job; what no field has is left out. */
export function valuesFrom(fields: readonly Field[], parameters: Json): Record<string, string> {
  const member = (value: Json | undefined, name: string): Json | undefined =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined
  return Object.fromEntries(
    fields.flatMap((field) => {
      let value: Json | undefined = parameters
      for (const name of field.path.split('.')) value = member(value, name)
      return value === undefined ? [] : [[field.path, textOf(value)]]
    }),
  )
}

export interface Filled {
  readonly parameters: { [name: string]: Json }
  readonly issues: readonly Issue[]
}

/** What was filled in as parameters. Empty fields are left out: the server knows the defaults. It checks everything else as well. */
export function parametersOf(fields: readonly Field[], values: Readonly<Record<string, string>>): Filled {
  const parameters: { [name: string]: Json } = {}
  const issues: Issue[] = []
  for (const field of fields) {
    const text = values[field.path] ?? field.initial
    if (text.trim() === '') {
      if (field.isRequired) issues.push({ path: field.path, message: 'is needed' })
      continue
    }
    const value = valueOf(field, text)
    if (value === undefined) issues.push({ path: field.path, message: `is not ${WANTED[field.kind]}` })
    else put(parameters, field.path.split('.'), value)
  }
  return { parameters, issues }
}

const WANTED: Readonly<Record<Field['kind'], string>> = {
  text: 'a text',
  number: 'a number',
  switch: 'true or false',
  choice: 'one of these',
  set: 'some of these',
  list: 'a list with commas between',
  json: 'JSON',
}

function valueOf({ kind, schema }: Field, text: string): Json | undefined {
  if (kind === 'text') return schema.anyOf && isNumber(text) ? Number(text) : text
  if (kind === 'number') return isNumber(text) ? Number(text) : undefined
  if (kind === 'switch') return text === 'true'
  if (kind === 'choice') return optionsOf(schema).find((option) => textOf(option) === text)
  if (kind === 'json') return parsed(text)
  const parts = listed(text)
  if (kind === 'set' || schema.items?.type === 'string') return parts
  return parts.every(isNumber) ? parts.map(Number) : undefined
}

/** What stands between commas. */
export const listed = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text))

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function put(target: { [name: string]: Json }, [name = '', ...rest]: string[], value: Json): void {
  if (rest.length === 0) target[name] = value
  else put((target[name] ??= {}) as { [name: string]: Json }, rest, value)
}
