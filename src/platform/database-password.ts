// Where the password of the database comes from when no setting holds it: a token of the identity, or a secret of the vault.
import type { PasswordSource } from '../db/logins.ts'
import type { Config } from './config.ts'
import type { Identity } from './credentials.ts'
import type { Secrets } from './secrets.ts'
import { hasPassword } from './setting-conflicts.ts'

/** What tokens for Azure Database for PostgreSQL are asked for. */
export const POSTGRES_SCOPE = 'https://ossrdbms-aad.database.windows.net/.default'

/** Of the server of PGHOST: the token of the identity is the password. */
export function tokenPassword(identity: Identity, role: string): PasswordSource {
  const principal = identity.clientId ? `the identity with the client id ${identity.clientId}` : 'the identity of this machine'
  return {
    who: `the role ${role} with a token of ${principal}`,
    remedy:
      'The role must have the name of that identity and be mapped to it; `npm run migrate -- --print-grants` prints the statements for the Entra administrator.',
    current: async () => (await identity.getToken(POSTGRES_SCOPE))?.token ?? '',
    renew: () => identity.renew(POSTGRES_SCOPE),
  }
}

/**
 * For the app's own connections. DATABASE_URL without a password, where secrets come from a vault: the vault has it, under one of the names
 * that `getDatabasePassword('app')` tries.
 * @returns undefined: the connection string is all
 */
export function databasePassword(config: Config, identity: Identity, secrets: Secrets): PasswordSource | undefined {
  const { DATABASE_URL, PGUSER = '', SECRETS_SOURCE } = config
  if (!DATABASE_URL) return tokenPassword(identity, PGUSER)
  if (SECRETS_SOURCE !== 'keyvault' || hasPassword(DATABASE_URL)) return undefined
  return {
    who: `the role ${new URL(DATABASE_URL).username} with the password that the vault has`,
    remedy: 'Set the password of the role in Postgres and as secret app-password in the vault to the same value.',
    current: async () => (await secrets.getDatabasePassword('app')).value,
    renew: async () => void (await secrets.getDatabasePassword('app', { fresh: true })),
  }
}
