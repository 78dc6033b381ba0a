// What the role of the running app may do: rows and functions, no DDL. One list for a laptop, for Azure and for whoever asks.

import pg from 'pg'

/** The role that owns the schema and migrates it. */
export const OWNER_ROLE = 'app_owner'
/** The role of the running app. */
export const APP_ROLE = 'app_rw'

/**
 * Statements for the owner of the schema, after its migrations; run twice, they change nothing. What later migrations add is covered by the
 * defaults.
 */
export const grantsForApp: readonly string[] = [
  `GRANT USAGE ON SCHEMA app TO ${APP_ROLE}`,
  `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO ${APP_ROLE}`,
  `REVOKE INSERT, UPDATE, DELETE ON app.migrations FROM ${APP_ROLE}`,
  `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA app TO ${APP_ROLE}`,
  `GRANT EXECUTE ON ALL ROUTINES IN SCHEMA app TO ${APP_ROLE}`,
  `ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${APP_ROLE}`,
  `ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT USAGE, SELECT ON SEQUENCES TO ${APP_ROLE}`,
  `ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT EXECUTE ON ROUTINES TO ${APP_ROLE}`,
]

/** An identity that is to be a role: its name, and its object id where that is known. */
export interface Principal {
  readonly name: string
  readonly objectId: string | undefined
}

/**
 * Everything that a server needs before the app runs, as a script for its administrators; run twice, it changes nothing but for the first part,
 * which then says that the roles are there.
 * @param database name of the app's database
 */
export function grantScript(database: string, run: Principal, migrator: Principal): string {
  const statements = (lines: readonly string[]): string => lines.map((line) => `${line};`).join('\n')
  return [
    '-- 1. In the database postgres, as the Entra administrator of the server: the identities become roles.',
    statements([run, migrator].map(principalStatement)),
    `-- 2. In the database ${database}, as the same administrator: the roles of the schema, and who has them.`,
    statements([
      ...[OWNER_ROLE, APP_ROLE].map(
        (role) => `DO $$ BEGIN IF to_regrole('${role}') IS NULL THEN CREATE ROLE ${role} NOLOGIN; END IF; END $$`,
      ),
      `GRANT ${OWNER_ROLE} TO ${pg.escapeIdentifier(migrator.name)}`,
      `GRANT ${APP_ROLE} TO ${pg.escapeIdentifier(run.name)}`,
      `GRANT CREATE ON DATABASE ${pg.escapeIdentifier(database)} TO ${OWNER_ROLE}`,
    ]),
    `-- 3. npm run migrate, as ${migrator.name}. It gives a new schema these grants; for an older one run them as its owner.`,
    statements(grantsForApp),
    '',
  ].join('\n')
}

/** Azure's function on its servers; without an object id it looks the name up in the directory. */
function principalStatement({ name, objectId }: Principal): string {
  const role = pg.escapeLiteral(name)
  return objectId
    ? `SELECT * FROM pgaadauth_create_principal_with_oid(${role}, ${pg.escapeLiteral(objectId)}, 'service', false, false)`
    : `SELECT * FROM pgaadauth_create_principal(${role}, false, false)`
}
