// The pool where connections are few, logins are refused, and what a role may do is not enough.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPool, type Pool } from '../../src/db/pool.ts'
import { problemAnswer } from '../../src/http/problem.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
})
afterAll(() => database.drop())

/** What calls say that were refused, each once. */
async function refusals(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  const ended = await Promise.allSettled(calls)
  const said = ended.map((e) => (e.status === 'rejected' ? e.reason : 'no error'))
  return [...new Map(said.map((error) => [error.message, error])).values()]
}

async function withPool<T>(url: string, max: number, run: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = openPool({ connectionString: url, max })
  try {
    return await run(pool)
  } finally {
    await pool.end()
  }
}

test('two connections that are taken, 200 callers: each hears 503 with Retry-After, none waits for ever, and the next one is served', async () => {
  await withPool(database.appUrl, 2, async (pool) => {
    const taken = [await pool.connect(), await pool.connect()]
    const said = await refusals(Array.from({ length: 200 }, () => pool.query('SELECT 1')))
    expect(said).toEqual([expect.objectContaining({ code: 'DATABASE_BUSY', status: 503, retryable: true })])
    expect(problemAnswer(said[0], 'r')).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
    for (const client of taken) client.release()
    expect(await pool.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})

test('a wrong password is told as a refused role, and not as a failed statement', async () => {
  const url = Object.assign(new URL(database.appUrl), { password: 'wrong' }).href
  await withPool(url, 1, async (pool) => {
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      message: expect.stringContaining('name or password is wrong'),
    })
  })
})

test('a right that the role lacks, and a schema that is not there, are told in one sentence with what to run', async () => {
  const empty = await createDatabase({ empty: true })
  const role = `small_${new URL(database.url).pathname.slice(-8)}`
  await database.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  try {
    const small = Object.assign(new URL(database.url), { username: role, password: 'x' }).href
    await withPool(small, 1, async (pool) => {
      await expect(pool.query('SELECT count(*) FROM app.jobs')).rejects.toMatchObject({
        code: 'DATABASE_FORBIDDEN',
        message: expect.stringMatching(
          /^The role of the app lacks a right: permission denied for schema app \(42501\)\. .*--print-grants/,
        ),
      })
    })
    await withPool(empty.appUrl, 1, async (pool) => {
      await expect(pool.query('SELECT count(*) FROM app.jobs')).rejects.toMatchObject({
        code: 'DATABASE_SCHEMA',
        message: 'The database lacks something of this release: relation "app.jobs" does not exist (42P01). Run npm run migrate.',
      })
    })
    const gone = Object.assign(new URL(empty.appUrl), { pathname: '/no_such_database' }).href
    await withPool(gone, 1, async (pool) => {
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_SCHEMA' })
    })
  } finally {
    await empty.drop()
    await database.pool.query(`DROP ROLE ${role}`)
  }
})

test('passwords that change: one that is refused is renewed once for all who were refused, and their statements run once', async () => {
  const role = `changing_${new URL(database.url).pathname.slice(-8)}`
  await database.pool.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'second'; CREATE TABLE public.ran (n int); GRANT ALL ON public.ran TO ${role}`,
  )
  let [password, renewals, questions] = ['first', 0, 0]
  const source = {
    who: `the role ${role} with what the test has`,
    remedy: 'Change the test.',
    current: async () => (questions++, password),
    renew: async () => void (renewals++, (password = 'second')),
  }
  const connectionString = Object.assign(new URL(database.url), { username: role, password: '' }).href
  const pool = openPool({ connectionString, max: 8, password: source })
  try {
    await Promise.all(Array.from({ length: 40 }, (_, n) => pool.query('INSERT INTO public.ran VALUES ($1)', [n])))
    expect(await pool.query('SELECT count(*)::int AS rows, count(DISTINCT n)::int AS numbers FROM public.ran')).toEqual([
      { rows: 40, numbers: 40 },
    ])
    expect(renewals).toBe(1)
    // Eight connections that were refused and eight that were not, at most: none asks twice.
    expect(questions).toBeLessThanOrEqual(16)
    await database.pool.query(`ALTER ROLE ${role} PASSWORD 'third'`)
    // What is open stays open.
    expect(await pool.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    for (const client of await Promise.all(Array.from({ length: 8 }, () => pool.connect()))) client.release(true)
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      message: `Postgres refused the role ${role} with what the test has, also with a new one. Change the test.`,
    })
    // The source has limits: what was refused just now is not renewed for each caller, and the login is tried all the same.
    await expect(Promise.all([1, 2, 3].map(() => pool.query('SELECT 1')))).rejects.toMatchObject({ code: 'DATABASE_REFUSED' })
    expect(renewals).toBe(2)
    password = 'third'
    expect(await pool.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  } finally {
    await pool.end()
    await database.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  }
})

test('where no password comes the half-open connection is closed, not left to the server for a minute', async () => {
  const source = {
    who: 'nobody',
    remedy: '',
    current: () => Promise.reject(new Error('no token')),
    renew: () => Promise.resolve(),
  }
  const connectionString = Object.assign(new URL(database.appUrl), { password: '' }).href
  const pool = openPool({ connectionString, max: 20, password: source })
  const said = await refusals(Array.from({ length: 20 }, () => pool.query('SELECT 1')))
  expect(said).toEqual([
    expect.objectContaining({ code: 'DATABASE_ERROR', cause: expect.objectContaining({ message: 'no token' }) }),
  ])
  await expect
    .poll(() => database.pool.query(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'starting'`))
    .toEqual([{ n: 0 }])
  await pool.end()
})
