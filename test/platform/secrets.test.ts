// Secrets by the real SDK and the real credential, from a vault over TLS with the service's challenge.
import { trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runChecks } from '../../src/health/check.ts'
import { vault as vaultCheck } from '../../src/health/vault-check.ts'
import { readConfig } from '../../src/platform/config.ts'
import { openIdentity } from '../../src/platform/credentials.ts'
import { databasePassword } from '../../src/platform/database-password.ts'
import { openSecrets, type Secrets } from '../../src/platform/secrets.ts'
import { openVault } from '../../src/platform/vault.ts'
import { inTrace } from '../../src/telemetry/spans.ts'
import { makeCertificate } from '../support/certificate.ts'
import { type IdentityEndpoint, startIdentityEndpoint } from '../support/identity-endpoint.ts'
import { FORBIDDEN_BY_RBAC, startVault, type VaultStub } from '../support/vault.ts'

const CLIENT = '22222222-2222-4222-8222-222222222222'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
let identityEndpoint: IdentityEndpoint
let vault: VaultStub
let secrets: Secrets
let now: number
let warned: object[]
const authorities = getCACertificates('default')
const environment = { ...process.env }

beforeAll(async () => {
  const certificate = makeCertificate()
  setDefaultCACertificates([...authorities, certificate.cert])
  identityEndpoint = await startIdentityEndpoint([CLIENT])
  Object.assign(process.env, identityEndpoint.env)
  vault = await startVault(certificate)
})
afterAll(async () => {
  await vault.close()
  await identityEndpoint.close()
  for (const name of Object.keys(identityEndpoint.env)) delete process.env[name]
  Object.assign(process.env, environment)
  setDefaultCACertificates(authorities)
})

const open = (clientId = CLIENT, env: Record<string, string> = {}): Secrets =>
  openSecrets({
    vault: openVault(vault.url, openIdentity(clientId), { disableChallengeResourceVerification: true }),
    env,
    now: () => now,
    log: { warn: (event, fields) => void warned.push({ event, ...fields }) },
  })

beforeEach(() => {
  now = 1_000_000
  warned = []
  vault.answer = undefined
  vault.wait = undefined
  vault.seen.length = 0
  vault.secrets.clear()
  vault.secrets.set('weather-key', 'geheim-1')
  secrets = open()
})

const valueOf = async (name: string, options?: { fresh?: boolean }): Promise<string> =>
  (await secrets.getSecret(name, options)).value

test('each question to the vault is a span, with the code of a failure and without name or value of a secret', async () => {
  const exporter = new InMemorySpanExporter()
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  try {
    await inTrace('door', {}, async () => {
      await valueOf('weather-key')
      await valueOf('weather-key')
      await secrets.getSecret('nothing').catch(() => undefined)
    })
  } finally {
    trace.disable()
  }
  const spans = exporter.getFinishedSpans()
  expect(spans.map((s) => [s.name, s.attributes['error.type']])).toEqual([
    ['vault getSecret', undefined],
    ['vault getSecret', 'SECRET_NOT_FOUND'],
    ['door', undefined],
  ])
  expect(JSON.stringify(spans.map(({ attributes, status }) => ({ attributes, status })))).not.toMatch(/geheim|weather/)
})

describe('what is kept', () => {
  test('fifty callers at once are one question and one token; within 15 minutes there is no other', async () => {
    identityEndpoint.asked.length = 0
    vault.challenges = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    vault.wait = promise
    const all = Promise.all(Array.from({ length: 50 }, () => valueOf('weather-key')))
    resolve()
    expect(new Set(await all)).toEqual(new Set(['geheim-1']))
    now += 15 * MINUTE - 1
    vault.secrets.set('weather-key', 'geheim-2')
    expect(await valueOf('weather-key')).toBe('geheim-1')
    expect([vault.seen.length, vault.challenges]).toEqual([1, 1])
    expect(identityEndpoint.asked.length).toBeLessThanOrEqual(1)
    now += 1
    expect(await valueOf('weather-key')).toBe('geheim-2')
    expect([vault.seen.length, vault.challenges]).toEqual([2, 1])
  })

  test('fresh goes past it; a slow answer from before the rotation does not come back', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    expect(await valueOf('weather-key')).toBe('geheim-1')
    now += HOUR
    vault.wait = promise
    const slow = valueOf('weather-key')
    await expect.poll(() => vault.seen.length).toBe(2)
    vault.wait = undefined
    vault.secrets.set('weather-key', 'geheim-2')
    expect(await valueOf('weather-key', { fresh: true })).toBe('geheim-2')
    resolve()
    expect([await slow, await valueOf('weather-key')]).toEqual(['geheim-1', 'geheim-2'])
  })

  test('at most 100 names; clearing says how many, and asks again', async () => {
    for (let i = 0; i < 105; i++) vault.secrets.set(`s-${i}`, 'x')
    for (let i = 0; i < 105; i++) await valueOf(`s-${i}`)
    expect(secrets.clearCache()).toBe(100)
    expect(secrets.clearCache()).toBe(0)
    await valueOf('s-104')
    expect(vault.seen.filter((line) => line.endsWith('/secrets/s-104/') || line.endsWith('/secrets/s-104'))).toHaveLength(2)
  })
})

describe('a vault that is away', () => {
  test.each(['break', { status: 503, body: {} }, { status: 429, body: {}, headers: { 'retry-after': '7' } }] as const)(
    '%j: an expired secret is used for an hour more, and told once for each question',
    async (answer) => {
      await valueOf('weather-key')
      vault.answer = answer
      now += 15 * MINUTE
      expect([await valueOf('weather-key'), await valueOf('weather-key')]).toEqual(['geheim-1', 'geheim-1'])
      expect(warned).toEqual([expect.objectContaining({ event: 'secrets.stale', name: 'weather-key', age_seconds: 900 })])
      expect(JSON.stringify(warned)).not.toContain('geheim')
      now += HOUR - 1
      expect(await valueOf('weather-key')).toBe('geheim-1')
      now += 1
      await expect(valueOf('weather-key')).rejects.toMatchObject({ retryable: true })
      vault.answer = undefined
      now += MINUTE
      expect(await valueOf('weather-key')).toBe('geheim-1')
    },
  )

  test('429: the wait that it asks for is handed on and kept to, without a second question', async () => {
    vault.answer = { status: 429, body: { error: { code: 'Throttled', message: 'slow down' } }, headers: { 'retry-after': '7' } }
    await expect(valueOf('weather-key')).rejects.toMatchObject({
      code: 'VAULT_THROTTLED',
      status: 429,
      retryable: true,
      retryAfterMs: 7000,
    })
    now += 5000
    await expect(valueOf('other')).rejects.toMatchObject({ code: 'VAULT_THROTTLED', retryAfterMs: 2000 })
    expect(vault.seen).toHaveLength(1)
    vault.answer = undefined
    now += 2000
    expect(await valueOf('weather-key')).toBe('geheim-1')
  })

  test('a vault that hangs holds nobody: who asks is told to come again', async () => {
    const options = { disableChallengeResourceVerification: true, answerMs: 100 }
    vault.answer = 'hang'
    await expect(openVault(vault.url, openIdentity(CLIENT), options).read('weather-key')).rejects.toMatchObject({
      code: 'VAULT_UNAVAILABLE',
      status: 503,
      retryable: true,
    })
  })

  test('no token is as no vault, and names the identity', async () => {
    secrets = open('33333333-3333-4333-8333-333333333333')
    await expect(valueOf('weather-key')).rejects.toMatchObject({
      code: 'IDENTITY_UNAVAILABLE',
      status: 503,
      message: expect.stringMatching(/client id 33333333-.* got no token for https:\/\/vault\.azure\.net\/\.default: /),
    })
  })
})

describe('what it refuses', () => {
  test('an unknown name is 404, and one that no vault can have is not asked for', async () => {
    await expect(valueOf('nothing')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND', status: 404 })
    await expect(valueOf('../keys/x')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' })
    await expect(valueOf('app_password')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' })
    expect(vault.seen).toHaveLength(1)
  })

  test('403 names role, scope and principal, and what was kept is used no more', async () => {
    await valueOf('weather-key')
    now += 15 * MINUTE
    vault.answer = FORBIDDEN_BY_RBAC('44444444-4444-4444-8444-444444444444')
    await expect(valueOf('weather-key')).rejects.toMatchObject({
      code: 'VAULT_ACCESS_DENIED',
      status: 403,
      message: expect.stringMatching(
        /--assignee 44444444-4444-4444-8444-444444444444 --role "Key Vault Secrets User" --scope .*--name localhost/,
      ),
    })
    expect((await secrets.vaultInfo()).cached_names).toEqual([])
  })

  test('403 of the network is told from one of the role', async () => {
    vault.answer = {
      status: 403,
      body: { error: { code: 'Forbidden', message: 'Client address is not authorized and caller is not a trusted service.' } },
    }
    await expect(valueOf('weather-key')).rejects.toThrow(/network rules of the vault localhost .*private endpoint/)
  })
})

describe('passwords of the database', () => {
  test('both names in the vault, then both in the environment', async () => {
    secrets = open(CLIENT, { app_password: 'env-1', APP_PASSWORD: 'env-2', OWNER_PASSWORD: 'env-3' })
    const seen: string[] = []
    const password = async (type: string): Promise<string> => {
      const secret = await secrets.getDatabasePassword(type)
      seen.push(secret.name)
      return secret.value
    }
    expect([await password('app'), await password('owner')]).toEqual(['env-1', 'env-3'])
    vault.secrets.set('APP-PASSWORD', 'vault-2')
    expect(await password('app')).toBe('vault-2')
    vault.secrets.set('app-password', 'vault-1')
    expect(await password('app')).toBe('vault-1')
    expect(seen).toEqual(['app_password', 'OWNER_PASSWORD', 'APP-PASSWORD', 'app-password'])
    await expect(secrets.getDatabasePassword('none')).rejects.toThrow(
      'The vault has no secret none-password or NONE-PASSWORD, and the environment has no variable none_password or NONE_PASSWORD.',
    )
  })

  test('a connection string without a password takes the one of the vault, and after a refusal the newest', async () => {
    const config = (env: object) => readConfig({ DATABASE_URL: 'postgres://app_rw@db/app', KEY_VAULT_URL: vault.url, ...env })
    const source = (env: object) => databasePassword(config(env), openIdentity(CLIENT), secrets)
    expect(source({})).toBeUndefined()
    expect(source({ SECRETS_SOURCE: 'keyvault', DATABASE_URL: 'postgres://app_rw:x@db/app' })).toBeUndefined()
    vault.secrets.set('app-password', 'vault-1')
    const password = source({ SECRETS_SOURCE: 'keyvault' })
    expect([await password?.current(), password?.who]).toEqual([
      'vault-1',
      'the role app_rw with the password that the vault has',
    ])
    vault.secrets.set('app-password', 'vault-2')
    expect(await password?.current()).toBe('vault-1')
    await password?.renew()
    expect(await password?.current()).toBe('vault-2')
  })

  test('a vault that refuses is not passed over', async () => {
    vault.answer = FORBIDDEN_BY_RBAC(CLIENT)
    secrets = open(CLIENT, { app_password: 'env-1' })
    await expect(secrets.getDatabasePassword('app')).rejects.toMatchObject({ code: 'VAULT_ACCESS_DENIED' })
  })
})

test('info tells everything but values; a secret shows in nothing that prints objects', async () => {
  const secret = await secrets.getSecret('weather-key')
  await secrets.getSecret('weather-key')
  const info = await secrets.vaultInfo()
  const facts = { source: 'keyvault', vault_url: vault.url, reachable: true, cached_names: ['weather-key'], hits: 1, misses: 1 }
  expect(info).toEqual({ ...facts, ttl_seconds: 900 })
  const printed = [
    JSON.stringify({ info, secret, secrets }),
    inspect({ secret, secrets }, { depth: 9, showHidden: true }),
    secret.toString(),
  ]
  expect(printed.join()).not.toContain('geheim')
  vault.answer = FORBIDDEN_BY_RBAC(CLIENT)
  expect(await secrets.vaultInfo()).toMatchObject({ reachable: false, problem: { code: 'VAULT_ACCESS_DENIED' } })
})

test('the health report: fine, late, or denied with the command; nothing of a vault that is not there', async () => {
  const told = async (eachMs = 10_000) =>
    (await runChecks([vaultCheck({ secrets })], { eachMs, allMs: eachMs, now: () => new Date(0), failed: () => undefined }))[0]
  expect(await told()).toMatchObject({ name: 'vault', status: 'ok' })
  vault.answer = FORBIDDEN_BY_RBAC(CLIENT)
  expect(await told()).toMatchObject({
    status: 'failed',
    code: 'VAULT_ACCESS_DENIED',
    remediation: expect.stringMatching(/^Grant it the role "Key Vault Secrets User": az role assignment create --assignee 2222/),
  })
  vault.answer = 'hang'
  expect(await told(50)).toMatchObject({ status: 'timeout' })
  secrets = openSecrets({ vault: undefined, env: {}, now: () => now, log: { warn: () => undefined } })
  expect(await told()).toMatchObject({ status: 'skipped' })
})

test('without a vault secrets are variables of the environment', async () => {
  secrets = openSecrets({
    vault: undefined,
    env: { WEATHER_KEY: 'x', app_password: 'y' },
    now: () => now,
    log: { warn: () => undefined },
  })
  expect([await valueOf('weather-key'), (await secrets.getDatabasePassword('app')).value]).toEqual(['x', 'y'])
  await expect(valueOf('nothing')).rejects.toMatchObject({
    code: 'SECRET_NOT_FOUND',
    message: 'The environment has no variable nothing or NOTHING.',
  })
  const facts = { source: 'env', vault_url: null, reachable: null, cached_names: [], hits: 0, misses: 0, ttl_seconds: 900 }
  expect([await secrets.vaultInfo(), secrets.clearCache()]).toEqual([facts, 0])
})
