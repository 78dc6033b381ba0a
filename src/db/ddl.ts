// zod models → CREATE TABLE. `npm run gen` writes sql/tables.gen.sql from this; nothing is written twice by hand.
import * as z from 'zod'
import { columnMeta, type ColumnMeta, type TableDefinition } from '../models/sql-meta.ts'
import { type Check, jsonbChecks, type JsonSchema, scalarChecks } from './ddl-checks.ts'
import { literal } from './ddl-literal.ts'

const SCHEMA = 'app'

/**
 * DDL of one table: columns with types, NOT NULL, defaults, one named CHECK per zod rule, keys, indexes and comments.
 * @throws Error when a field has no SQL type or a rule cannot be said in SQL
 */
export function tableDdl(table: TableDefinition): string {
  const schema = z.toJSONSchema(table.model, { unrepresentable: 'any' }) as JsonSchema
  const name = `${SCHEMA}.${table.name}`
  const lines: string[] = []
  const comments = [`COMMENT ON TABLE ${name} IS ${literal(table.comment)};`]
  for (const [column, property] of Object.entries(schema.properties ?? {})) {
    const meta = columnMeta.get(table.model.shape[column] as z.ZodType) ?? {}
    lines.push(...columnLines(table.name, column, property, meta, table.model.shape[column] as z.ZodType))
    if (meta.statistics !== undefined)
      comments.push(`ALTER TABLE ${name} ALTER COLUMN ${column} SET STATISTICS ${meta.statistics};`)
    if (property.description) comments.push(`COMMENT ON COLUMN ${name}.${column} IS ${literal(property.description)};`)
  }
  lines.push(`CONSTRAINT ${table.name}_pkey PRIMARY KEY (${table.primaryKey.join(', ')})`)
  for (const [rule, sql] of Object.entries(table.checks ?? {})) lines.push(`CONSTRAINT ${rule} CHECK (${sql})`)
  const storage = table.storage ? ` WITH (${table.storage})` : ''
  return [`CREATE TABLE ${name} (\n  ${lines.join(',\n  ')}\n)${storage};`, ...indexes(table), ...comments].join('\n')
}

/** DDL of the whole schema, tables in the given order. */
export function schemaDdl(tables: readonly TableDefinition[]): string {
  return [`CREATE SCHEMA IF NOT EXISTS ${SCHEMA};`, ...tables.map((t) => tableDdl(t))].join('\n\n') + '\n'
}

function columnLines(table: string, column: string, property: JsonSchema, meta: ColumnMeta, field: z.ZodType): string[] {
  const { schema, nullable } = withoutNull(property)
  const type = meta.type ?? sqlType(schema)
  if (!type) throw new Error(`${table}.${column}: no SQL type for ${JSON.stringify(schema)}; set one with column()`)
  const parts = [column, type]
  const optional = property.default === undefined && field.safeParse(undefined).success
  if (!nullable && !optional) parts.push('NOT NULL')
  if (meta.identity) parts.push('GENERATED ALWAYS AS IDENTITY')
  if (meta.defaultSql) parts.push(`DEFAULT ${meta.defaultSql}`)
  else if (property.default !== undefined) parts.push(`DEFAULT ${literal(property.default)}`)
  const checks = type === 'jsonb' ? jsonbChecks(column, schema) : scalarChecks(column, withoutTypeBounds(schema, type))
  return [parts.join(' '), ...checks.map((c) => checkLine(table, column, c))]
}

function checkLine(table: string, column: string, check: Check): string {
  return `  CONSTRAINT ${`${table}_${column}_${check.rule}`.slice(0, 63)} CHECK (${check.sql})`
}

/** `anyOf [X, null]`, or `type: [x, null]`, → X and nullable. */
function withoutNull(property: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  if (Array.isArray(property.type)) {
    const { type, ...rest } = property
    return withoutNull({ ...rest, anyOf: type.map((t) => ({ ...rest, type: t })) })
  }
  const rest = property.anyOf?.filter((s) => s.type !== 'null')
  if (!rest || rest.length === property.anyOf?.length) return { schema: property, nullable: false }
  return { schema: rest.length === 1 ? (rest[0] as JsonSchema) : { anyOf: rest }, nullable: true }
}

/** A bound that the SQL type has anyway would only cost time on each write. */
function withoutTypeBounds(schema: JsonSchema, type: string): JsonSchema {
  if (type !== 'integer' || schema.maximum !== INT4_MAX) return schema
  const { maximum: _, ...rest } = schema
  return rest
}

const INT4_MAX = 2_147_483_647

function sqlType(schema: JsonSchema): string | undefined {
  switch (schema.type) {
    case 'string':
      return { 'date-time': 'timestamptz', date: 'date', uuid: 'uuid' }[schema.format ?? ''] ?? 'text'
    case 'integer':
      return (schema.maximum ?? INT4_MAX + 1) <= INT4_MAX && (schema.minimum ?? -INT4_MAX - 2) >= -INT4_MAX - 1
        ? 'integer'
        : 'bigint'
    case 'number':
      return 'double precision'
    case 'boolean':
      return 'boolean'
    case 'object':
    case 'array':
      return 'jsonb'
    default:
      return schema.anyOf ? 'jsonb' : undefined
  }
}

function indexes(table: TableDefinition): string[] {
  return (table.indexes ?? []).flatMap((i) => [
    `CREATE ${i.unique ? 'UNIQUE ' : ''}INDEX ${i.name} ON ${SCHEMA}.${table.name}${i.using ? ` USING ${i.using}` : ''} (${i.on})${i.include ? ` INCLUDE (${i.include})` : ''}${i.where ? ` WHERE ${i.where}` : ''};`,
    `COMMENT ON INDEX ${SCHEMA}.${i.name} IS ${literal(i.why)};`,
  ])
}
