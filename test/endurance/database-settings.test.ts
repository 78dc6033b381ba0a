// What a DBA may have set for the role or the database: refused by name, or without effect.
import { randomUUID } from 'node:crypto'
import { until } from 'functions-host/testing'
import { expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createDatabase } from '../support/db.ts'

async function withSettings(settings: Readonly<Record<string, string>>, run: (app: TestApp) => Promise<void>): Promise<void> {
  const database = await createDatabase()
  const name = new URL(database.url).pathname.slice(1)
  for (const [setting, value] of Object.entries(settings))
    await database.pool.query(`ALTER DATABASE ${name} SET ${setting} = ${value}`)
  const app = await startApp({ databaseUrl: database.appUrl })
  try {
    await run(app)
  } finally {
    await app.stop()
    await database.drop()
  }
}

test.each([
  ['DateStyle', `'SQL, DMY'`, 'SQL, DMY', 'ISO'],
  ['default_transaction_isolation', `'serializable'`, 'serializable', 'read committed'],
])(
  '%s = %s: refused by name in ready and in every answer, instead of jobs that fail or 500s',
  async (setting, value, shown, wanted) => {
    await withSettings({ [setting]: value }, async (app) => {
      // A probe that took too long on a busy machine says so instead.
      const ready = await until('Postgres was asked in time', async () => {
        const answer = await app.get('/api/health/ready')
        return answer.body.checks[0].status === 'timeout' ? undefined : answer
      })
      const [told] = ready.body.checks
      expect([ready.status, told.code, told.detail]).toEqual([503, 'DATABASE_SETTINGS', undefined])
      const full = await app.get('/api/health/full')
      const postgres = full.body.checks.find((c: { name: string }) => c.name === 'postgres')
      expect([full.status, postgres.code]).toEqual([503, 'DATABASE_SETTINGS'])
      expect(postgres.detail).toContain(`${setting} is "${shown}" and must be "${wanted}"`)
      expect(postgres.detail).toContain(`ALTER ROLE app_rw SET ${setting} = '${wanted}'`)
      const submitted = await app.send('POST', '/api/jobs/submit/hello_world', {})
      expect([submitted.status, submitted.body.code]).toEqual([503, 'DATABASE_SETTINGS'])
    })
  },
)

test('settings that change how values are written have no effect on a job', async () => {
  const odd = {
    TimeZone: `'Asia/Kathmandu'`,
    IntervalStyle: `'sql_standard'`,
    bytea_output: `'escape'`,
    extra_float_digits: '-15',
    standard_conforming_strings: 'off',
    search_path: `''`,
    xmloption: `'document'`,
    plan_cache_mode: `'force_generic_plan'`,
    enable_seqscan: 'off',
    enable_indexscan: 'off',
    row_security: 'off',
    quote_all_identifiers: 'on',
  }
  await withSettings(odd, async (app) => {
    const { job_id } = await app.submit('hello_world', { n: 300, name: randomUUID() })
    expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed', result: { greetings: 300, replies: 300 } })
    const { body } = await app.get('/api/jobs?since=2020-01-01T00:00:00Z')
    expect(body.jobs[0].created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(Math.abs(Date.parse(body.jobs[0].created_at) - Date.now())).toBeLessThan(3_600_000)
  })
})
