// The only composition root: pool, blob store, log and clock, built once per process on first use.
import { countActiveJobs } from '../db/diagnostics.ts'
import { openPool } from '../db/pool.ts'
import { catalogueRecords } from '../db/catalogue-records.ts'
import { outputRecords } from '../db/output-functions.ts'
import { breakerReport } from '../db/breaker-functions.ts'
import type { Deps, EngineSettings } from '../engine/deps.ts'
import { jobs } from '../jobs/index.gen.ts'
import { type BlobStoreSettings, dataAccount } from '../storage/account.ts'
import { openBlobStore } from '../storage/blob-store.ts'
import { openBreakers, type ProcessBreakers } from './breakers.ts'
import { allowedContainers, type Config, databaseUrl, readConfig } from './config.ts'
import { type Identity, openIdentity } from './credentials.ts'
import { databasePassword } from './database-password.ts'
import { createLog } from './log.ts'
import { processIdentity } from './process-identity.ts'
import { openSecrets, type Secrets } from './secrets.ts'
import { shutdown } from './shutdown.ts'
import { startTelemetry, type StopTelemetry } from './telemetry.ts'
import { openWebhookSender } from './webhook-sender.ts'
import { openTokenCheck, type TokenCheck } from './tokens.ts'
import { openVault } from './vault.ts'

/** What doors work with: the engine's needs, and the settings of the process. */
export interface Resources extends Deps {
  readonly config: Config
  /** Of AUTH_MODE jwt. */
  readonly checkToken: TokenCheck
  /** Of the running app: opens storage, database and vault. */
  readonly identity: Identity
  readonly secrets: Secrets
}

let current: Resources | undefined

/** @throws AppError `CONFIG_INVALID`, at every call until the settings are right */
export function resources(): Resources {
  if (!current) {
    current = build(process.env)
    process.once('SIGTERM', () => void shutdown.end())
  }
  return current
}

function build(env: NodeJS.ProcessEnv): Resources {
  const config = readConfig(env)
  const byName = new Map(jobs.map((j) => [j.name, j]))
  const log = createLog(config.LOG_LEVEL, config.LOG_FORMAT)
  const identity = openIdentity(config.AZURE_CLIENT_ID)
  const secrets = secretsOf(config, identity, env, log)
  const password = databasePassword(config, identity, secrets)
  const db = openPool({ connectionString: databaseUrl(config), max: config.PG_POOL_MAX, ...(password ? { password } : {}) })
  const breakers = sharedBreakers(config, db, log)
  const process = processIdentity(env)
  const telemetry = sendTelemetry({ config, env, identity, process, db, breakers, log })
  shutdown.onEnd(async () => {
    // The last figures are asked of the database.
    await (
      await telemetry
    )?.()
    await db.end()
  })
  return {
    db,
    identity,
    secrets,
    webhooks: webhooksOf(config, secrets),
    breakers,
    blobs: openBlobStore(storeSettings(config, identity)),
    outputs: outputRecords(db),
    catalogue: catalogueRecords(db),
    log,
    config,
    checkToken: tokenCheckOf(config),
    settings: settingsOf(config),
    now: () => new Date(),
    random: Math.random,
    process,
    stopping: shutdown.signal,
    jobType: (name) => byName.get(name),
    jobTypes: jobs,
  }
}

const tokenCheckOf = ({ JWT_ISSUER = '', JWT_AUDIENCE = '', JWT_JWKS_URL }: Config): TokenCheck =>
  openTokenCheck({ issuer: JWT_ISSUER, audience: JWT_AUDIENCE, jwksUrl: JWT_JWKS_URL })

const webhooksOf = ({ WEBHOOK_HOSTS = [], WEBHOOK_PRIVATE_ADDRESSES }: Config, secrets: Secrets): Deps['webhooks'] =>
  openWebhookSender({ hosts: WEBHOOK_HOSTS, allowPrivate: WEBHOOK_PRIVATE_ADDRESSES === 'true', secrets, now: () => new Date() })

const storeSettings = (config: Config, credential: Identity): BlobStoreSettings => ({
  ...dataAccount(config),
  credential,
  allowed: allowedContainers(config),
  tiers: { bronze: config.BRONZE_CONTAINER, silver: config.SILVER_CONTAINER, gold: config.GOLD_CONTAINER },
})

interface TelemetryParts extends Pick<Resources, 'config' | 'identity' | 'db' | 'log' | 'process'> {
  readonly env: NodeJS.ProcessEnv
  readonly breakers: ProcessBreakers
}

/** Nobody waits for it: the first requests are answered while packages load. */
function sendTelemetry({
  config,
  env,
  identity,
  process,
  db,
  breakers,
  log,
}: TelemetryParts): Promise<StopTelemetry | undefined> {
  return startTelemetry({
    target: config.TELEMETRY,
    env,
    identity,
    instance: process.id,
    log,
    gauges: { pool: db.pg, breakers: breakers.states, activeJobs: () => countActiveJobs(db), now: Date.now },
  })
}

function secretsOf(
  { SECRETS_SOURCE, KEY_VAULT_URL }: Config,
  identity: Identity,
  env: NodeJS.ProcessEnv,
  log: Deps['log'],
): Secrets {
  const vault = SECRETS_SOURCE === 'keyvault' && KEY_VAULT_URL ? openVault(KEY_VAULT_URL, identity) : undefined
  return openSecrets({ vault, env, now: Date.now, log })
}

/** This process's breakers, whose changes the others learn of through Postgres. */
function sharedBreakers(config: Config, db: Deps['db'], log: Deps['log']): ProcessBreakers {
  return openBreakers({
    failures: config.BREAKER_FAILURES,
    cooldownMs: config.BREAKER_COOLDOWN_SECONDS * 1000,
    onChange: (name, ok) => {
      log.warn(ok ? 'breaker.closed' : 'breaker.opened', { dependency: name })
      breakerReport(db, { name, ok, actor: 'system' }).catch((error: unknown) =>
        log.error('breaker.report_failed', { dependency: name, error }),
      )
    },
  })
}

const settingsOf = (config: Config): EngineSettings => ({
  leaseSeconds: config.LEASE_SECONDS,
  breakerCooldownSeconds: config.BREAKER_COOLDOWN_SECONDS,
  retentionDays: config.RETENTION_DAYS,
  retentionDaysFailed: config.RETENTION_DAYS_FAILED,
  maxJobsPerCaller: config.MAX_JOBS_PER_CALLER,
  maxTasksPerCaller: config.MAX_TASKS_PER_CALLER,
})
