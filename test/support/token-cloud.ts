// What a deployment on Azure reaches, on this machine: TLS everywhere, tokens instead of keys and passwords, and an endpoint that gives them.
import { randomUUID } from 'node:crypto'
import { chownSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { BlobServiceClient } from '@azure/storage-blob'
import pg from 'pg'
import { startAzurite } from '../../local/azurite.ts'
import { CONTAINERS } from '../../local/cloud.ts'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { POSTGRES_SCOPE } from '../../src/platform/database-password.ts'
import { type Certificate, makeCertificate } from './certificate.ts'
import { createDatabase, type TestDatabase } from './db.ts'
import { type IdentityEndpoint, startIdentityEndpoint } from './identity-endpoint.ts'

/** A managed identity: its client id, and the role in Postgres of the same name. */
export interface CloudIdentity {
  readonly clientId: string
  readonly role: string
}

export interface TokenCloud {
  readonly identity: IdentityEndpoint
  readonly run: CloudIdentity
  readonly migrator: CloudIdentity
  /** Migrated; only with TLS. */
  readonly database: TestDatabase
  readonly port: number
  readonly blobUrl: string
  /** By the account key, which the app does not have. */
  readonly service: BlobServiceClient
  /** All that the app is told. */
  readonly settings: Readonly<Record<string, string>>
  /**
   * Other tokens from now on, and other passwords in Postgres; connections that are open stay.
   * @returns the server's time afterwards
   */
  rotate(): Promise<string>
  close(): Promise<void>
}

const POSTGRES = POSTGRES_SCOPE.replace('/.default', '')

export async function startTokenCloud(): Promise<TokenCloud> {
  const folder = temporaryFolder('lamplighter-tokens-')
  const certificate = makeCertificate()
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.cert, certificate.cert)
  writeFileSync(files.key, certificate.key, { mode: 0o600 })
  const authorities = getCACertificates('default')
  setDefaultCACertificates([...authorities, certificate.cert])
  const suffix = randomUUID().slice(0, 8)
  const run = { clientId: randomUUID(), role: `id-run-${suffix}` }
  const migrator = { clientId: randomUUID(), role: `id-migrate-${suffix}` }
  const identity = await startIdentityEndpoint([run.clientId, migrator.clientId])
  const [azurite, database] = await Promise.all([
    startAzurite({ folder, inMemory: true, tls: files }),
    createDatabase({ empty: false }),
  ])
  const rolesOf = (): string[] =>
    [run, migrator].map(({ clientId, role }) => `ALTER ROLE "${role}" PASSWORD '${identity.token(POSTGRES, clientId)}'`)
  for (const role of [run.role, migrator.role]) await database.pool.query(`CREATE ROLE "${role}" LOGIN`)
  await database.pool.query(`${rolesOf().join(';')}; GRANT app_rw TO "${run.role}"; GRANT app_owner TO "${migrator.role}"`)
  const tlsOnly = await requireTls(database, [run.role, migrator.role], certificate)
  const { host: _host, port } = new pg.Client(database.url)
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString)
  await Promise.all(CONTAINERS.map((name) => service.getContainerClient(name).create()))
  Object.assign(process.env, identity.env)
  return {
    identity,
    run,
    migrator,
    database,
    port,
    blobUrl: service.url,
    service,
    settings: {
      ...identity.env,
      NODE_EXTRA_CA_CERTS: files.cert,
      ENVIRONMENT: 'production',
      AZURE_CLIENT_ID: run.clientId,
      DATA_STORAGE_URL: service.url,
      PGHOST: 'localhost',
      PGPORT: String(port),
      PGDATABASE: new URL(database.url).pathname.slice(1),
      PGUSER: run.role,
    },
    async rotate() {
      // First the endpoint: nobody asks it before Postgres has refused the old ones.
      identity.rotate()
      await database.pool.query(rolesOf().join(';'))
      const [row] = await database.pool.query<{ at: string }>('SELECT clock_timestamp()::text AS at')
      return row?.at ?? ''
    },
    async close() {
      for (const name of Object.keys(identity.env)) delete process.env[name]
      setDefaultCACertificates(authorities)
      await Promise.all([azurite.stop(), identity.close()])
      await tlsOnly.undo()
      await database.pool.query([run, migrator].map(({ role }) => `DROP OWNED BY "${role}"; DROP ROLE "${role}"`).join(';'))
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The running server speaks TLS from now on, and takes these roles with nothing else. */
async function requireTls(
  { pool }: TestDatabase,
  roles: readonly string[],
  certificate: Certificate,
): Promise<{ undo(): Promise<void> }> {
  const [row] = await pool.query<{ folder: string; hba: string }>(
    `SELECT current_setting('data_directory') AS folder, current_setting('hba_file') AS hba`,
  )
  const { folder, hba } = row ?? { folder: '', hba: '' }
  // The server wants its key to be its own.
  const { uid, gid } = statSync(folder)
  for (const [name, text] of [
    ['tls.crt', certificate.cert],
    ['tls.key', certificate.key],
  ] as const) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    if (process.getuid?.() === 0) chownSync(join(folder, name), uid, gid)
  }
  const before = readFileSync(hba, 'utf8')
  // In the clear within TLS: a server that is to judge a token has to see it.
  const rules = roles.map((role) => `hostnossl all "${role}" all reject\nhostssl all "${role}" all password\n`)
  writeFileSync(hba, `${rules.join('')}${before}`)
  await pool.query(`ALTER SYSTEM SET ssl_cert_file = 'tls.crt'`)
  await pool.query(`ALTER SYSTEM SET ssl_key_file = 'tls.key'`)
  await pool.query(`ALTER SYSTEM SET ssl = on`)
  await pool.query('SELECT pg_reload_conf()')
  return {
    async undo() {
      writeFileSync(hba, before)
      await pool.query('ALTER SYSTEM RESET ALL')
      await pool.query('SELECT pg_reload_conf()')
    },
  }
}
