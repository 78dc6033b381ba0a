// Records when the tasks of real runs ended, under storage that is steady, slows down, recovers, stalls or has a long tail.
// What is written to bench/results/completions is what test/fixtures/completions was made from.
import { BlobServiceClient } from '@azure/storage-blob'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Backends } from '../local/cloud.ts'
import type { Pool } from '../src/db/pool.ts'
import { startStorageProxy } from '../test/support/storage-proxy.ts'
import { type Row, withHost } from './measure.ts'
import { seeded } from 'functions-host/durable'
import { ended } from './job-ends.ts'
import { submitJob } from './stack.ts'

const N = 3000
const random = seeded(7)
/** Milliseconds that a request waits, by the share of requests that passed. */
const SHAPES: Readonly<Record<string, (share: number) => number>> = {
  steady: () => 150,
  noisy: () => 50 + 400 * random() ** 2,
  long_tail: () => (random() < 0.02 ? 4000 : 100),
  slows_down: (share) => (share < 0.5 ? 80 : 300),
  speeds_up: (share) => (share < 0.5 ? 300 : 80),
  drifts: (share) => 60 + 300 * share,
  stalls: (share) => (share > 0.4 && share < 0.402 ? 15_000 : 150),
}

export async function recordCompletions(backends: Backends, db: Pool): Promise<Row[]> {
  const container = BlobServiceClient.fromConnectionString(backends.storage).getContainerClient('eta')
  await container.createIfNotExists()
  const names = Array.from({ length: N }, (_, i) => `f_${String(i).padStart(4, '0')}.tif`)
  for (let at = 0; at < N; at += 100)
    await Promise.all(names.slice(at, at + 100).map((n) => container.getBlockBlobClient(n).upload('x', 1)))
  const folder = 'bench/results/completions'
  mkdirSync(folder, { recursive: true })
  const rows: Row[] = []
  for (const [shape, wait] of Object.entries(SHAPES)) {
    const proxy = await startStorageProxy(backends.storage)
    let passed = 0
    proxy.wait = (line) => (line.includes('f_') && !line.startsWith('PUT') ? wait(passed++ / (3 * N)) : 0)
    const series = await withHost(
      { ...backends, storage: proxy.connectionString },
      async (url) => {
        const id = await submitJob(url, 'list_container', {
          container_name: 'eta',
          metadata_level: 'full',
          prefix: 'f_',
          filter: 'f_',
          max_files: 10_000 + rows.length,
        })
        await ended(db, id)
        return completions(db, id, 2)
      },
      { ALLOWED_CONTAINERS: 'eta' },
    )
    await proxy.close()
    writeFileSync(`${folder}/${shape}.json`, `${JSON.stringify(series)}\n`)
    const seconds = (series.finished_ms.at(-1) ?? 0) / 1000
    rows.push({
      measure: `completions recorded: ${shape}`,
      figure: `${series.total} in ${seconds.toFixed(1)} s`,
      goal: '-',
      met: true,
    })
  }
  return rows
}

/** Milliseconds from the opening of a stage to the end of each of its tasks, ascending. */
async function completions(db: Pool, jobId: string, stage: number): Promise<{ total: number; finished_ms: number[] }> {
  const rows = await db.query<{ ms: number }>(
    `SELECT round(extract(epoch FROM t.finished_at - s.opened_at) * 1000)::int AS ms FROM app.stages s JOIN app.tasks t USING (stage_id)
     WHERE s.job_id = $1 AND s.stage_no = $2 ORDER BY t.finished_at`,
    [jobId, stage],
  )
  return { total: rows.length, finished_ms: rows.map((r) => r.ms) }
}
