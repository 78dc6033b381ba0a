// Session settings that would break jobs: each alone, and together, on a real session.
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkSession } from '../../src/db/session-settings.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client(database.appUrl)
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

const WRONG = [
  ['DateStyle', 'German, DMY'],
  ['DateStyle', 'SQL, MDY'],
  ['DateStyle', 'Postgres, MDY'],
  ['default_transaction_isolation', 'repeatable read'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_isolation', 'read uncommitted'],
  ['default_transaction_read_only', 'on'],
] as const

test('a fresh session is right, in any order of day and month', async () => {
  for (const style of ['ISO, DMY', 'ISO, MDY', 'ISO, YMD']) {
    await client.query(`SET DateStyle = '${style}'`)
    await checkSession(client)
  }
})

test.each(WRONG)('%s = %s is refused by name, with the statement that mends it', async (name, value) => {
  await client.query(`RESET ALL; SET ${name} = '${value}'`)
  await expect(checkSession(client)).rejects.toMatchObject({
    code: 'DATABASE_SETTINGS',
    message: expect.stringMatching(new RegExp(`^${name} is "${value}" and must be .* Run: ALTER ROLE app_rw SET ${name} = `)),
  })
})

test('several at once are told at once', async () => {
  await client.query(`RESET ALL; SET DateStyle = 'German'; SET default_transaction_read_only = 'on'`)
  await expect(checkSession(client)).rejects.toThrow(
    /DateStyle is .*read_only is .*SET DateStyle .*SET default_transaction_read_only /,
  )
})
