// Postgres: does it answer, is it a version that is tested, is the schema that of this release, and are there connections enough?
import { driftBetween, expectedShape, readShape } from '../db/drift.ts'
import { readMigrations, readServerFacts } from '../db/inspect.ts'
import { join } from 'node:path'
import { NEWEST_TESTED, OLDEST } from '../db/server-version.ts'
import { releasedMigrations, sqlFolder } from '../db/sql-folder.ts'
import type { Resources } from '../platform/resources.ts'
import type { Check, Finding } from './check.ts'
import { skew } from './storage-checks.ts'

type Needs = Pick<Resources, 'db' | 'config' | 'now'>

const MIGRATE = 'Run `npm run migrate` with the role that owns the schema, or POST /api/db/schema/deploy.'
const REACH = 'Look whether the server runs, and whether the network of the app reaches it (private endpoint, or its firewall).'

/** Answers, and has the schema of this release. */
export function schemaVersion({ db }: Pick<Needs, 'db'>): Check {
  return {
    name: 'postgres',
    remedies: { DATABASE_UNAVAILABLE: REACH, timeout: REACH },
    async ask() {
      const [applied, here] = await Promise.all([readMigrations(db), releasedMigrations(sqlFolder())])
      const missing = here.filter((name) => !applied.includes(name))
      const newer = applied.filter((name) => !here.includes(name))
      const data = { schema: applied.at(-1) ?? null }
      if (missing.length > 0)
        return {
          status: 'failed',
          code: 'SCHEMA_OUTDATED',
          detail: `The database lacks ${missing.join(', ')}.`,
          remediation: MIGRATE,
          data,
        }
      // Expand, deploy, contract: the release before runs on the schema of the next one.
      if (newer.length > 0) return { status: 'degraded', detail: `The database is newer: it has ${newer.join(', ')}.`, data }
      return { status: 'ok', data }
    },
  }
}

/** Anything in the schema that this release would have made otherwise. */
export function schemaDrift({ db }: Needs): Check {
  return {
    name: 'postgres.drift',
    async ask() {
      const lines = driftBetween(await expectedShape(join(sqlFolder(), 'functions')), await readShape(db))
      if (lines.length === 0)
        return { status: 'ok', detail: 'Tables, constraints, indexes and functions are those of this release.' }
      return {
        status: 'degraded',
        code: 'SCHEMA_DRIFT',
        detail: `${lines.length} differences: ${lines.slice(0, 20).join('; ')}.`,
        remediation: `${MIGRATE} It replaces functions; what was changed in tables by hand has to be changed back by hand.`,
        data: { differences: lines.length },
      }
    },
  }
}

/** Version, rights, connections, clock. */
export function serverFacts({ db, config, now }: Needs): Check {
  return {
    name: 'postgres.server',
    async ask() {
      const before = now().getTime()
      const facts = await readServerFacts(db)
      const clock = skew(facts.now.getTime(), before, now().getTime(), 0)
      const dialled = portOf(config)
      const isPooled = facts.port !== null && facts.port !== dialled
      const said = [
        versionFinding(facts.version, Math.floor(facts.version_num / 10_000)),
        facts.is_superuser || facts.has_ddl ? TOO_STRONG(facts.role) : undefined,
        facts.connections > 0.8 * facts.max_connections ? CROWDED(facts.connections, facts.max_connections) : undefined,
        config.ENVIRONMENT === 'production' && !facts.is_tls && !isPooled ? PLAIN : undefined,
        clock.status === 'ok' ? undefined : clock,
      ].filter((f) => f !== undefined)
      const { version, role, max_connections, connections, bytes, is_tls } = facts
      const data = { version, role, is_tls, pooler: isPooled, max_connections, connections, bytes, pool_max: config.PG_POOL_MAX }
      return { ...worst(said), data }
    },
  }
}

function portOf({ DATABASE_URL, PGPORT }: Needs['config']): number {
  if (!DATABASE_URL || !URL.canParse(DATABASE_URL)) return PGPORT
  return Number(new URL(DATABASE_URL).port || 5432)
}

function versionFinding(version: string, major: number): Finding | undefined {
  if (major < OLDEST)
    return {
      status: 'failed',
      detail: `Postgres ${version} is older than ${OLDEST}, and lacks what the schema uses.`,
      remediation: `Upgrade the server to one of ${OLDEST} to ${NEWEST_TESTED}.`,
    }
  if (major > NEWEST_TESTED)
    return { status: 'degraded', detail: `Postgres ${version} is newer than ${NEWEST_TESTED}, the last one that was tested.` }
  return undefined
}

const TOO_STRONG = (role: string): Finding => ({
  status: 'degraded',
  detail: `The role ${role} may change the schema; the app needs no such right.`,
  remediation: 'Connect as app_rw; `npm run migrate -- --print-grants` prints what it needs.',
})
const CROWDED = (connections: number, most: number): Finding => ({
  status: 'degraded',
  detail: `${connections} of ${most} connections are taken.`,
  remediation: 'Lower PG_POOL_MAX or the number of instances, or put a pooler before the server.',
})
const PLAIN: Finding = {
  status: 'failed',
  detail: 'The connection is not encrypted.',
  remediation: 'Add ?sslmode=verify-full to DATABASE_URL, or set PGHOST.',
}

/** Of several findings the worst, with the words of all. */
function worst(found: readonly Finding[]): Finding {
  if (found.length === 0) return { status: 'ok' }
  const join = (pick: (f: Finding) => string | undefined): string => found.flatMap((f) => pick(f) ?? []).join(' ')
  const remediation = join((f) => f.remediation)
  return {
    status: found.some((f) => f.status === 'failed') ? 'failed' : 'degraded',
    detail: join((f) => f.detail),
    ...(remediation === '' ? {} : { remediation }),
  }
}
