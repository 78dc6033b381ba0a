// The built app on the local host, which takes the first function by name that matches: each route is reached by its own URL.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HTTP_TABLE } from '../../src/http/table.ts'
import { plainTemplate } from '../../src/http/template.ts'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
let id: string
beforeAll(async () => {
  app = await startApp()
  id = (await app.submit('hello_world', { n: 2 })).job_id
  await app.waitForJob(id)
})
afterAll(() => app.stop())

const VALUES: Readonly<Record<string, () => string>> = {
  job_id: () => id,
  job_type: () => 'hello_world',
  container: () => 'silver',
  stage: () => '1',
  key: () => 'greet_0',
  path: () => 'nothing/here.txt',
  file: () => 'lists/a1/nothing.json',
  attempt: () => '1',
}
const urlOf = (path: string): string =>
  `/api/${plainTemplate(path).replaceAll(/\{(\*?)(\w+)\}/g, (_, rest: string, name: string) => {
    const value = VALUES[name]?.() ?? name
    return rest ? value : (value.split('/').at(-1) ?? '')
  })}`

describe('each route answers at its own URL, and not the one for unknown routes', () => {
  for (const { method, path, role } of HTTP_TABLE) {
    test(`${method} /api/${plainTemplate(path)}`, async () => {
      // What would change something is asked with a query that no route knows: its own validation answers.
      const url = method === 'GET' ? urlOf(path) : `${urlOf(path)}?no_such_parameter=1`
      const { status, body } = await app.send(method, url, method === 'GET' ? undefined : {})
      expect(status).not.toBe(405)
      expect(body.code).not.toBe('ROUTE_NOT_FOUND')
      if (method !== 'GET') expect([role, body.code]).toEqual([role, 'INVALID_QUERY'])
    })
  }
})

describe('the Durable status contract takes the query of its clients', () => {
  test('showInput, showHistory, showHistoryOutput, returnInternalServerErrorOnFailure', async () => {
    const at = `/api/jobs/${id}/instance`
    expect((await app.get(`${at}?showInput=false`)).body.input).toBeNull()
    const plain = await app.get(`${at}?returnInternalServerErrorOnFailure=true`)
    expect([plain.status, plain.body.historyEvents]).toEqual([200, undefined])
    const { body } = await app.get(`${at}?showHistory=true&showHistoryOutput=true&showInput=True`)
    expect(body.historyEvents[0]).toMatchObject({ EventType: 'ExecutionStarted' })
    expect((await app.get(`${at}?showHistory=perhaps`)).body.issues[0].path).toBe('showHistory')
  })
})
