// Whether a database is what this release expects: told from the models and the functions' files, without a second database.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { tables } from '../models/tables.ts'
import { tableDdl } from './ddl.ts'
import type { Database } from './pool.ts'

/** `kind name` → what is compared: the type of a column, the source of a routine; of constraints and indexes only that they are there, since servers of different versions write them differently. */
export type Shape = ReadonlyMap<string, string>

const FOUND = `
SELECT 'column ' || c.relname || '.' || a.attname AS name, concat_ws(' ', format_type(a.atttypid, a.atttypmod), 'COLLATE ' || quote_ident(l.collname), CASE WHEN a.attnotnull THEN 'not null' END) AS is
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.collname <> 'default'
WHERE c.relnamespace = to_regnamespace('app') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'migrations'
UNION ALL
SELECT 'constraint ' || c.relname || '.' || k.conname, '' FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = to_regnamespace('app') AND c.relname <> 'migrations' AND k.contype <> 'n'
UNION ALL
SELECT 'index ' || i.indexname, '' FROM pg_indexes i WHERE i.schemaname = 'app' AND i.tablename <> 'migrations' AND i.indexname !~ '_pkey$'
UNION ALL
SELECT 'routine ' || p.proname, md5(p.prosrc) FROM pg_proc p WHERE p.pronamespace = to_regnamespace('app')
ORDER BY 1`

/** What the database has in the schema `app`, but the migrations' own table. */
export async function readShape(db: Database): Promise<Shape> {
  const rows = await db.query<{ name: string; is: string }>(FOUND)
  return new Map(rows.map((r) => [r.name, r.is]))
}

/** What this release expects. @param functionsFolder the folder of the SQL functions, one file each */
export async function expectedShape(functionsFolder: string): Promise<Shape> {
  const files = (await readdir(functionsFolder)).filter((n) => n.endsWith('.sql'))
  const routines = await Promise.all(
    files.map(async (file): Promise<[string, string]> => {
      const source = /\bAS \$(\w*)\$([\s\S]*)\$\1\$/.exec(await readFile(join(functionsFolder, file), 'utf8'))?.[2]
      return [
        `routine ${basename(file, '.sql')}`,
        createHash('md5')
          .update(source ?? '')
          .digest('hex'),
      ]
    }),
  )
  return new Map([...tables.flatMap((t) => tableShape(t.name, tableDdl(t))), ...routines])
}

const TYPES: Readonly<Record<string, string>> = { timestamptz: 'timestamp with time zone' }

/** Reads our own DDL, of which each line says one thing. */
function tableShape(table: string, ddl: string): [string, string][] {
  const body = ddl.slice(ddl.indexOf('(\n') + 2, ddl.indexOf('\n)'))
  const parts = body.split('\n').flatMap((line): [string, string][] => {
    const constraint = /^\s*CONSTRAINT (\w+)/.exec(line)?.[1]
    if (constraint !== undefined) return [[`constraint ${table}.${constraint}`, '']]
    const [, name, type = ''] = /^\s*(\w+) (.+?)(?= NOT NULL| DEFAULT| GENERATED|,?$)/.exec(line) ?? []
    if (name === undefined) return []
    const isNotNull = / NOT NULL\b/.test(line) || new RegExp(`PRIMARY KEY \\([^)]*\\b${name}\\b`).test(body)
    return [[`column ${table}.${name}`, `${TYPES[type] ?? type}${isNotNull ? ' not null' : ''}`]]
  })
  const indexes = [...ddl.matchAll(/^CREATE (?:UNIQUE )?INDEX (\w+)/gm)].map((m): [string, string] => [`index ${m[1]}`, ''])
  return [...parts, ...indexes]
}

/** What is missing, extra or different, one readable line each; empty when there is no drift. */
export function driftBetween(expected: Shape, found: Shape): string[] {
  const missing = [...expected.keys()].filter((name) => !found.has(name)).map((name) => `missing: ${name}`)
  const extra = [...found.keys()].filter((name) => !expected.has(name)).map((name) => `not in this release: ${name}`)
  const changed = [...expected].flatMap(([name, is]) => {
    const there = found.get(name)
    if (there === undefined || there === is) return []
    return [name.startsWith('routine') ? `differs: ${name}` : `differs: ${name}: ${there} instead of ${is}`]
  })
  return [...missing, ...extra, ...changed]
}
