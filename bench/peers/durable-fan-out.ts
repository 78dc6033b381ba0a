// Durable Functions as its documentation shows a fan-out (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-cloud-backup):
// one activity a task, on the local host of this repository. The host keeps its history in memory where Azure stores it, which flatters this
// row: only results and ends are durable, in Postgres.
import { startHost } from 'functions-host'
import pg from 'pg'
import type { Contender } from './contender.ts'

const SCHEMA = `CREATE SCHEMA IF NOT EXISTS peer;
CREATE TABLE IF NOT EXISTS peer.runs (job text PRIMARY KEY, ended_at timestamptz);
CREATE TABLE IF NOT EXISTS peer.results (job text, stage int, task int, result jsonb NOT NULL, PRIMARY KEY (job, stage, task))`

export async function open(url: string): Promise<Contender> {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  await pool.query(SCHEMA)
  const folder = new URL('durable-app', import.meta.url).pathname
  const env = { ...process.env, PEER_DATABASE_URL: url }
  const host = await startHost({ folder, port: 0, env, traps: 'warn', log: () => undefined })
  return {
    async runJob(job, n, taskMs) {
      await pool.query('INSERT INTO peer.runs (job) VALUES ($1)', [job])
      const address = `${host.url}/runtime/webhooks/durabletask/orchestrators/fanOut?timeout=600&pollingInterval=1&code=${host.keys.system}`
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify({ job, n, taskMs }) })
      if (answer.status !== 200) throw new Error(`the fan-out did not end: ${answer.status} ${await answer.text()}`)
    },
    async stored(jobId) {
      const { rows } = await pool.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM peer.results JOIN peer.runs USING (job) WHERE job = $1 AND ended_at IS NOT NULL',
        [jobId],
      )
      return rows[0]?.n ?? 0
    },
    async close() {
      await host.stop()
      await pool.end()
    },
  }
}
