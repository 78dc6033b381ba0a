// What jobs write can be read by who started them; a repeated submission says how old its result is.
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fill, startApp, type TestApp } from '../support/app.ts'

let app: TestApp
let container: string
let id: string
beforeAll(async () => {
  app = await startApp()
  const client = await app.container()
  container = client.containerName
  await fill(client, ['a.csv', 'b,"x".csv', 'd/c.tif'], 'x')
  id = (await app.submit('list_container', { container_name: container, create_index: true, index_format: 'csv' })).job_id
  await app.waitForJob(id)
})
afterAll(() => app.stop())

describe('files of a job', () => {
  test('each is listed with bytes, type and rows, and its link gives its lines', async () => {
    const { body } = await app.get(`/api/jobs/${id}/files`)
    expect(body.files).toHaveLength(2)
    expect(body.files).toContainEqual({
      name: expect.stringMatching(/^lists\/a1\/files-.*\.ndjson\.gz$/),
      bytes: expect.any(Number),
      type: 'application/x-ndjson',
      rows: 3,
      last_modified: expect.any(String),
      href: expect.stringMatching(new RegExp(`^${app.host.url}/api/jobs/${id}/file/lists/a1/`)),
    })
    for (const { href, type } of body.files as { href: string; type: string }[]) {
      const answer = await fetch(href)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`])
      expect((await answer.text()).trim().split('\n')).toHaveLength(type === 'text/csv' ? 4 : 3)
    }
  })

  test('pages give each file once', async () => {
    const first = (await app.get(`/api/jobs/${id}/files?limit=1`)).body
    const second = (await app.get(`/api/jobs/${id}/files?limit=1&next=${encodeURIComponent(first.next)}`)).body
    expect(new Set([first.files[0].name, second.files[0].name]).size).toBe(2)
  })

  test('every reference in results carries an href', async () => {
    const { result, stages } = await app.waitForJob(id)
    const ref = result?.['file_index_ref'] as { href: string; count: number }
    expect((await app.get(ref.href)).status).toBe(200)
    expect(stages).toHaveLength(3)
    const { body } = await app.get(`/api/jobs/${id}/tasks/1/orchestrator`)
    expect(body.result_data.orchestration.files_ref.href).toContain(`/api/jobs/${id}/file/lists/`)
  })

  test('gzip as stored has ranges and an ETag; a type that it is not is a 406', async () => {
    const { result } = await app.waitForJob(id)
    const { href } = (result as { file_index_ref: { href: string } }).file_index_ref
    const stored = await fetch(href, { headers: { accept: 'application/gzip' } })
    const bytes = Buffer.from(await stored.arrayBuffer())
    expect(gunzipSync(bytes).toString('utf8')).toContain('"b,""x"".csv"')
    const part = await fetch(href, { headers: { accept: 'application/gzip', range: 'bytes=2-5' } })
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, bytes.subarray(2, 6)])
    const again = await fetch(href, {
      headers: { accept: 'application/gzip', 'if-none-match': String(stored.headers.get('etag')) },
    })
    expect(again.status).toBe(304)
    expect((await app.send('GET', href, undefined, { accept: 'application/x-ndjson' })).body.code).toBe('NOT_ACCEPTABLE')
  })

  test.each([
    ['lists/../../other', 404],
    ['other/a1/x', 400],
    [`results/${'0'.repeat(64)}/a1/x.json`, 404],
    ['lists/a1/not-there.ndjson.gz', 404],
    ['', 400],
  ])('%s is not a way out: %i', async (name, status) => {
    expect((await app.get(`/api/jobs/${id}/file/${name}`)).status).toBe(status)
  })

  test('of an unknown job: 404', async () => {
    expect((await app.get(`/api/jobs/${'0'.repeat(64)}/files`)).body.code).toBe('JOB_NOT_FOUND')
  })
})

describe('a repeated submission', () => {
  const submit = (query = '') =>
    app.send('POST', `/api/jobs/submit/list_container${query}`, {
      container_name: container,
      create_index: true,
      index_format: 'csv',
    })

  test('of a finished job says when it finished and how to run it again', async () => {
    const { status, body } = await submit()
    expect(status).toBe(200)
    expect(body).toMatchObject({ created: false, attempt: 1, finished_at: expect.any(String) })
    expect(body.message).toMatch(/\?force=true runs it again/)
    expect(body.links.rerun).toBe(`${app.host.url}/api/jobs/${id}/rerun`)
  })

  test('max_age: a result that is young enough is given, an older one is made anew', async () => {
    expect((await submit('?max_age=3600')).body).toMatchObject({ created: false, attempt: 1 })
    const { status, body } = await submit('?max_age=0')
    expect([status, body.attempt]).toEqual([202, 2])
    expect(await app.waitForJob(id)).toMatchObject({ status: 'completed', attempt: 2 })
    expect((await submit('?max_age=-1')).body.issues[0].path).toBe('max_age')
  })
})
