import { describe, expect, test } from 'vitest'
import { AppError } from '../../src/rules/errors.ts'
import { type Check, overall, runChecks } from '../../src/health/check.ts'
import { giveRole, storageScope } from '../../src/health/remedies.ts'
import { settings } from '../../src/health/process-checks.ts'
import { skew } from '../../src/health/storage-checks.ts'
import { Config } from '../../src/platform/config.ts'

const told: string[] = []
const limits = { eachMs: 50, allMs: 100, now: () => new Date(0), failed: (name: string) => void told.push(name) }
const check = (name: string, ask: Check['ask'], more: Partial<Check> = {}): Check => ({ name, ask, ...more })

describe('checks run beside one another', () => {
  test('one that hangs is late and hides no other; one that throws tells its code, its words and what to do', async () => {
    const refused = new AppError('STORAGE_FORBIDDEN', 'The account refused.')
    const results = await runChecks(
      [
        check('good', () => Promise.resolve({ status: 'ok' })),
        check('hangs', () => new Promise(() => undefined)),
        check('refused', () => Promise.reject(refused), { remedies: { STORAGE_FORBIDDEN: 'Give it the role.' } }),
        check('refused too', () => Promise.reject(refused)),
        check('odd', () => Promise.reject(new Error('password=geheim'))),
      ],
      limits,
    )
    expect(results.map((r) => [r.name, r.status, r.code])).toEqual([
      ['good', 'ok', undefined],
      ['hangs', 'timeout', undefined],
      ['refused', 'failed', 'STORAGE_FORBIDDEN'],
      ['refused too', 'failed', 'STORAGE_FORBIDDEN'],
      ['odd', 'failed', 'INTERNAL'],
    ])
    expect(results[2]).toMatchObject({ detail: 'The account refused.', remediation: 'Give it the role.' })
    expect(results[3]?.remediation).toMatch(/role/)
    expect(JSON.stringify(results)).not.toContain('geheim')
    expect(told).toEqual(['refused', 'refused too', 'odd'])
  })
  test.each([
    [[], 'ok'],
    [['ok', 'skipped'], 'ok'],
    [['ok', 'degraded'], 'degraded'],
    [['degraded', 'failed'], 'failed'],
    [['ok', 'timeout'], 'failed'],
  ] as const)('%j is %s', (statuses, expected) => expect(overall(statuses.map((status) => ({ status })))).toBe(expected))
})

test('scopes come from what the platform tells, and are placeholders elsewhere', () => {
  const config = { DATA_STORAGE_URL: 'https://data1.blob.core.windows.net', AZURE_CLIENT_ID: 'c-1' }
  const env = { WEBSITE_OWNER_NAME: 'sub-1+group-westeuropewebspace-Linux', WEBSITE_RESOURCE_GROUP: 'rg-1' }
  const account = '/subscriptions/sub-1/resourceGroups/rg-1/providers/Microsoft.Storage/storageAccounts/data1'
  expect(storageScope(config, env)).toBe(account)
  expect(storageScope(config, env, 'bronze')).toBe(`${account}/blobServices/default/containers/bronze`)
  expect(storageScope({ DATA_STORAGE_URL: undefined }, {})).toContain('/subscriptions/<subscription>/')
  expect(giveRole(config, 'Storage Blob Data Reader', account)).toContain(
    `az role assignment create --assignee c-1 --role "Storage Blob Data Reader" --scope "${account}"`,
  )
})

describe('how far another clock is', () => {
  test.each([
    [1000, 1000, 2000, 0, 'ok', 0],
    // Rounded down to whole seconds, as HTTP dates are.
    [0, 999, 1001, 1000, 'ok', 0],
    [0, 5500, 5600, 1000, 'ok', 5],
    [0, 6000, 6001, 1000, 'degraded', 5],
    [60_000, 10_000, 11_000, 0, 'degraded', 49],
    [100_000, 10_000, 11_000, 0, 'failed', 89],
  ] as const)('%i ms between %i and %i: %s', (there, before, after, grain, status, seconds) =>
    expect(skew(there, before, after, grain)).toMatchObject({ status, data: { seconds } }),
  )
})

test('settings that leave something open say what to set', async () => {
  const config = (given: object): Config => Config.parse(given)
  const ask = (given: object) => settings({ config: config(given) }).ask()
  expect(await ask({})).toMatchObject({ status: 'ok' })
  expect(await ask({ AUTH_MODE: 'easyauth', WEBSITE_AUTH_ENABLED: 'True' })).toMatchObject({ status: 'ok' })
  expect(await ask({ AUTH_MODE: 'easyauth' })).toMatchObject({
    status: 'failed',
    remediation: expect.stringContaining('JWT_ISSUER'),
  })
  expect(await ask({ ENVIRONMENT: 'production' })).toMatchObject({ status: 'degraded' })
})
