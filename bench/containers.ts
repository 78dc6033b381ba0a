// Containers of 100 to 100,000 blobs on the emulator: listed as tasks, inventoried, summarized; beside the emulator's own listing.
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob'
import type { Backends } from '../local/cloud.ts'
import type { Pool } from '../src/db/pool.ts'
import { type Row, whole, withHost } from './measure.ts'
import { ended } from './job-ends.ts'
import { peakMb, submitJob } from './stack.ts'

const SIZES = [100, 500, 2500, 5000, 5001, 12_000, 100_000] as const
const MEMORY_MB = 400

export async function containers(backends: Backends, db: Pool): Promise<Row[]> {
  const service = BlobServiceClient.fromConnectionString(backends.storage)
  const names = SIZES.map((n) => `size-${n}`)
  const rows: Row[] = []
  for (const n of SIZES) await fill(service.getContainerClient(`size-${n}`), n)
  for (const n of SIZES) {
    // A host of its own for each size, so that its memory is that of this size.
    rows.push(
      ...(await withHost(
        backends,
        async (url, host) => {
          const raw = await seconds(() => listAll(service.getContainerClient(`size-${n}`)))
          const parameters = { container_name: `size-${n}` }
          const job = (type: string, more: object = {}) =>
            seconds(async () => ended(db, await submitJob(url, type, { ...parameters, ...more })))
          const listed = await job('list_container', { max_files: 1_000_000 })
          const inventory = await job('inventory_container')
          const summary = await job('summarize_container')
          await assertCounts(db, n)
          const mb = peakMb(host)
          const figure = (s: number): string => `${s.toFixed(2)} s, ${((1000 * s) / n).toFixed(2)} ms a blob`
          return [
            { measure: `emulator's own listing, ${whole(n)} blobs`, figure: figure(raw), goal: '-', met: true },
            { measure: `list_container, ${whole(n)} blobs`, figure: figure(listed), goal: '-', met: true },
            { measure: `inventory_container, ${whole(n)} blobs`, figure: figure(inventory), goal: '-', met: true },
            { measure: `summarize_container, ${whole(n)} blobs`, figure: figure(summary), goal: '-', met: true },
            {
              measure: `memory of host and worker, most, ${whole(n)} blobs`,
              figure: `${mb} MB`,
              goal: `≤ ${MEMORY_MB} MB`,
              met: mb <= MEMORY_MB,
            },
          ]
        },
        { ALLOWED_CONTAINERS: names.join(',') },
      )),
    )
  }
  return rows
}

export async function fill(container: ContainerClient, n: number): Promise<void> {
  await container.createIfNotExists()
  const names = Array.from({ length: n }, (_, i) => `d${i % 40}/file_${String(i).padStart(6, '0')}.tif`)
  for (let at = 0; at < n; at += 100)
    await Promise.all(names.slice(at, at + 100).map((name) => container.getBlockBlobClient(name).upload('x', 1)))
}

async function listAll(container: ContainerClient): Promise<void> {
  for await (const _ of container.listBlobsFlat({ includeMetadata: true }).byPage({ maxPageSize: 5000 }));
}

/** A figure of a run that lost a blob is no figure. */
async function assertCounts(db: Pool, n: number): Promise<void> {
  const rows = await db.query<{ type: string; count: number }>(
    `SELECT job_type AS type, coalesce(result_data->>'successful', result_data->>'blob_count', result_data->>'file_count')::int AS count
     FROM app.jobs WHERE parameters->>'container_name' = $1`,
    [`size-${n}`],
  )
  for (const { type, count } of rows) if (count !== n) throw new Error(`${type} counted ${count} of ${n} blobs`)
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return (performance.now() - started) / 1000
}
