// Replaces the SQL functions of a release without taking anything from others: no CASCADE, and grants stay as a DBA made them.
import type pg from 'pg'

/** `CREATE FUNCTION app.claim_tasks(…)…` of one file. */
export interface FunctionSource {
  readonly name: string
  readonly sql: string
}

interface Routine {
  readonly oid: number
  readonly name: string
  readonly kind: 'FUNCTION' | 'PROCEDURE'
  readonly signature: string
  /** Statements that give a new routine of this name the grants of this one; none: the default, everybody may call it. */
  readonly grants: string[] | null
  readonly is_ours: boolean
}

const ROUTINES = `SELECT p.oid, p.proname AS name, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
  p.oid::regprocedure::text AS signature, obj_description(p.oid, 'pg_proc') = 'Lamplighter' AS is_ours,
  CASE WHEN p.proacl IS NOT NULL THEN ARRAY(SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
    || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END FROM aclexplode(p.proacl) a WHERE a.grantee <> p.proowner) END AS grants
FROM pg_proc p WHERE p.pronamespace = 'app'::regnamespace ORDER BY p.oid`

/** "cannot change return type", "cannot change name of input parameter", "cannot change routine kind". */
const NOT_REPLACEABLE = new Set(['42P13', '42809'])

/**
 * Inside the caller's transaction: each function is replaced where it stands; one whose signature or answer changed is dropped and made
 * anew with its grants; one that this release no longer has is dropped.
 * @throws what Postgres says, e.g. that a view of somebody else depends on a function that would have to be dropped
 */
export async function replaceFunctions(client: pg.Client, sources: readonly FunctionSource[]): Promise<void> {
  await client.query('SET LOCAL check_function_bodies = off')
  const before = await routines(client)
  for (const source of sources) {
    const old = before.filter((r) => r.name === source.name)
    await client.query('SAVEPOINT replacing')
    try {
      await client.query(source.sql.replace(/^CREATE (FUNCTION|PROCEDURE)/m, 'CREATE OR REPLACE $1'))
    } catch (error) {
      if (!NOT_REPLACEABLE.has((error as { code?: string }).code ?? '')) throw error
      await client.query('ROLLBACK TO replacing')
      for (const r of old) await client.query(`DROP ${r.kind} ${r.signature}`)
      await client.query(source.sql)
    }
    await client.query('RELEASE replacing')
  }
  const after = await routines(client)
  for (const r of after) {
    const isKept = sources.some((s) => s.name === r.name)
    const isOld = before.some((b) => b.oid === r.oid)
    const isReplaced = isKept && isOld && after.some((x) => x.name === r.name && !before.some((b) => b.oid === x.oid))
    if (isReplaced || (!isKept && r.is_ours)) await client.query(`DROP ${r.kind} ${r.signature}`)
    if (isReplaced || !isKept) continue
    if (!r.is_ours) await client.query(`COMMENT ON ${r.kind} ${r.signature} IS 'Lamplighter'`)
    const grants = isOld ? null : before.find((b) => b.name === r.name)?.grants
    if (!grants) continue
    await client.query(`REVOKE ALL ON ${r.kind} ${r.signature} FROM PUBLIC`)
    for (const to of grants) await client.query(`GRANT EXECUTE ON ${r.kind} ${r.signature} TO ${to}`)
  }
  // Of the first release: its only use was the answer of close_stage.
  await client.query('DROP TYPE IF EXISTS app.stage_closure')
}

async function routines(client: pg.Client): Promise<Routine[]> {
  return (await client.query<Routine>(ROUTINES)).rows
}
