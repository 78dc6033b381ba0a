import { describe, expect, test } from 'vitest'
import type { JobLog } from '../../src/define/define-job.ts'
import { readConfig } from '../../src/platform/config.ts'
import { createLog, runningFunction } from '../../src/platform/log.ts'
import { requireNode } from '../../src/platform/node-version.ts'

describe('the Node of the worker', () => {
  test.each(['20.20.2', '18.0.0'])('%s is refused in one sentence that says what to set', (version) =>
    expect(() => requireNode(version)).toThrow(
      /needs Node 22 or newer, and this worker runs \d+\.\d+\.\d+\. Set the runtime version/,
    ),
  )
  test.each(['22.0.0', '24.21.0'])('%s runs', (version) => expect(() => requireNode(version)).not.toThrow())
})

describe('settings', () => {
  const problems = (env: Record<string, string>): string => {
    try {
      readConfig(env)
      return ''
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
  }
  const laptop = { DATABASE_URL: 'postgres://app:geheim@127.0.0.1/app', AzureWebJobsStorage: 'AccountName=a;AccountKey=geheim' }
  const azure = { PGHOST: 'db.example', PGUSER: 'run', DATA_STORAGE_URL: 'https://data.example', ENVIRONMENT: 'production' }
  test('those of a laptop and of Azure are right', () => {
    expect(problems(laptop)).toBe('')
    expect(problems(azure)).toBe('')
  })
  test('all that are missing or wrong are told at once, each with what to set', () => {
    const told = problems({ PG_POOL_MAX: 'many', AUTH_MODE: 'jwt', SECRETS_SOURCE: 'keyvault' })
    for (const name of ['DATABASE_URL', 'PG_POOL_MAX', 'JWT_ISSUER', 'JWT_AUDIENCE', 'KEY_VAULT_URL'])
      expect(told).toMatch(new RegExp(`\\b${name} \\(.{15,}\\)`))
  })
  test('production refuses passwords and keys, and does not tell them', () => {
    const told = problems({ ...laptop, ENVIRONMENT: 'production', DATA_STORAGE: 'AccountName=a;AccountKey=geheim' })
    for (const name of ['DATABASE_URL', 'AzureWebJobsStorage', 'DATA_STORAGE']) expect(told).toContain(`${name} (holds a`)
    expect(told).not.toContain('geheim')
  })
})

test('warnings and errors inside a function reach the host with their level', () => {
  const lines: [string, string][] = []
  const host = {
    warn: (line: string) => void lines.push(['warn', line]),
    error: (line: string) => void lines.push(['error', line]),
  }
  runningFunction.run(host, () => {
    const log: JobLog = createLog('info')
    log.warn('x.late', { password: 'abc' })
    log.error('x.failed')
  })
  expect(lines.map(([level, line]) => [level, (JSON.parse(line) as { event: string }).event])).toEqual([
    ['warn', 'x.late'],
    ['error', 'x.failed'],
  ])
  expect(lines[0]?.[1]).not.toContain('abc')
})

describe('lines for people', () => {
  const lines = (run: (log: JobLog) => void): string[] => {
    const written: string[] = []
    run(createLog('info', 'text', (_level, line) => void written.push(line)))
    return written
  }
  test('time, level, event and values; of an error what it says and why, without a stack; secrets are left out', () => {
    const cause = new Error('connect ECONNREFUSED')
    const written = lines((log) => {
      log.info('job.submitted', { job_id: 'a1', n: 3, note: 'two words', list: [1, 2] })
      log.error('x.failed', { error: new Error('Postgres cannot be reached.', { cause }), url: 'postgres://a:geheim@h/db' })
    })
    expect(written[0]).toMatch(/^\d\d:\d\d:\d\d info  job\.submitted job_id=a1 n=3 note="two words" list=\[1,2\]$/)
    expect(written[1]).toMatch(
      /^\d\d:\d\d:\d\d error x\.failed error="Postgres cannot be reached\. \(connect ECONNREFUSED\)" url=/,
    )
    expect(written[1]).not.toContain('geheim')
    expect(written[1]?.split('\n')).toHaveLength(1)
  })
  test('through the host the line has no time and no level: the host adds them', () => {
    const host = { warn: () => undefined, error: () => undefined }
    const written = runningFunction.run(host, () => lines((log) => log.warn('x.late', { ms: 5 })))
    expect(written).toEqual(['x.late ms=5'])
  })
})
