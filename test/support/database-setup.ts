// One embedded Postgres for the whole run, with a migrated template database that each test file clones.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { prepareDatabase } from '../../local/database-roles.ts'
import { startPostgres } from '../../local/postgres.ts'
import { temporaryFolder } from '../../local/temporary-folder.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the server's maintenance database. */
    postgresUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = temporaryFolder('lamplighter-test-')
  const postgres = await startPostgres({ folder: join(folder, 'postgres'), fsync: false })
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  await client.query('CREATE DATABASE template_lamplighter')
  await client.end()
  await prepareDatabase(databaseUrl(postgres.url, 'template_lamplighter'), '.')
  project.provide('postgresUrl', postgres.url)
  return async () => {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The same server, another database. */
export function databaseUrl(url: string, database: string): string {
  return Object.assign(new URL(url), { pathname: `/${database}` }).toString()
}
