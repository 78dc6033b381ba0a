// What the role of the running app may do: rows and functions, no DDL. One list for a laptop, for Azure and for whoever asks.

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
