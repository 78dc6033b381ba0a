import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { appLines } from '../../local/doctor/app.ts'
import { isBad, tableOf } from '../../local/doctor/finding.ts'
import { hostJsonLines } from '../../local/doctor/host-json.ts'

const text = readFileSync('host.json', 'utf8')
const withRange = (range: string): string => text.replace(/"version": "\[[^"]+"/, `"version": "${range}"`)

describe('host.json', () => {
  test('that of the release is right, and what overrides it is named', () => {
    const lines = hostJsonLines(text, { AzureFunctionsJobHost__logging__x: '1', OTHER: '2' })
    expect(lines.filter(isBad)).toEqual([])
    expect(lines.at(-1)?.detail).toBe('AzureFunctionsJobHost__logging__x')
  })
  test('a range of bundles that lack what is used names it', () => {
    const [bundle] = hostJsonLines(withRange('[4.20.0, 5.0.0)'), {})
    expect([bundle?.status, bundle?.detail]).toEqual(['failed', expect.stringMatching(/versioning.*4\.30.*exceptions.*4\.37\.1/)])
    expect(hostJsonLines(withRange('[4.37.0, 5.0.0)'), {})[0]?.status).toBe('failed')
    expect(hostJsonLines(withRange('[4.100.0, 5.0.0)'), {})[0]?.status).toBe('ok')
  })
  test.each([
    '{',
    '[]',
    '{"extensionBundle": 3}',
    '{"extensionBundle": {"version": "4.*"}}',
    '{"extensions":{"http":{"routePrefix":"x"}}}',
  ])('%s fails with a sentence', (broken) => expect(hostJsonLines(broken, {}).some(isBad)).toBe(true))
})

describe('an app that is asked', () => {
  let server: Server
  afterEach(() => server.close())
  const answering = async (answers: Record<string, [number, unknown]>, seen: string[] = []): Promise<string> => {
    server = createServer((request, response) => {
      const { authorization = '', 'x-functions-key': key = '' } = request.headers
      seen.push([request.url, key, authorization].flat().join(' ').trim())
      const [status, body] = answers[request.url?.split('/').at(-1) ?? ''] ?? [404, '']
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(typeof body === 'string' ? body : JSON.stringify(body))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const live: [number, unknown] = [200, { status: 'live', version: '1.2.3', commit: 'abc' }]
  const checks = [
    { name: 'postgres', status: 'ok', ms: 1, data: { schema: '0005', nested: {} } },
    { name: 'storage', status: 'failed', ms: 2, code: 'STORAGE_FORBIDDEN', detail: 'Refused.', remediation: 'Give the role.' },
  ]
  test('the whole report, with the key of the environment; the table tells what to do', async () => {
    const seen: string[] = []
    const lines = await appLines(await answering({ live, full: [503, { checks }] }, seen), { LAMPLIGHTER_KEY: 'k' })
    expect(seen).toEqual(['/api/health/live', '/api/health/full k'])
    expect(tableOf(lines).split('\n')).toEqual([
      expect.stringMatching(/^ok +app +http.*version 1\.2\.3 \(abc\)$/),
      'ok      postgres  schema 0005',
      'FAILED  storage   STORAGE_FORBIDDEN Refused.',
      '                  → Give the role.',
    ])
  })
  test('without the right to the whole report: what everybody may know, and how to get more', async () => {
    const url = await answering({ live, full: [401, { code: 'UNAUTHENTICATED', detail: 'x' }], ready: [200, { checks }] })
    const lines = await appLines(url, {})
    expect(lines.map((l) => [l.name, l.status])).toEqual([
      ['app', 'ok'],
      ['postgres', 'ok'],
      ['storage', 'failed'],
      ['report', 'skipped'],
    ])
    expect(lines.at(-1)?.remediation).toMatch(/LAMPLIGHTER_KEY/)
  })
  test('settings that are wrong are told', async () => {
    const problem = { code: 'CONFIG_INVALID', detail: 'Settings are missing: PGUSER.' }
    expect((await appLines(await answering({ live, full: [503, problem] }), {})).at(-1)).toMatchObject({
      status: 'failed',
      detail: 'CONFIG_INVALID: Settings are missing: PGUSER.',
    })
  })
  test('what is no app of ours is said so', async () => {
    await expect(appLines(await answering({ live: [200, '<html>'] }), {})).rejects.toThrow(/no app of this kind/)
  })
})
