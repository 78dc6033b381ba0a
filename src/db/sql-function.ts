// Typed callers of SQL functions: arguments by name, never by position. A test compares each declaration with pg_proc.
import { storableJson } from '../rules/storable.ts'
import type { Database } from './pool.ts'

/** SQL types that the functions take. `interval` is given in milliseconds. */
export type SqlType =
  | 'text'
  | 'text[]'
  | 'integer'
  | 'integer[]'
  | 'boolean'
  | 'jsonb'
  | 'uuid'
  | 'interval'
  | 'double precision'
  | 'timestamp with time zone'
/** SQL types that they answer with. */
export type SqlResultType = SqlType | 'void' | 'bigint'

export interface SqlFunction<A extends object, R extends object> {
  (db: Database, args: A): Promise<R[]>
  readonly sqlName: string
  readonly args: Readonly<Record<string, SqlType>>
  /** Result columns in order; a function that answers with one value has one column of its own name. */
  readonly returns: Readonly<Record<string, SqlResultType>>
}

/**
 * Declares a caller of `app.<name>`; `args` maps each argument (without `p_`), and `returns` each result column, to its SQL type.
 * @throws from the call: AppError `TEXT_NOT_STORABLE` before the write, else what the database refused
 */
export function sqlFunction<A extends object, R extends object>(
  name: string,
  args: Record<keyof A & string, SqlType>,
  returns: Record<keyof R & string, SqlResultType>,
): SqlFunction<A, R> {
  const names = Object.keys(args) as (keyof A & string)[]
  const list = names.map((n, i) => `p_${n} => $${i + 1}::${args[n]}`).join(', ')
  const text = `SELECT * FROM app.${name}(${list})`
  const call = async (db: Database, given: A): Promise<R[]> =>
    db.query<R>(
      text,
      names.map((n) => toSql(given[n], args[n])),
    )
  return Object.assign(call, { sqlName: name, args, returns })
}

function toSql(value: unknown, type: SqlType): unknown {
  if (value === null || value === undefined) return null
  if (type === 'jsonb') return storableJson(value)
  if (type === 'interval') return `${Number(value)} milliseconds`
  return value
}

/** The only row of a function that always answers with one. */
export function only<R>(rows: readonly R[]): R {
  const row = rows[0]
  if (row === undefined || rows.length !== 1) throw new Error(`expected one row, got ${rows.length}`)
  return row
}
