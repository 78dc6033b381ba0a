// The schema over HTTP, for databases that only the app can reach: bring it up, make it anew, drop it. As the owner, never as the app.
import * as z from 'zod'
import { readMigrations } from '../db/inspect.ts'
import { addEvent } from '../db/job-functions.ts'
import { dropEverything, migrate, type MigrateOptions, type MigrationReport } from '../db/migrate.ts'
import { pendingMigrations } from '../db/pending.ts'
import { sqlFolder } from '../db/sql-folder.ts'
import { type MigrationDatabase, migrationDatabase } from '../platform/migration.ts'
import type { Resources } from '../platform/resources.ts'
import { AppError } from '../rules/errors.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')
const DeployQuery = z.strictObject({ dry_run: flag })
const RebuildQuery = z.strictObject({ confirm: z.string().max(10).optional(), force: flag })
const Nothing = z.strictObject({})

function run(r: Resources, options: MigrateOptions = {}): Promise<MigrationReport> {
  const warn = (sentence: string): void => r.log.warn('schema.warning', { sentence })
  return asOwner(({ connectionString, ...owner }) => migrate(connectionString, sqlFolder(), { ...options, warn, ...owner }))
}

async function asOwner<T>(work: (owner: MigrationDatabase) => Promise<T>): Promise<T> {
  try {
    return await work(migrationDatabase(process.env))
  } catch (error) {
    if (error instanceof AppError) throw error
    const words = error instanceof Error ? error.message : 'no words'
    throw new AppError('MIGRATION_FAILED', `The schema is as it was: ${words}`, { cause: error })
  }
}

const answerOf = ({ migrations, functionsReplaced }: MigrationReport): Answer => ({
  body: { migrations, functions_replaced: functionsReplaced },
})

async function deploy({ query, caller, r }: Call<object, z.infer<typeof DeployQuery>, object>): Promise<Answer> {
  const pending = await pendingMigrations(sqlFolder(), await readMigrations(r.db))
  if (query.dry_run) return { body: { dry_run: true, pending } }
  const contracting = pending.filter((m) => m.contracting.length > 0)
  if (contracting.length > 0)
    throw new AppError(
      'MIGRATION_NOT_ADDITIVE',
      `${contracting.map((m) => m.name).join(', ')} takes something away. Run npm run migrate.`,
    )
  const report = await run(r)
  // The table of events may have come only now.
  await addEvent(r.db, { job_id: null, event: 'schema.deployed', actor: caller.name, data: report })
  return answerOf(report)
}

async function redeploy({ query, caller, r }: Call<object, z.infer<typeof RebuildQuery>, object>): Promise<Answer> {
  assertMeant(r, query.confirm)
  const report = await run(r, { rebuild: { force: query.force } })
  await addEvent(r.db, { job_id: null, event: 'schema.rebuilt', actor: caller.name, data: { force: query.force } })
  return answerOf(report)
}

async function nuke({ query, caller, r }: Call<object, z.infer<typeof RebuildQuery>, object>): Promise<Answer> {
  assertMeant(r, query.confirm)
  await asOwner(({ connectionString, ...owner }) => dropEverything(connectionString, { ...owner, force: query.force }))
  // There is no table for an event any more.
  r.log.warn('schema.dropped', { actor: caller.name, force: query.force })
  return { body: { dropped: true } }
}

function assertMeant(r: Resources, confirm: string | undefined): void {
  if (r.config.ENVIRONMENT === 'production')
    throw new AppError('REFUSED_IN_PRODUCTION', 'ENVIRONMENT is production: its schema is not dropped over HTTP.')
  if (confirm !== 'yes')
    throw new AppError('CONFIRMATION_NEEDED', 'This drops the schema with every row. Say ?confirm=yes if you mean it.')
}

const admin = { method: 'POST', role: 'admin', body: Nothing } as const

export const dbSchemaRoutes: readonly HttpRow[] = [
  route({
    ...admin,
    name: 'deployDbSchema',
    summary: 'brings the schema to this release, if that takes nothing away; `dry_run=true` lists the statements',
    path: 'db/schema/deploy',
    query: DeployQuery,
    handle: deploy,
  }),
  route({
    ...admin,
    name: 'redeployDbSchema',
    summary: 'drops the schema with every row and makes it anew; `confirm=yes`, `force=true` while jobs run; never in production',
    path: 'db/schema/redeploy',
    query: RebuildQuery,
    handle: redeploy,
  }),
  route({
    ...admin,
    name: 'dropDbSchema',
    summary:
      'drops the schema with every row and leaves nothing; `confirm=yes`, `force=true` while jobs run; never in production',
    path: 'db/schema/nuke',
    query: RebuildQuery,
    handle: nuke,
  }),
]
