// What may happen to a conversion on its way: a changed source, a crash at the worst moment, a cancel, a late writer, a lost piece.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { ContainerClient } from '@azure/storage-blob'
import { cancelJob, retryJob } from '../../src/db/job-functions.ts'
import { findJob } from '../../src/db/reading.ts'
import { advanceJob } from '../../src/engine/advance.ts'
import { removeOutputs } from '../../src/engine/remove-outputs.ts'
import { runTasks } from '../../src/engine/run-tasks.ts'
import type { OutputRecords } from '../../src/models/raster-output.ts'
import { runRasterTask } from '../../src/raster/run-task.ts'
import { conversionPool } from '../../src/raster/pools.ts'
import { until } from 'functions-host/testing'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { machine, type Machine, runToEnd, submitTo, turn } from '../support/machine.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

let database: TestDatabase
let r: Machine
let bronze: ContainerClient
let silver: ContainerClient
beforeAll(async () => {
  // What the child processes of this process read.
  process.env['DATA_STORAGE'] = inject('storage')
  database = await createDatabase()
  const name = `raster-${createHash('sha256').update(String(process.pid)).digest('hex').slice(0, 12)}`
  r = machine(database.pool, { allowed: [name, 'silver'] })
  bronze = r.service.getContainerClient(name)
  silver = r.service.getContainerClient('silver')
  await Promise.all([
    bronze.createIfNotExists(),
    silver.createIfNotExists(),
    r.service.getContainerClient('lamplighter').createIfNotExists(),
  ])
})
afterAll(async () => {
  conversionPool().close()
  await database?.drop()
})

const side = 1100
const raster = (seed: number): Buffer =>
  makeTiff({
    width: side,
    height: side,
    bands: 1,
    dtype: 'uint8',
    samples: someSamples('uint8', side, side, 1, seed),
    epsg: 32_633,
  })
let files = 0
/** A raster that needs four tasks: bands so wide that a task makes one level only. */
async function source(): Promise<{ source_container: string; source_blob: string }> {
  const source_blob = `${++files}.tif`
  await bronze.getBlockBlobClient(source_blob).uploadData(raster(files))
  return { source_container: bronze.containerName, source_blob }
}
const submitted = async (more: object = {}): Promise<string> =>
  submitTo(r, 'process_raster', { ...(await source()), tile_size: 256, ...more })

/** Turns until the stage of this number is planned; none of its tasks has run. */
async function toStage(id: string, stage: number, using: Machine = r): Promise<void> {
  for (;;) {
    const step = await advanceJob({ jobId: id, attempt: 1 }, using)
    if (step.kind !== 'run') throw new Error(`the job is ${JSON.stringify(step)}`)
    if (step.stage === stage) return
    await runTasks({ jobId: id, attempt: 1, stage: step.stage }, using)
  }
}
/** Raster processes of this one. */
const children = (): number[] =>
  spawnSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes('raster/worker.ts'))
    .map((line) => Number.parseInt(line, 10))
const outputs = (id: string) =>
  r.db.query<{ blob: string; state: string; etag: string }>(
    'SELECT blob, state, etag FROM app.raster_outputs WHERE job_id = $1 ORDER BY plan',
    [id],
  )
const exists = (blob: string): Promise<boolean> => silver.getBlobClient(blob).exists()
const errorOf = async (id: string): Promise<string | null | undefined> => (await findJob(r.db, id))?.error_code

describe('a conversion', () => {
  test('whose source was replaced in mid-run fails by name and publishes nothing', async () => {
    const id = await submitted()
    await toStage(id, 3)
    await bronze.getBlockBlobClient(`${files}.tif`).uploadData(raster(99))
    expect(await runToEnd(r, id)).toMatchObject({ status: 'failed' })
    expect(await errorOf(id)).toBe('SOURCE_CHANGED')
    const [output] = await outputs(id)
    expect(output?.state).toBe('staged')
    expect(await exists(output?.blob as string)).toBe(false)
  })

  test.each(['commit', 'publish'] as const)('that dies just after %s is published once, the same blob', async (step) => {
    const id = await submitted()
    let died = 0
    const dying: OutputRecords = {
      ...r.outputs,
      commit: async (...args) => {
        if (step === 'commit' && died++ === 0) throw new Error('died')
        await r.outputs.commit(...args)
      },
      publish: async (...args) => {
        const answer = await r.outputs.publish(...args)
        if (step === 'publish' && died++ === 0) throw new Error('died')
        return answer
      },
    }
    const mortal = { ...r, outputs: dying }
    await toStage(id, 4, mortal)
    await turn(mortal, id)
    expect(died).toBe(1)
    const [before] = await outputs(id)
    const etag = (await silver.getBlobClient(before?.blob as string).getProperties()).etag
    expect((await findJob(r.db, id))?.status).not.toBe('completed')
    // An unknown error is final: an operator tries again.
    await runToEnd(r, id)
    await retryJob(r.db, { job_id: id, error_code: null, key_like: null, reason: 'test', actor: 'test' })
    expect(await runToEnd(r, id, 2)).toMatchObject({ status: 'completed' })
    expect(await outputs(id)).toEqual([{ blob: before?.blob, state: 'published', etag }])
  })

  test('is unmoved by a late block, a repeated tile and a second assembly', async () => {
    const id = await submitted()
    await toStage(id, 3)
    const rows = await r.db.query<{ result: { folder: string; container: string; blob: string } }>(
      `SELECT t.result_data AS result FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = 2`,
      [id],
    )
    const { folder, container, blob } = (rows[0] as (typeof rows)[number]).result
    const tile = () => runRasterTask<'tiles'>(r.blobs, { kind: 'tiles', folder, target: { container, blob }, row: 0, column: 0 })
    await tile()
    await toStage(id, 4)
    const assemble = () =>
      runRasterTask<'assemble'>(r.blobs, {
        kind: 'assemble',
        folder,
        target: { container, blob },
        metadata: { job_id: id, plan: '1' },
        accessTier: 'Hot',
      })
    const first = await assemble()
    await tile()
    await r.blobs.stageBlock({ container, blob }, `L00R000000C000000-${'f'.repeat(32)}`, Buffer.from('late'))
    expect((await assemble()).etag).toBe(first.etag)
    expect(await runToEnd(r, id)).toMatchObject({ status: 'completed' })
    expect((await outputs(id))[0]?.etag).toBe(first.etag)
  })

  test('whose child process is killed in mid-task tries again, and ends as if nothing had been', async () => {
    const id = await submitted()
    await toStage(id, 3)
    // Whatever process there is is killed until the try has ended: a new one takes longer to start than the next look.
    let ended = false
    const running = runTasks({ jobId: id, attempt: 1, stage: 3 }, r).finally(() => (ended = true))
    await until('the try has ended', () => {
      for (const pid of children()) process.kill(pid, 'SIGKILL')
      return ended || undefined
    })
    await running
    const [task] = await r.db.query<{ status: string; error_code: string; claims: number }>(
      `SELECT t.status, t.error_code, t.claims FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = 3`,
      [id],
    )
    expect(task).toEqual({ status: 'retrying', error_code: 'WORKER_CRASHED', claims: 1 })
    await r.db.query(
      `UPDATE app.tasks t SET not_before = now() FROM app.stages s WHERE s.stage_id = t.stage_id AND s.job_id = $1 AND t.status = 'retrying'`,
      [id],
    )
    expect(await runToEnd(r, id)).toMatchObject({ status: 'completed' })
  })

  test('that is cancelled among its tiles leaves nothing visible, and its pieces go a day later', async () => {
    const id = await submitted()
    await toStage(id, 3)
    await cancelJob(r.db, { job_id: id, reason: 'test', actor: 'test' })
    expect(await runToEnd(r, id)).toMatchObject({ status: 'cancelled' })
    const [output] = await outputs(id)
    expect(output?.state).toBe('staged')
    expect(await exists(output?.blob as string)).toBe(false)
    await r.db.query(`UPDATE app.raster_outputs SET changed_at = now() - interval '2 days' WHERE job_id = $1`, [id])
    await r.db.query(`UPDATE app.jobs SET finished_at = now() - interval '2 days' WHERE job_id = $1`, [id])
    await removeOutputs(r)
    expect((await outputs(id))[0]?.state).toBe('deleted')
    for await (const blob of r.service.getContainerClient('lamplighter').listBlobsFlat({ prefix: `raster/${id}/` }))
      expect.fail(blob.name)
  })

  test('whose piece was lost says which, and to run it again', async () => {
    const id = await submitted()
    await toStage(id, 4)
    for await (const { name } of r.service.getContainerClient('lamplighter').listBlobsFlat({ prefix: `raster/${id}/p1/` }))
      if (name.includes('/t/')) await r.service.getContainerClient('lamplighter').deleteBlob(name)
    expect(await runToEnd(r, id)).toMatchObject({ status: 'failed' })
    expect(await errorOf(id)).toBe('SIDE_BLOB_LOST')
  })

  test('that waited for a week is not gone on with: its blocks may be gone', async () => {
    const id = await submitted()
    await toStage(id, 3)
    await r.db.query(`UPDATE app.raster_outputs SET staged_at = now() - interval '7 days' WHERE job_id = $1`, [id])
    expect(await runToEnd(r, id)).toMatchObject({ status: 'failed' })
    expect(await errorOf(id)).toBe('BLOCKS_EXPIRED')
  })

  test('under a name that another job holds fails by name; with overwrite it replaces, and the old file goes a day later', async () => {
    const target_name = `shared-${process.pid}`
    const first = await submitted({ target_name })
    const second = await submitted({ target_name })
    const third = await submitted({ target_name, overwrite: true })
    expect(await runToEnd(r, first)).toMatchObject({ status: 'completed' })
    expect(await runToEnd(r, second)).toMatchObject({ status: 'failed' })
    expect(await errorOf(second)).toBe('TARGET_EXISTS')
    expect(await runToEnd(r, third)).toMatchObject({ status: 'completed' })
    expect([(await outputs(first))[0]?.state, (await outputs(third))[0]?.state]).toEqual(['superseded', 'published'])
    const old = (await outputs(first))[0]?.blob as string
    expect(await exists(old)).toBe(true)
    await r.db.query(`UPDATE app.raster_outputs SET changed_at = now() - interval '25 hours' WHERE job_id = $1`, [first])
    await removeOutputs(r)
    expect(await exists(old)).toBe(false)
  })
})
