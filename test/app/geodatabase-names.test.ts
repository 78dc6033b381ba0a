import { afterAll, beforeAll, expect, test } from 'vitest'
import { fill, startApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.stop())

test('an empty a.gdb beside a.gdb/x: two files, no DUPLICATE_TASK_KEY', async () => {
  const client = await app.container()
  await fill(client, ['a.gdb', 'A.GDB', 'a.gdb-x', 'b/c.gdb'])
  await fill(client, ['a.gdb/x', 'a.gdb/y', 'b/c.gdb/d.gdb/e'], 'x')
  for (const aggregate_gdb of [true, false]) {
    const { job_id } = await app.submit('list_container', {
      container_name: client.containerName,
      aggregate_gdb,
      create_index: true,
    })
    const job = await app.waitForJob(job_id)
    expect([job.status, job.error]).toEqual(['completed', null])
    const { body } = await app.get(`/api/jobs/${job_id}/tasks?stage=2`)
    const keys = body.tasks.map((t: { task_key: string }) => t.task_key).sort()
    expect(keys).toEqual(
      aggregate_gdb
        ? ['A.GDB/', 'a.gdb', 'a.gdb-x', 'a.gdb/', 'b/c.gdb', 'b/c.gdb/']
        : ['A.GDB', 'a.gdb', 'a.gdb-x', 'a.gdb/x', 'a.gdb/y', 'b/c.gdb', 'b/c.gdb/d.gdb/e'],
    )
    expect(Object.keys(job.result?.['file_index'] as object)).toHaveLength(keys.length)
  }
})
