// What administrators are told to run, run as it is printed; then the identities migrate and move jobs. And servers of other versions.
import { execFile } from 'node:child_process'
import { type AddressInfo, connect, createServer } from 'node:net'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { openPool } from '../../src/db/pool.ts'
import { createDatabase, openStage, type TestDatabase } from '../support/db.ts'

let empty: TestDatabase
let [run, migrator] = ['', '']
beforeAll(async () => {
  empty = await createDatabase({ empty: true })
  const suffix = new URL(empty.url).pathname.slice(-8)
  // Names as identities have them: they need quotes.
  ;[run, migrator] = [`id-run-${suffix}`, `id-migrate-${suffix}`]
  // Azure's functions make a role of an identity; here it gets a password.
  await empty.pool.query(`
    CREATE FUNCTION public.pgaadauth_create_principal(name text, admin boolean, mfa boolean) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', name, 'x'); RETURN name; END $$;
    CREATE FUNCTION public.pgaadauth_create_principal_with_oid(name text, oid text, kind text, admin boolean, mfa boolean) RETURNS text
    LANGUAGE sql AS $$ SELECT public.pgaadauth_create_principal(name || repeat('!', (oid <> '1234' OR kind <> 'service')::int), admin, mfa) $$`)
})
afterAll(async () => {
  for (const role of [run, migrator]) await empty.pool.query(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`)
  await empty.drop()
})

/** `npm run migrate`, with settings of its own alone. */
async function script(args: readonly string[], env: Record<string, string>): Promise<{ stdout: string; stderr: string }> {
  const { PATH = '' } = process.env
  return promisify(execFile)(process.execPath, ['scripts/migrate.ts', ...args], { env: { PATH, ...env } }).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
}

const as = (role: string): string => Object.assign(new URL(empty.url), { username: role, password: 'x' }).href

test('the printed script makes the roles; a member of app_owner migrates as it, and the run identity moves jobs', async () => {
  const database = new URL(empty.url).pathname.slice(1)
  const env = { PGDATABASE: database, PGUSER: run, MIGRATE_PGUSER: migrator, MIGRATE_PGUSER_OBJECT_ID: '1234' }
  const { stdout } = await script(['--print-grants'], env)
  const [before = '', after = ''] = stdout.split(/^-- 3\. .*$/m)
  await empty.pool.query(before)
  expect((await script([], { MIGRATE_DATABASE_URL: as(migrator) })).stdout).toMatch(
    /^Applied \d+ migrations, replaced the functions\./,
  )
  expect(await empty.pool.query(`SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'app'`)).toEqual([
    { tableowner: 'app_owner' },
  ])
  const pool = openPool({ connectionString: as(run), max: 2 })
  await openStage(pool, { tasks: 2 })
  await pool.end()
  // Again, by hand, as the owner: nothing changes.
  await empty.pool.query(`SET ROLE app_owner; ${after}; RESET ROLE`)
  expect((await script([], { MIGRATE_DATABASE_URL: as(migrator) })).stdout).toBe('Up to date.\n')
})

test('the role of the app that migrates is told whom to migrate as, without a stack', async () => {
  await empty.pool.query(`COMMENT ON SCHEMA app IS 'functions of another release'`)
  const { stderr } = await script([], { DATABASE_URL: as(run) })
  expect(stderr).toMatch(
    /^This role may not change the schema \(.+\)\. Migrate as the owner: MIGRATE_DATABASE_URL of app_owner, or .+\n$/,
  )
})

test('names that are not set are told by their settings; no database is one sentence', async () => {
  const { stdout, stderr } = await script(['--print-grants'], { PGUSER: run })
  expect([stdout, stderr]).toEqual([
    expect.stringContaining('<MIGRATE_PGUSER>'),
    expect.stringContaining('Set MIGRATE_PGUSER to'),
  ])
  expect((await script([], {})).stderr).toMatch(/^No database is set: MIGRATE_DATABASE_URL.+\n$/)
})

/** The server, which says another version to whoever comes this way. */
async function saying(number: string): Promise<{ url: string; close: () => void }> {
  const { port, host } = new pg.Client(empty.url)
  const server = createServer((near) => {
    const far = connect(port, host)
    near.pipe(far).on('error', () => near.destroy())
    far.on('data', (bytes) =>
      near.write(Buffer.from(bytes.toString('latin1').replace(/(\0\0\0\x06)18\d{4}/, `$1${number}`), 'latin1')),
    )
    near.on('error', () => far.destroy()).on('close', () => far.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = Object.assign(new URL(empty.url), { port: (server.address() as AddressInfo).port }).href
  return { url, close: () => server.close() }
}

test('Postgres below 15 is refused by name before anything is changed; one that is newer than the tests is told', async () => {
  const told: string[] = []
  const warn = (sentence: string): void => void told.push(sentence)
  const [old, oldest, next] = [await saying('140011'), await saying('150000'), await saying('190001')]
  await expect(migrate(old.url, 'sql', { warn })).rejects.toThrow(
    'This server is Postgres 14.11, and Lamplighter needs 15 or newer.',
  )
  expect((await migrate(oldest.url, 'sql', { warn })).migrations).toEqual([])
  expect(told).toEqual([])
  expect((await migrate(next.url, 'sql', { warn })).migrations).toEqual([])
  expect(told).toEqual(['This server is Postgres 19.1; Lamplighter is tested up to 18.'])
  for (const { close } of [old, oldest, next]) close()
})
