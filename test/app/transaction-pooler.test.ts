// The whole app behind a pooler in transaction mode: two jobs' worth of statements, each transaction on another server connection.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { fill, startApp } from '../support/app.ts'
import { openPool } from '../../src/db/pool.ts'
import { createDatabase } from '../support/db.ts'
import { startTransactionPooler } from '../support/transaction-pooler.ts'

test('jobs, cancel, retry and lists run behind it; nothing relies on a session', async () => {
  const database = await createDatabase()
  const pooler = await startTransactionPooler(database.url, 4)
  const app = await startApp({ databaseUrl: pooler.url })
  try {
    const hello = await app.submit('hello_world', { n: 1000, name: randomUUID() })
    const container = await app.container()
    await fill(
      container,
      Array.from({ length: 120 }, (_, i) => `f${i}.tif`),
      'x',
    )
    const listed = await app.submit('list_container', { container: container.containerName, create_index: true })
    const cancelled = await app.submit('hello_world', { n: 4000, name: randomUUID() })
    await app.send('POST', `/api/jobs/${cancelled.job_id}/cancel`, { reason: 'test' })
    await app.send('POST', `/api/jobs/${cancelled.job_id}/retry`, { reason: 'test' })
    expect(await app.waitForJob(hello.job_id)).toMatchObject({ status: 'completed', result: { greetings: 1000, replies: 1000 } })
    expect(await app.waitForJob(listed.job_id)).toMatchObject({ status: 'completed', result: { successful: 120 } })
    expect(await app.waitForJob(cancelled.job_id)).toMatchObject({ status: 'completed', attempt: 2, result: { replies: 4000 } })
    expect((await app.get('/api/jobs')).body.count).toBe(3)
    expect((await app.get('/api/health/ready')).status).toBe(200)
    expect(pooler.violations).toEqual([])
    // It did interleave: one client's transactions ran on every server.
    expect(pooler.transactions).toBeGreaterThan(200)
    expect(pooler.mostServersOfOneClient).toBe(4)
  } finally {
    await app.stop()
    await pooler.close()
    await database.drop()
  }
})

test('the pooler notices what it must: named statements, session settings and session locks', async () => {
  const database = await createDatabase()
  const pooler = await startTransactionPooler(database.url, 2)
  const pool = openPool({ connectionString: pooler.url, max: 2 })
  await pool.query('SELECT 1')
  expect(pooler.violations).toEqual([])
  await pool.pg.query({ name: 'kept', text: 'SELECT 1' })
  await pool.query('SET statement_timeout = 5000')
  await pool.query('SELECT pg_advisory_lock(1)')
  expect(pooler.violations).toHaveLength(3)
  await pool.end()
  await pooler.close()
  await database.drop()
})
