// Tasks longer than their lease, and calls that fail inside tasks that fail.
import { randomUUID } from 'node:crypto'
import { BlobServiceClient } from '@azure/storage-blob'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import * as z from 'zod'
import { reconcile } from '../../src/engine/reconcile.ts'
import { type AnyJob, defineJob, defineStage } from '../../src/define/define-job.ts'
import type { Instances } from '../../src/engine/instances.ts'
import { openBlobStore } from '../../src/storage/blob-store.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { machine, runToEnd, submitTo, tasksOf, turn } from '../support/machine.ts'
import { startStorageProxy } from '../support/storage-proxy.ts'

let database: TestDatabase
beforeAll(async () => void (database = await createDatabase()))
afterAll(() => database.drop())

const parameters = z.strictObject({ id: z.string() })
const oneTask = (run: () => Promise<void>, more: object = {}): AnyJob =>
  defineJob({
    name: 'long_job',
    description: '',
    parameters,
    stages: [
      defineStage({
        name: 'take_long',
        weight: 'heavy',
        parameters,
        result: z.object({}),
        ...more,
        *plan() {
          yield { key: 'only' }
        },
        run: async () => {
          await run()
          return {}
        },
      }),
    ],
  })

test('a healthy task of several leases keeps its claim, while workers and the reconciler look for one to take', async () => {
  const { pool } = database
  let runs = 0
  const seen = new Set<number>()
  const instances = {
    find: () => Promise.resolve(undefined),
    start: () => Promise.resolve(),
    managementPayload: (id: string) => ({ id, statusQueryGetUri: 'http://localhost/' }),
    suspended: () => Promise.resolve([]),
  } as unknown as Instances
  const r = machine(pool, {
    jobs: [
      oneTask(async () => {
        runs++
        // Until its lease was renewed four times: longer than the three seconds that a lease lives.
        while (seen.size < 5) {
          const [row] = await pool.query<{ until: Date }>(
            `SELECT lease_until AS until FROM app.tasks WHERE task_key = 'only' AND lease_until IS NOT NULL`,
          )
          if (row) seen.add(row.until.getTime())
          await reconcile(r, instances, 0)
          if (runs === 1 && row) await turn(r, id)
        }
      }),
    ],
  })
  Object.assign(r.settings, { leaseSeconds: 3 })
  const id = await submitTo(r, 'long_job', { id: randomUUID() })
  expect((await runToEnd(r, id)).status).toBe('completed')
  expect(runs).toBe(1)
  expect(await tasksOf(pool, id)).toMatchObject([{ status: 'completed', claims: 1 }])
})

test('retries do not multiply: a failing call in a failing task is tried four times by the SDK, in each of three claims', async () => {
  const proxy = await startStorageProxy(inject('storage'))
  const container = `retries-${randomUUID().slice(0, 8)}`
  await BlobServiceClient.fromConnectionString(inject('storage')).createContainer(container)
  const blobs = openBlobStore({ connectionString: proxy.connectionString, accountUrl: undefined, allowed: new Set([container]) })
  proxy.fault = () => ({ status: 503, code: 'ServerBusy' })
  const job = oneTask(async () => void (await blobs.properties({ container, blob: 'x' })), { maxClaims: 3 })
  const r = machine(database.pool, { jobs: [job] })
  const id = await submitTo(r, 'long_job', { id: randomUUID() })
  expect((await runToEnd(r, id)).status).toBe('failed')
  expect(await tasksOf(database.pool, id)).toMatchObject([{ status: 'failed', claims: 3, error_code: 'STORAGE_UNAVAILABLE' }])
  expect(proxy.seen).toHaveLength(12)
  await proxy.close()
}, 60_000)
