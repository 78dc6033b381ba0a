// What operators do to jobs: over HTTP on the running app, under load, with the refusals.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { fill, type JobDocument, startApp, type TestApp } from '../support/app.ts'
import { type StorageProxy, startStorageProxy } from '../support/storage-proxy.ts'
import { until } from 'functions-host/testing'

let app: TestApp
let proxy: StorageProxy
beforeAll(async () => {
  proxy = await startStorageProxy(inject('storage'))
  app = await startApp({ storage: proxy.connectionString })
})
afterAll(async () => {
  await app.stop()
  await proxy.close()
})

const act = (id: string, action: string, body: object = { reason: 'test' }) => app.send('POST', `/api/jobs/${id}/${action}`, body)
const sql = <T extends object>(text: string, values: unknown[] = []) => app.database.pool.query<T>(text, values)
const handedOut = async (id: string, least: number): Promise<void> => {
  const text = `SELECT count(*)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND t.status <> 'queued'`
  await until(
    `${least} tasks were handed out`,
    async () => ((await sql<{ n: number }>(text, [id]))[0]?.n ?? 0) >= least || undefined,
  )
}
const leases = async (id: string): Promise<number> => {
  const text = `SELECT count(*)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND t.lease_until > now()`
  return (await sql<{ n: number }>(text, [id]))[0]?.n ?? -1
}
const completed = async (id: string): Promise<number> => {
  const text = `SELECT count(*)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.retired_at IS NULL AND t.status = 'completed'`
  return (await sql<{ n: number }>(text, [id]))[0]?.n ?? -1
}
const runtime = async (id: string): Promise<string> => (await app.get(`/api/jobs/${id}/instance`)).body.runtimeStatus as string
const events = async (id: string): Promise<{ event: string; actor: string; data: Record<string, unknown> }[]> =>
  (await app.get(`/api/jobs/${id}/events`)).body.events
const big = (name: string = randomUUID()) => app.submit('hello_world', { n: 12_000, name })

describe('cancel', () => {
  test.each([0, 1, 2000, 11_500, 12_500, 20_000])(
    'with %i tasks handed out: nothing runs on, no lease stays, the instance ends',
    async (least) => {
      const { job_id } = await big()
      await handedOut(job_id, least)
      const { status, body } = await act(job_id, 'cancel', { reason: 'wrong input' })
      expect([status, body.status, body.changed]).toEqual([200, 'cancelled', true])
      const [done, held] = [await completed(job_id), await leases(job_id)]
      expect(held).toBe(0)
      // The instance is terminated, or its orchestrator was told by a worker before; what workers bring late is refused.
      const last = await until('the instance has ended', async () => {
        const instance = (await app.get(`/api/jobs/${job_id}/instance`)).body
        return /^(Terminated|Completed)$/.test(instance.runtimeStatus) ? instance : undefined
      })
      if (last.runtimeStatus === 'Completed') expect(last.output).toMatchObject({ status: 'cancelled' })
      await app.waitForJob((await app.submit('hello_world', { n: 200, name: randomUUID() })).job_id)
      expect([await completed(job_id), await leases(job_id)]).toEqual([done, 0])
      expect((await act(job_id, 'cancel')).body).toMatchObject({ status: 'cancelled', changed: false })
      expect((await events(job_id)).find((e) => e.event === 'job.cancelled')).toMatchObject({
        actor: 'key',
        data: { reason: 'wrong input', attempt: 1 },
      })
    },
  )

  test('a cancelled job is retried: what was done is kept', async () => {
    const { job_id } = await big()
    await handedOut(job_id, 2000)
    await act(job_id, 'cancel')
    const kept = await completed(job_id)
    const { status, body } = await act(job_id, 'retry', { reason: 'was right after all' })
    expect([status, body.attempt, body.from_stage]).toEqual([202, 2, 1])
    const job = await app.waitForJob(job_id)
    expect(job).toMatchObject({ status: 'completed', attempt: 2, result: { greetings: 12_000, replies: 12_000 } })
    expect(kept).toBeGreaterThan(0)
    // One execution each: what was completed before the cancel was not claimed again.
    const [row] = await sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = 1 AND t.claims = 1`,
      [job_id],
    )
    expect(row?.n).toBeGreaterThanOrEqual(kept)
  })
})

describe('pause and resume', () => {
  test('a paused job claims nothing, costs no claim, and goes on where it was held', async () => {
    const { job_id } = await big()
    await handedOut(job_id, 1500)
    expect((await act(job_id, 'pause')).body).toMatchObject({ status: 'paused', changed: true })
    expect((await act(job_id, 'pause')).body).toMatchObject({ status: 'paused', changed: false })
    await until('the instance is suspended', async () => (await runtime(job_id)) === 'Suspended' || undefined)
    await app.waitForJob((await app.submit('hello_world', { n: 200, name: randomUUID() })).job_id)
    const held = await completed(job_id)
    expect(await leases(job_id)).toBe(0)
    await app.waitForJob((await app.submit('hello_world', { n: 200, name: randomUUID() })).job_id)
    expect(await completed(job_id)).toBe(held)
    expect(await act(job_id, 'resume')).toMatchObject({ status: 202, body: { status: 'processing', changed: true } })
    const job = await app.waitForJob(job_id)
    expect(job).toMatchObject({ status: 'completed', attempt: 1, result: { greetings: 12_000, replies: 12_000 } })
    const [row] = await sql<{ most: number }>(
      `SELECT max(t.claims)::int AS most FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1`,
      [job_id],
    )
    expect(row?.most).toBe(1)
  })
})

describe('retry', () => {
  let container: string
  const list = async (): Promise<JobDocument> => {
    const { job_id } = await app.submit('list_container', { container, metadata_level: 'full', create_index: true })
    return app.waitForJob(job_id)
  }
  beforeAll(async () => {
    const client = await app.container()
    container = client.containerName
    await fill(client, ['ok_1', 'ok_2', 'gone_1', 'gone_2', 'locked_1', 'locked_2', 'locked_3'], 'x')
    proxy.fault = (line) =>
      line.includes('/gone_')
        ? { status: 404, code: 'BlobNotFound' }
        : line.includes('/locked_')
          ? { status: 403, code: 'AuthorizationPermissionMismatch' }
          : undefined
  })
  afterAll(() => void (proxy.fault = () => undefined))

  test('by code, by key, then all: completed tasks are kept, later stages are made again, nothing matches is refused', async () => {
    const first = await list()
    expect(first).toMatchObject({ status: 'completed_with_errors', result: { successful: 2, failed: 5 } })
    expect(await act(first.job_id, 'retry', { reason: 'x', error_code: 'NOTHING_LIKE_IT' })).toMatchObject({
      status: 409,
      body: { code: 'ILLEGAL_STATE' },
    })
    proxy.fault = (line) => (line.includes('/gone_') ? { status: 404, code: 'BlobNotFound' } : undefined)
    const byKey = await act(first.job_id, 'retry', {
      reason: 'role granted',
      error_code: 'STORAGE_FORBIDDEN',
      key_pattern: 'lock?d_*1',
    })
    expect(byKey.body).toMatchObject({ attempt: 2, from_stage: 2, tasks: 1, status: 'queued' })
    expect(await app.waitForJob(first.job_id)).toMatchObject({
      status: 'completed_with_errors',
      attempt: 2,
      result: { successful: 3, failed: 4 },
    })
    const byCode = await act(first.job_id, 'retry', { reason: 'role granted', error_code: 'STORAGE_FORBIDDEN' })
    expect(byCode.body).toMatchObject({ attempt: 3, tasks: 2 })
    const after = await app.waitForJob(first.job_id)
    expect(after).toMatchObject({
      status: 'completed_with_errors',
      attempt: 3,
      result: { successful: 5, failed: 2, file_index: { locked_3: { size: 1 } } },
    })
    proxy.fault = () => undefined
    await act(first.job_id, 'retry', { reason: 'all the rest' })
    const last = await app.waitForJob(first.job_id)
    expect(last).toMatchObject({ status: 'completed', attempt: 4, result: { successful: 7, failed: 0 } })
    expect(last.stages.map((s) => [s.stage, s.outcome, s.completed, s.failed])).toEqual([
      [1, 'completed', 1, 0],
      [2, 'completed', 7, 0],
      [3, 'completed', 1, 0],
    ])
    expect((await events(first.job_id)).filter((e) => e.event === 'job.retried').map((e) => e.data['tasks'])).toEqual([1, 2, 2])
    expect(await act(first.job_id, 'retry')).toMatchObject({
      status: 409,
      body: { code: 'ILLEGAL_STATE', detail: expect.stringContaining('completed') },
    })
  })

  test('a job that failed in its first stage: retried once the cause is gone', async () => {
    const { job_id } = await app.submit('list_container', { container, max_files: 3 })
    expect(await app.waitForJob(job_id)).toMatchObject({ status: 'failed', error: { code: 'CONTAINER_TOO_LARGE' } })
    const names = ['ok_1', 'ok_2', 'gone_1', 'gone_2', 'locked_1', 'locked_2', 'locked_3']
    proxy.fault = () => undefined
    const { BlobServiceClient } = await import('@azure/storage-blob')
    const client = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient(container)
    await Promise.all(names.slice(3).map((n) => client.getBlobClient(n).delete()))
    await act(job_id, 'retry')
    expect(await app.waitForJob(job_id)).toMatchObject({
      status: 'completed',
      attempt: 2,
      result: { total_files: 3, successful: 3 },
    })
  })
})

describe('rerun', () => {
  test('starts from nothing as a new attempt; the old one is summed up in the event', async () => {
    const { job_id } = await app.submit('hello_world', { n: 20, name: randomUUID() })
    await app.waitForJob(job_id)
    expect(await act(job_id, 'rerun', { reason: 'once more' })).toMatchObject({ status: 202, body: { attempt: 2 } })
    expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed', attempt: 2, result: { greetings: 20 } })
    expect((await events(job_id)).find((e) => e.event === 'job.rerun')).toMatchObject({
      data: {
        reason: 'once more',
        old_stages: [
          { stage_no: 1, completed: 20 },
          { stage_no: 2, completed: 20 },
        ],
      },
    })
  })
})

describe('refusals', () => {
  test('each action in each state it is not for: 409 that names the state', async () => {
    const { job_id } = await app.submit('hello_world', { n: 1, name: randomUUID() })
    await app.waitForJob(job_id)
    for (const action of ['cancel', 'pause', 'resume', 'retry']) {
      const { status, body } = await act(job_id, action)
      expect([action, status, body.code, body.detail.includes('completed')]).toEqual([action, 409, 'ILLEGAL_STATE', true])
    }
    const running = await big()
    await handedOut(running.job_id, 1)
    for (const action of ['retry', 'rerun']) {
      const { status, body } = await act(running.job_id, action)
      expect([action, status, body.detail.includes('processing')]).toEqual([action, 409, true])
    }
    expect(await act(running.job_id, 'resume')).toMatchObject({ status: 202, body: { changed: false } })
    await act(running.job_id, 'cancel')
  })

  test.each([
    ['cancel', {}, 'reason'],
    ['cancel', { reason: '  ' }, 'reason'],
    ['pause', { reason: 'x'.repeat(1001) }, 'reason'],
    ['resume', { reason: 'x', when: 'now' }, 'when'],
    ['retry', { reason: 'x', key_pattern: '' }, 'key_pattern'],
    ['rerun', { reason: 5 }, 'reason'],
  ])('%s with %j', async (action, body, path) => {
    expect(await act('0'.repeat(64), action, body)).toMatchObject({ status: 400, body: { issues: [{ path }] } })
  })

  test('an unknown job is 404, a broken id 400', async () => {
    for (const action of ['cancel', 'pause', 'resume', 'retry', 'rerun']) {
      expect((await act('0'.repeat(64), action)).body.code).toBe('JOB_NOT_FOUND')
      expect((await act('a&taskHub=Other', action)).status).toBe(400)
    }
  })
})

describe('many jobs at once', () => {
  const bulk = (body: object) => app.send('POST', '/api/bulk/jobs', { reason: 'clean up', ...body })

  test('a dry run first: nothing changes; then each is named, and the order is one audit row', async () => {
    const mark = randomUUID()
    const ids = (await Promise.all([1, 2, 3].map((i) => app.submit('hello_world', { n: 1, name: `${mark} ${i}` })))).map(
      (s) => s.job_id,
    )
    await Promise.all(ids.map((id) => app.waitForJob(id)))
    const dry = await bulk({ action: 'rerun', filter: { text: mark } })
    expect(dry.body).toMatchObject({ dry_run: true, matched: 3, changed: 0, more: false })
    expect((await app.get(`/api/jobs/${ids[0]}`)).body.attempt).toBe(1)
    expect((await bulk({ action: 'rerun', filter: { text: mark }, limit: 2 })).body).toMatchObject({ matched: 2, more: true })
    const done = await bulk({ action: 'rerun', filter: { text: mark }, dry_run: false })
    expect(done.body).toMatchObject({ dry_run: false, matched: 3, changed: 3 })
    expect(done.body.jobs.map((j: { job_id: string }) => j.job_id).sort()).toEqual(ids.toSorted())
    for (const id of ids) expect(await app.waitForJob(id, 'completed')).toMatchObject({ attempt: 2 })
    expect(await sql(`SELECT actor, data->>'changed' AS changed FROM app.job_events WHERE event = 'bulk.rerun'`)).toEqual([
      { actor: 'key', changed: '3' },
    ])
    expect((await bulk({ action: 'cancel', filter: { text: mark } })).body).toMatchObject({ matched: 0 })
  })

  test.each([
    [{ action: 'delete', filter: { text: 'x' } }, 'action'],
    [{ action: 'cancel', filter: {} }, 'filter'],
    [{ action: 'cancel', filter: { text: 'x', colour: 'red' } }, 'filter.colour'],
    [{ action: 'cancel', filter: { text: 'x' }, limit: 1001 }, 'limit'],
    [{ action: 'cancel', filter: { text: 'x' }, reason: '' }, 'reason'],
  ])('%j is refused', async (body, path) => {
    expect(await bulk(body)).toMatchObject({ status: 400, body: { issues: [{ path }] } })
  })
})
