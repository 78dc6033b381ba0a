// The shape of a schema, read from the catalogue: compared between migrations and models, and between a database and this release.
import type { Database } from './pool.ts'

const CATALOGUE = `
SELECT 'column' AS kind, c.relname || '.' || a.attname AS name,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END, nullif(a.attidentity::text, ''),
    pg_get_expr(d.adbin, d.adrelid), nullif(a.attstattarget, -1), col_description(c.oid, a.attnum)) AS definition
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'migrations'
UNION ALL
SELECT 'constraint', c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'app'::regnamespace AND c.relname <> 'migrations'
UNION ALL
SELECT 'index', i.indexname, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'app' AND i.tablename <> 'migrations'
UNION ALL
SELECT 'table', c.relname, concat_ws(' ', array_to_string(c.reloptions, ','), obj_description(c.oid))
FROM pg_class c WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'r' AND c.relname <> 'migrations'
UNION ALL
SELECT 'routine', p.proname, md5(pg_get_functiondef(p.oid)) FROM pg_proc p WHERE p.pronamespace = 'app'::regnamespace
ORDER BY 1, 2`

/** `kind name` → definition, of everything in the schema `app` but the migrations' own table. */
export async function readCatalogue(db: Database): Promise<Map<string, string>> {
  const rows = await db.query<{ kind: string; name: string; definition: string | null }>(CATALOGUE)
  return new Map(rows.map((r) => [`${r.kind} ${r.name}`, r.definition ?? '']))
}

/** Differences as readable lines; empty when the two are equal. */
export function compareCatalogues(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  const missing = [...expected].filter(([k]) => !found.has(k)).map(([k]) => `missing: ${k}`)
  const extra = [...found].filter(([k]) => !expected.has(k)).map(([k]) => `not in this release: ${k}`)
  const changed = [...expected]
    .filter(([k, v]) => found.has(k) && found.get(k) !== v)
    .map(([k, v]) => `differs: ${k}: ${found.get(k)} instead of ${v}`)
  return [...missing, ...extra, ...changed]
}
