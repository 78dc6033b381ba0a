// The whole app behind a pooler in transaction mode: two jobs' worth of statements, each transaction on another server connection.
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../../local/free-port.ts'
import { findPostgres } from '../../local/postgres-binaries.ts'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { fill, startApp } from '../support/app.ts'
import { openPool } from '../../src/db/pool.ts'
import { createDatabase } from '../support/db.ts'
import { startTransactionPooler } from '../support/transaction-pooler.ts'

test('jobs, cancel, retry and lists run behind it; nothing relies on a session', async () => {
  const database = await createDatabase()
  const pooler = await startTransactionPooler(database.appUrl, 4)
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

test('jobs run behind PgBouncer itself, where it is installed', async (context) => {
  const found = spawnSync('pgbouncer', ['--version']).status === 0
  context.skip(!found, 'pgbouncer is not on PATH')
  const database = await createDatabase()
  const { hostname, port, username, password } = new URL(database.url)
  const listen = await freePort()
  const home = temporaryFolder('lamplighter-pgbouncer-')
  const ini = `
[databases]
* = host=${hostname} port=${port} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listen}
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
server_lifetime = 1
unix_socket_dir =
pidfile = ${join(home, 'pid')}
`
  writeFileSync(join(home, 'pgbouncer.ini'), ini)
  // It refuses to run as root.
  const { runAs } = await findPostgres()
  const user = runAs ? { uid: runAs.uid, gid: runAs.gid } : {}
  if (runAs) chownSync(home, runAs.uid, runAs.gid)
  const bouncer = spawn('pgbouncer', [join(home, 'pgbouncer.ini')], { stdio: 'ignore', ...user })
  const url = new URL(database.url)
  url.port = String(listen)
  const app = await startApp({ databaseUrl: url.href })
  try {
    const { job_id } = await app.submit('hello_world', { n: 2000, name: randomUUID() })
    expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed', result: { replies: 2000 } })
  } finally {
    await app.stop()
    bouncer.kill()
    await database.drop()
    rmSync(home, { recursive: true, force: true })
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
