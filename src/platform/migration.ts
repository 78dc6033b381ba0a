// Which database a migration works on, and as whom: URLs, or the server of PGHOST with the identity that owns the schema.
import type { PasswordSource } from '../db/logins.ts'
import { AppError } from '../rules/errors.ts'
import { Config, databaseUrl } from './config.ts'
import { openIdentity } from './credentials.ts'
import { tokenPassword } from './database-password.ts'

type Env = Readonly<Record<string, string | undefined>>

const Settings = Config.pick({
  DATABASE_URL: true,
  PGHOST: true,
  PGPORT: true,
  PGDATABASE: true,
  PGUSER: true,
  MIGRATE_PGUSER: true,
  AZURE_CLIENT_ID: true,
  MIGRATE_CLIENT_ID: true,
})

/** Azure's pooler, and the server behind it. */
const POOLER_PORT = 6432
const DIRECT_PORT = 5432

export interface MigrationDatabase {
  readonly connectionString: string
  readonly password?: PasswordSource
}

/**
 * MIGRATE_DATABASE_URL, else DATABASE_URL, else PGHOST: as MIGRATE_PGUSER (or PGUSER) with a token of MIGRATE_CLIENT_ID (or AZURE_CLIENT_ID),
 * past the pooler.
 * @throws AppError `CONFIG_INVALID`
 */
export function migrationDatabase(env: Env): MigrationDatabase {
  const settings = readSettings(env)
  const url = env['MIGRATE_DATABASE_URL'] || settings.DATABASE_URL
  if (url) return { connectionString: url }
  const role = settings.MIGRATE_PGUSER ?? settings.PGUSER
  if (!settings.PGHOST || !role)
    throw new AppError(
      'CONFIG_INVALID',
      'No database is set: MIGRATE_DATABASE_URL, a direct connection (port 5432) of the owner role; or PGHOST, MIGRATE_PGUSER and MIGRATE_CLIENT_ID, where an identity owns the schema; or DATABASE_URL.',
    )
  const PGPORT = settings.PGPORT === POOLER_PORT ? DIRECT_PORT : settings.PGPORT
  return {
    connectionString: databaseUrl({ ...settings, PGPORT, PGUSER: role }),
    password: tokenPassword(openIdentity(settings.MIGRATE_CLIENT_ID ?? settings.AZURE_CLIENT_ID), role),
  }
}

/** What `grantScript` is filled in with; names that are not set are told by their setting. */
export function grantees(env: Env): { database: string; run: Named; migrator: Named } {
  const { PGDATABASE, PGUSER, MIGRATE_PGUSER } = readSettings(env)
  const named = (name: string | undefined, setting: string): Named => ({
    name: name ?? `<${setting}>`,
    objectId: env[`${setting}_OBJECT_ID`] || undefined,
  })
  return { database: PGDATABASE, run: named(PGUSER, 'PGUSER'), migrator: named(MIGRATE_PGUSER, 'MIGRATE_PGUSER') }
}
interface Named {
  readonly name: string
  readonly objectId: string | undefined
}

function readSettings(env: Env) {
  const given = Object.fromEntries(Object.keys(Settings.shape).flatMap((k) => (env[k] ? [[k, env[k]]] : [])))
  const { data, error } = Settings.safeParse(given)
  if (data) return data
  const wrong = error.issues.map(({ path, message }) => `${path.join('.')} (${message})`)
  throw new AppError('CONFIG_INVALID', `Settings are wrong: ${wrong.join('; ')}.`)
}
