// The local database as Azure has it: one role owns the schema, a smaller one runs the app; neither is a superuser.
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { APP_ROLE, grantsForApp, OWNER_ROLE } from '../src/db/grants.ts'
import { migrate } from '../src/db/migrate.ts'

/** Connection strings of one database. */
export interface RoleUrls {
  readonly owner: string
  readonly app: string
}

/** What an older release made as superuser goes to the owner; sequences of identity columns follow their tables. */
const HAND_OVER = `DO $$
DECLARE statement text;
BEGIN
  IF to_regnamespace('app') IS NULL THEN RETURN; END IF;
  ALTER SCHEMA app OWNER TO ${OWNER_ROLE};
  FOR statement IN
    SELECT format('ALTER TABLE %s OWNER TO ${OWNER_ROLE}', c.oid::regclass) FROM pg_class c
    WHERE c.relnamespace = 'app'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relowner <> '${OWNER_ROLE}'::regrole
    UNION ALL
    SELECT format('ALTER ROUTINE %s OWNER TO ${OWNER_ROLE}', p.oid::regprocedure) FROM pg_proc p
    WHERE p.pronamespace = 'app'::regnamespace AND p.proowner <> '${OWNER_ROLE}'::regrole
    UNION ALL
    SELECT format('ALTER TYPE %s OWNER TO ${OWNER_ROLE}', t.oid::regtype) FROM pg_type t
    WHERE t.typnamespace = 'app'::regnamespace AND t.typtype IN ('e', 'd') AND t.typowner <> '${OWNER_ROLE}'::regrole
  LOOP EXECUTE statement; END LOOP;
END $$`

/** The two roles' connection strings for the database of a superuser's; their passwords follow from the superuser's. */
export function roleUrls(superuserUrl: string): RoleUrls {
  const of = (role: string): string =>
    Object.assign(new URL(superuserUrl), { username: role, password: passwordOf(superuserUrl, role) }).href
  return { owner: of(OWNER_ROLE), app: of(APP_ROLE) }
}

const passwordOf = (superuserUrl: string, role: string): string =>
  createHmac('sha256', new URL(superuserUrl).password).update(role).digest('hex').slice(0, 36)

/** Makes the roles, migrates as the owner and grants the app what it needs. Run twice, the second run changes nothing. */
export async function prepareDatabase(superuserUrl: string, root: string): Promise<RoleUrls> {
  const urls = roleUrls(superuserUrl)
  const database = new URL(superuserUrl).pathname.slice(1)
  await run(superuserUrl, [
    ...[OWNER_ROLE, APP_ROLE].flatMap((role) => [
      `DO $$ BEGIN IF to_regrole('${role}') IS NULL THEN CREATE ROLE ${role}; END IF; END $$`,
      `ALTER ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '${passwordOf(superuserUrl, role)}'`,
    ]),
    `GRANT CREATE ON DATABASE ${pg.escapeIdentifier(database)} TO ${OWNER_ROLE}`,
    HAND_OVER,
  ])
  await migrate(urls.owner, join(root, 'sql'))
  await run(urls.owner, grantsForApp)
  return urls
}

async function run(connectionString: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString })
  try {
    await client.connect()
    for (const sql of statements) await client.query(sql)
  } finally {
    await client.end()
  }
}
