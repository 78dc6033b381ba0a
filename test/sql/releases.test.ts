// Expand, deploy, contract: for a while the release before runs on the schema of this one, and this one on the schema before.
// `RECORD_RELEASE=1 npm test -- releases`, run when a release is cut, makes this release the one before.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantsForApp } from '../../src/db/grants.ts'
import { readMigrations, readSignatures, type Signature } from '../../src/db/inspect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { listJobs } from '../../src/db/list-jobs.ts'
import { openPool } from '../../src/db/pool.ts'
import { testFunctions } from '../../src/db/self-test.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'

const FILE = 'test/fixtures/release-before.json'
interface Release {
  readonly migrations: readonly string[]
  readonly functions: Readonly<Record<string, Signature>>
  /** Text of each function's file. */
  readonly sources: Readonly<Record<string, string>>
}
let before: Release
let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
  before = JSON.parse(await readFile(FILE, 'utf8')) as Release
})
afterAll(() => database.drop())

/** What would break calls by name: arguments that are gone or new without a default, columns that are gone or of another type. */
function broken(old: Signature, now: Signature | undefined, optional: ReadonlySet<string>): string[] {
  if (now === undefined) return ['is gone']
  const changed = (what: 'args' | 'returns'): string[] =>
    Object.entries(old[what]).flatMap(([name, type]) =>
      now[what][name] === type ? [] : [`${name} is ${now[what][name] ?? 'gone'}`],
    )
  const demanded = Object.keys(now.args).filter((name) => !(name in old.args) && !optional.has(name))
  return [...changed('args'), ...changed('returns'), ...demanded.map((name) => `${name} is demanded`)]
}

async function optionalArguments(of: string): Promise<Set<string>> {
  const rows = await database.pool.query<{ name: string }>(
    `SELECT unnest(p.proargnames[p.pronargs - p.pronargdefaults + 1 : p.pronargs]) AS name FROM pg_proc p
     WHERE p.pronamespace = 'app'::regnamespace AND p.proname = $1 AND p.pronargdefaults > 0`,
    [of],
  )
  return new Set(rows.map((r) => r.name))
}

test('the release before runs on this schema: every function that it calls is there, and takes and answers what it did', async () => {
  const now = await readSignatures(database.pool)
  expect(Object.keys(before.functions).length).toBeGreaterThan(35)
  for (const [name, old] of Object.entries(before.functions))
    expect([name, broken(old, now.get(name), await optionalArguments(name))]).toEqual([name, []])
})

test('what would break it is found: a new argument, another type, a column less', () => {
  const old: Signature = { args: { p_a: 'text' }, returns: { x: 'integer', y: 'text' } }
  expect(broken(old, { args: { p_a: 'text', p_b: 'text' }, returns: old.returns }, new Set())).toEqual(['p_b is demanded'])
  expect(broken(old, { args: { p_a: 'text', p_b: 'text' }, returns: old.returns }, new Set(['p_b']))).toEqual([])
  expect(broken(old, { args: { p_a: 'uuid' }, returns: { x: 'integer' } }, new Set())).toEqual(['p_a is uuid', 'y is gone'])
  expect(broken(old, undefined, new Set())).toEqual(['is gone'])
})

test('this release runs jobs on the schema before its migration, and brings it up', async () => {
  const empty = await createDatabase({ empty: true })
  const folder = await mkdtemp(join(tmpdir(), 'lamplighter-release-'))
  try {
    await cp('sql', folder, { recursive: true })
    for (const file of await readdir(join(folder, 'migrations')))
      if (!before.migrations.includes(basename(file, '.sql'))) await rm(join(folder, 'migrations', file))
    for (const file of await readdir(join(folder, 'functions'))) await rm(join(folder, 'functions', file))
    for (const [name, text] of Object.entries(before.sources)) await writeFile(join(folder, 'functions', `${name}.sql`), text)
    expect((await migrate(empty.url, folder)).migrations).toEqual(before.migrations)
    for (const grant of grantsForApp) await empty.pool.query(grant)
    const app = openPool({ connectionString: empty.appUrl, max: 2 })
    // What is new here is done without: fault-matrix.test.ts.
    expect((await testFunctions(app)).filter((r) => !r.ok && r.function in before.functions)).toEqual([])
    expect(await listJobs(app, { limit: 1 })).toEqual({ rows: [] })
    await app.end()
    expect((await migrate(empty.url, 'sql')).functionsReplaced).toBe(true)
    expect(await readMigrations(empty.pool)).toEqual(await readMigrations(database.pool))
  } finally {
    await empty.drop()
    await rm(folder, { recursive: true })
  }
})

test.runIf(process.env['RECORD_RELEASE'])('records this release as the one before', async () => {
  const release: Release = {
    migrations: await readMigrations(database.pool),
    functions: Object.fromEntries(await readSignatures(database.pool)),
    sources: Object.fromEntries(
      await Promise.all(
        (await readdir('sql/functions')).map(
          async (f) => [basename(f, '.sql'), await readFile(`sql/functions/${f}`, 'utf8')] as const,
        ),
      ),
    ),
  }
  await writeFile(FILE, `${JSON.stringify(release, null, 1)}\n`)
})
