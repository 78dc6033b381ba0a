// SQL facts about zod fields, in a registry of their own so that they never leak into OpenAPI or the docs.
import * as z from 'zod'

/** What the DDL generator cannot read from a zod schema itself. */
export interface ColumnMeta {
  /** SQL type instead of the derived one, e.g. `integer` where zod only says "safe integer". */
  readonly type?: string
  /** SQL default expression, e.g. `now()`. Plain values come from zod's own `.default()`. */
  readonly defaultSql?: string
  /** `SET STATISTICS`: 0 keeps the planner from taking a value that it has not seen yet for a rare one. */
  readonly statistics?: number
  /** `GENERATED ALWAYS AS IDENTITY`. */
  readonly identity?: boolean
}

/** The registry behind {@link column}. */
export const columnMeta = z.registry<ColumnMeta>()

/** Attaches SQL facts to the outermost schema of a field and returns that schema. */
export function column<T extends z.ZodType>(schema: T, meta: ColumnMeta): T {
  columnMeta.add(schema, meta)
  return schema
}

/** An index beyond primary key and unique constraints; `on` and `where` are SQL. */
export interface IndexDefinition {
  readonly name: string
  readonly on: string
  /** Access method; default: btree. */
  readonly using?: 'gist' | 'gin'
  /** Columns that it only carries, so that the table need not be read. */
  readonly include?: string
  readonly unique?: boolean
  readonly where?: string
  /** Why it exists: which query it serves. */
  readonly why: string
}

/** A table: its zod model plus what only SQL knows. */
export interface TableDefinition {
  readonly name: string
  readonly comment: string
  readonly model: z.ZodObject
  readonly primaryKey: readonly string[]
  readonly indexes?: readonly IndexDefinition[]
  /** Cross-column rules: constraint name → SQL expression. */
  readonly checks?: Readonly<Record<string, string>>
  readonly storage?: string
}

/** A 32-bit integer column with optional bounds. */
export function int32(min: number, max = 2_147_483_647): z.ZodInt {
  return z.int().min(min).max(max)
}

/** A timestamptz, on the wire an ISO 8601 text with offset. */
export function instant(): z.ZodISODateTime {
  return z.iso.datetime({ offset: true })
}

/** A timestamptz that defaults to the transaction's time. */
export function instantNow(description: string): z.ZodISODateTime {
  return column(instant().describe(description), { defaultSql: 'now()' })
}

/** Free JSON, stored as jsonb. */
export function json(): z.ZodUnknown {
  return z.unknown()
}
