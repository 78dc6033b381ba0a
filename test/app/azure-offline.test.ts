// The way a deployment gets in, without a cloud: the real credential, SDKs and drivers against stand-ins that speak TLS and want tokens.
// Not shown here, because no stand-in looks at it: signatures of tokens, roles of Azure (any known identity may do anything in storage),
// address ranges of signatures, what Azure's own pooler answers to a stale token.
import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { startHostProcess, type HostProcess } from 'functions-host'
import { keptOutput, takeOutput, tellingOutput, until } from 'functions-host/testing'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { ROOT } from '../../local/data-home.ts'
import { freePort } from '../../local/free-port.ts'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { openPool, type Pool } from '../../src/db/pool.ts'
import { openIdentity } from '../../src/platform/credentials.ts'
import { databaseUrl, readConfig } from '../../src/platform/config.ts'
import { POSTGRES_SCOPE, tokenPassword } from '../../src/platform/database-password.ts'
import { openBlobStore } from '../../src/storage/blob-store.ts'
import { SasSigner } from '../../src/storage/sas.ts'
import { BlobServiceClient } from '@azure/storage-blob'
import { makeCertificate } from '../support/certificate.ts'
import { makeToken } from '../support/identity-endpoint.ts'
import { makeTiff } from '../support/tiff-maker.ts'
import { startTokenCloud, type TokenCloud } from '../support/token-cloud.ts'

let cloud: TokenCloud
beforeAll(async () => {
  cloud = await startTokenCloud()
})
afterAll(() => cloud.close())

const STORAGE = 'https://storage.azure.com'
const asked = (resource: string): number => cloud.identity.asked.filter((a) => a.resource === resource).length

describe('the identity', () => {
  test('one request for each thing that a token is for, however often it is wanted', async () => {
    const identity = openIdentity(cloud.run.clientId)
    const before = asked(STORAGE)
    for (let i = 0; i < 5; i++) await identity.getToken(`${STORAGE}/.default`)
    expect(asked(STORAGE) - before).toBe(1)
  })

  test('an identity that is not assigned is named, with what it wanted', async () => {
    await expect(openIdentity('no-such-client').getToken(POSTGRES_SCOPE)).rejects.toMatchObject({
      code: 'IDENTITY_UNAVAILABLE',
      message: expect.stringMatching(/client id no-such-client got no token for https:\/\/ossrdbms-aad.*assigned to the app/),
    })
  })
})

describe('Postgres: the token is the password', () => {
  const POSTGRES = POSTGRES_SCOPE.replace('/.default', '')
  const open = (role = cloud.run.role, max = 5): Pool =>
    openPool({
      connectionString: databaseUrl(readConfig({ ...cloud.settings, PGUSER: role })),
      max,
      password: tokenPassword(openIdentity(cloud.run.clientId), role),
    })

  test('three rotations during 1,000 queries: no error, and one request for each rotation', async () => {
    const pool = open()
    const before = asked(POSTGRES)
    let done = 0
    const one = async (): Promise<void> => {
      while (done < 1000) {
        const n = ++done
        // Each twentieth ends its connection, so that the next one has to be opened.
        const client = await pool.connect()
        const { rows } = await client.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
        client.release(n % 20 === 0)
        expect(rows).toEqual([{ ssl: true }])
        if ([250, 500, 750].includes(n)) await cloud.rotate()
      }
    }
    await Promise.all(Array.from({ length: 4 }, one))
    expect(asked(POSTGRES) - before).toBe(4)
    await pool.end()
  })

  test('a connection that is open survives a rotation; a role that is not mapped is named with its identity', async () => {
    const pool = open(undefined, 1)
    const [{ pid } = {}] = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await cloud.rotate()
    expect(await pool.query('SELECT pg_backend_pid() AS pid')).toEqual([{ pid }])
    await pool.end()
    const before = asked(POSTGRES)
    const stranger = open(cloud.migrator.role, 1)
    await expect(stranger.query('SELECT 1')).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      status: 503,
      message: expect.stringMatching(
        new RegExp(`the role ${cloud.migrator.role} with a token of the identity with the client id ${cloud.run.clientId}, also`),
      ),
    })
    expect(asked(POSTGRES) - before).toBe(1)
    await stranger.end()
  })

  test('an identity without an answer is told as such, and again when it is back all is well', async () => {
    const pool = open(undefined, 1)
    await cloud.rotate()
    cloud.identity.fail = 403
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'IDENTITY_UNAVAILABLE', retryable: true })
    cloud.identity.fail = undefined
    expect(await pool.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    await pool.end()
  })

  test('a server that takes TLS only is told with the setting; an authority that is not known is refused', async () => {
    const url = Object.assign(new URL(cloud.database.url), { username: cloud.run.role, password: 'x' })
    const plain = openPool({ connectionString: url.href, max: 1 })
    await expect(plain.query('SELECT 1')).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      message: expect.stringContaining('?sslmode=verify-full'),
    })
    await plain.end()
    const foreign = join(temporaryFolder('lamplighter-authority-'), 'authority.pem')
    writeFileSync(foreign, makeCertificate().cert)
    url.search = `?sslmode=verify-full&sslrootcert=${foreign}`
    const believing = openPool({ connectionString: url.href, max: 1 })
    await expect(believing.query('SELECT 1')).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringMatching(/^The certificate of Postgres is not trusted \(\w+\)\. Name its authority/),
    })
    await believing.end()
    rmSync(dirname(foreign), { recursive: true })
  })

  test('npm run migrate with PGHOST: the identity that owns the schema migrates, with its token', async () => {
    await cloud.database.pool.query(`COMMENT ON SCHEMA app IS 'functions of another release'`)
    const { PATH = '' } = process.env
    const { clientId, role } = cloud.migrator
    const env = { PATH, ...cloud.settings, MIGRATE_CLIENT_ID: clientId, MIGRATE_PGUSER: role }
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/migrate.ts'], { cwd: ROOT, env })
    expect(stdout).toBe('Applied 0 migrations, replaced the functions.\n')
  })
})

describe('storage: tokens and signatures by a user delegation key', () => {
  const open = (credential = openIdentity(cloud.run.clientId) as Parameters<typeof openBlobStore>[0]['credential']) =>
    openBlobStore({
      connectionString: undefined,
      accountUrl: cloud.blobUrl,
      allowed: new Set(),
      ...(credential ? { credential } : {}),
    })
  const ref = { container: 'silver', blob: 'signed/a b.txt' }
  const statusOf = async (url: string, init: RequestInit = {}): Promise<number> => (await fetch(url, init)).status

  beforeAll(async () => {
    await open().write(ref.container, ref.blob, Buffer.from('hello'), { mode: 'overwrite' })
  })

  test('a signature opens one blob to read, over https, for as long as was asked', async () => {
    const grant = await open().createSas(ref, { minutes: 10 })
    expect(grant).toMatchObject({ kind: 'user_delegation', permissions: 'r' })
    const { searchParams } = new URL(grant.url)
    expect([searchParams.get('spr'), searchParams.get('sr'), searchParams.get('sp'), searchParams.has('skoid')]).toEqual([
      'https',
      'b',
      'r',
      true,
    ])
    expect(Date.parse(searchParams.get('se') ?? '') - Date.now()).toBeLessThanOrEqual(600_000)
    expect(await (await fetch(grant.url)).text()).toBe('hello')
  })

  test('writing with one to read, another blob, a changed signature or end: 403', async () => {
    const { url } = await open().createSas(ref, { minutes: 10 })
    const put = { method: 'PUT', body: 'x', headers: { 'x-ms-blob-type': 'BlockBlob' } }
    const changed = (change: (u: URL) => void): string => {
      const copy = new URL(url)
      change(copy)
      return copy.href
    }
    expect({
      write: await statusOf(url, put),
      delete: await statusOf(url, { method: 'DELETE' }),
      otherBlob: await statusOf(changed((u) => (u.pathname = u.pathname.replace('signed', 'other')))),
      longer: await statusOf(changed((u) => u.searchParams.set('se', new Date(Date.now() + 9e6).toISOString()))),
      mayWrite: await statusOf(
        changed((u) => u.searchParams.set('sp', 'rcw')),
        put,
      ),
      signature: await statusOf(changed((u) => u.searchParams.set('sig', Buffer.alloc(32, 7).toString('base64')))),
    }).toEqual({ write: 403, delete: 403, otherBlob: 403, longer: 403, mayWrite: 403, signature: 403 })
  })

  test('a signature for https alone is refused over http, by a service that would take it otherwise', async () => {
    // The emulator makes the same delegation keys wherever it runs, so that the one without TLS knows this signature.
    const plain = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient(ref.container)
    await plain.createIfNotExists()
    const blob = plain.getBlockBlobClient(ref.blob)
    await blob.upload('hello', 5)
    const service = new BlobServiceClient(cloud.blobUrl, openIdentity(cloud.run.clientId))
    const signed = async (url: string): Promise<string> => {
      const there = Object.assign(service.getContainerClient(ref.container).getBlockBlobClient(ref.blob), { url })
      return `${blob.url}?${(await new SasSigner().sign(service, there, {})).url.split('?')[1]}`
    }
    expect([await statusOf(await signed(blob.url)), await statusOf(await signed(`${cloud.blobUrl}x`))]).toEqual([200, 403])
  })

  test('one key for three hours of signatures, for six at most; signatures of then are over now', async () => {
    const service = new BlobServiceClient(cloud.blobUrl, openIdentity(cloud.run.clientId))
    const key = vi.spyOn(service, 'getUserDelegationKey')
    const blob = service.getContainerClient(ref.container).getBlockBlobClient(ref.blob)
    let now = Date.now() - 2 * 3_600_000
    const signer = new SasSigner(() => now)
    const old = await signer.sign(service, blob, { minutes: 60 })
    now += 3 * 3_600_000 - 1
    await Promise.all([signer.sign(service, blob, {}), signer.sign(service, blob, {})])
    expect(key).toHaveBeenCalledTimes(1)
    const [from, to] = key.mock.calls[0] ?? []
    expect(Number(to) - Number(from)).toBe(6 * 3_600_000)
    now += 1
    await signer.sign(service, blob, {})
    expect(key).toHaveBeenCalledTimes(2)
    expect(await statusOf(old.url)).toBe(403)
  })

  test.each([
    ['that is over', { exp: 1_700_000_000 }],
    ['for something else', { aud: 'https://vault.azure.net' }],
    ['of another issuer', { iss: 'https://example.com/' }],
  ])('a token %s is refused with the role to grant, and no token is tried twice', async (_what, claims) => {
    const token = makeToken(STORAGE, cloud.run.clientId, 0, claims)
    const getToken = vi.fn(() => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }))
    await expect(open({ getToken }).properties(ref)).rejects.toMatchObject({ code: 'STORAGE_FORBIDDEN' })
    await expect(open({ getToken }).createSas(ref)).rejects.toThrow('Grant Storage Blob Delegator on the storage account')
  })
})

describe('an app that is told nothing but names', () => {
  let host: HostProcess
  beforeAll(async () => {
    const files = cloud.service.getContainerClient('bronze')
    const tiff = makeTiff({
      width: 16,
      height: 16,
      bands: 1,
      dtype: 'uint8',
      epsg: 32_633,
      origin: [500_000, 5_000_000],
      pixel: 30,
    })
    await Promise.all(Array.from({ length: 60 }, (_, i) => files.getBlockBlobClient(`f${i % 6}/${i}.tif`).uploadData(tiff)))
    const port = await freePort()
    const started = {
      ...cloud.settings,
      // What the tests themselves were started with is not the app's.
      DATABASE_URL: '',
      DATA_STORAGE: '',
      AzureWebJobsStorage: '',
      FUNCTIONS_WORKER_RUNTIME: 'node',
      TASKHUB_NAME: 'tokens',
      WEBSITE_HOSTNAME: `localhost:${port}`,
      LOG_LEVEL: 'info',
      PG_POOL_MAX: '40',
    }
    host = await tellingOutput(
      startHostProcess({ folder: ROOT, port, traps: 'error', graceMs: 5000, env: {}, started, output: keptOutput() }),
    )
  })
  afterAll(() => host?.stop())

  const call = async (path: string, init?: RequestInit): Promise<{ status: number; body: any }> => {
    const answer = await fetch(`${host.url}/api/${path}`, init)
    return { status: answer.status, body: await answer.json() }
  }
  const submit = async (type: string, parameters: object): Promise<string> => {
    const { body } = await call(`jobs/submit/${type}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(parameters),
    })
    return body.job_id as string
  }
  const ended = (id: string) =>
    until(`the job ${id} has ended`, async () => {
      const { body } = await call(`jobs/${id}`)
      return /^(completed|failed|cancelled)/.test(body.status) ? body : undefined
    })
  const openedSince = (at: string) =>
    cloud.database.pool.query('SELECT pid FROM pg_stat_activity WHERE usename = $1 AND backend_start > $2', [cloud.run.role, at])

  test('jobs run to their end across a rotation, in the host and in its child processes, without an error', async () => {
    expect((await call('health/ready')).body).toMatchObject({ status: 'ready' })
    const hello = await submit('hello_world', { n: 2000 })
    const inventory = await submit('inventory_container', { container_name: 'bronze' })
    await until('tasks are done', async () => ((await call(`jobs/${hello}`)).body.progress?.done > 0 ? true : undefined))
    const at = await cloud.rotate()
    // More callers than connections are open: some have to log in with what is new.
    await until('the app has opened a connection since', async () => {
      const answers = await Promise.all(Array.from({ length: 60 }, () => call('jobs')))
      expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]))
      return (await openedSince(at)).length > 0 ? true : undefined
    })
    expect(await ended(hello)).toMatchObject({ status: 'completed', result: { greetings: 2000, replies: 2000 } })
    expect(await ended(inventory)).toMatchObject({ status: 'completed' })
    expect((await call('rasters/bronze/info/f0/0.tif')).body).toMatchObject({ width: 16, epsg: 32_633 })
    expect((await call('secrets/info')).body).toMatchObject({ source: 'env', reachable: null })
    const cleared = await call('secrets/clear-cache', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(cleared).toEqual({ status: 200, body: { cleared: 0 } })
    expect(
      await cloud.database.pool.query(`SELECT actor, data FROM app.job_events WHERE event = 'secrets.cache_cleared'`),
    ).toEqual([{ actor: 'key', data: { cleared: 0 } }])
    const said = takeOutput()
    expect(said).not.toMatch(/eyJ[\w-]{20}|sig=(?!\*\*\*)|"level":"error"/)
  })
})
