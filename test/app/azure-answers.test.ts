// What the real Blob service answers and the emulator does not: a proxy before the emulator answers so, one case per answer.
// Sources: public reports of SDK and service, named per case (repository#issue).
import type { ContainerClient } from '@azure/storage-blob'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { openBlobStore } from '../../src/storage/blob-store.ts'
import type { BlobPage, BlobStore } from '../../src/models/blob-store.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type Fault, type StorageProxy, startStorageProxy } from '../support/storage-proxy.ts'

let proxy: StorageProxy
let app: TestApp
let client: ContainerClient
let blobs: BlobStore

beforeAll(async () => {
  proxy = await startStorageProxy(inject('storage'))
  app = await startApp({ storage: proxy.connectionString })
  client = await app.container()
  const small = (name: string, body = 'x,y\n', metadata = {}) =>
    client.getBlockBlobClient(name).upload(body, body.length, { metadata })
  await small('a.csv')
  await small('b.csv', 'x,y\n', { Owner: 'Jana' })
  await small('dir/', 'bytes')
  await small('empty-dir/', '')
  await small('stub', '', { HDI_IsFolder: 'True' })
  await small('full-stub', 'bytes', { hdi_isfolder: 'true' })
  blobs = openBlobStore({
    connectionString: proxy.connectionString,
    accountUrl: undefined,
    allowed: new Set([client.containerName]),
  })
})
afterAll(async () => {
  await app.stop()
  await proxy.close()
})
afterEach(() => void (proxy.fault = () => undefined))

const listing = (line: string): boolean => line.includes('comp=list') && line.includes('restype=container')
const answers = (which: (line: string) => boolean, fault: Fault) =>
  void (proxy.fault = (line) => (which(line) ? fault : undefined))
const relist = (rewrite: (xml: string) => string): void => answers(listing, { rewrite })
async function all(): Promise<BlobPage['blobs']> {
  const pages: BlobPage[] = []
  for await (const page of blobs.list(client.containerName)) pages.push(page)
  return pages.flatMap((p) => p.blobs)
}
const named = async (name: string) => (await all()).find((b) => b.name === name)
const list = async (parameters: object) => {
  const { job_id } = await app.submit('list_container', { container_name: client.containerName, ...parameters }, '?force=true')
  return app.waitForJob(job_id)
}
const taskOf = async (job_id: string, name: string) => (await app.get(`/api/jobs/${job_id}/tasks/2/${name}`)).body

describe('listings', () => {
  test('a blob without metadata has an empty element: no metadata, in lists and in jobs (azure-sdk-for-js#21863)', async () => {
    relist((xml) => xml.replaceAll('</Properties></Blob>', '</Properties><Metadata /><OrMetadata /></Blob>'))
    expect(await named('a.csv')).toMatchObject({ metadata: {} })
    expect((await named('a.csv'))?.missing).toBeUndefined()
    for (const type of ['list_container', 'inventory_container', 'summarize_container']) {
      const { job_id } = await app.submit(type, { container_name: client.containerName }, '?force=true')
      expect(await app.waitForJob(job_id), type).toMatchObject({ status: 'completed' })
    }
  })

  test('optional elements that are empty, absent or carry attributes make one fact missing, never a failed page', async () => {
    relist((xml) =>
      xml
        .replace(/<Content-Length>4<\/Content-Length>/, '<Content-Length />')
        .replace(/<Content-Type>[^<]*<\/Content-Type>/, '<Content-Type x="1" />')
        .replace(/<Content-MD5>[^<]*<\/Content-MD5>/, '<Content-MD5/>'),
    )
    const found = await all()
    expect(found.map((b) => b.name)).toEqual(['a.csv', 'b.csv', 'dir/', 'full-stub'])
    expect(found.flatMap((b) => b.missing ?? [])).toContainEqual({ what: 'size', code: 'NOT_UNDERSTOOD' })
  })

  test('metadata names are in lower case, whoever reads them (azure-sdk-for-js#4966)', async () => {
    expect((await named('b.csv'))?.metadata).toEqual({ owner: 'Jana' })
    expect((await blobs.properties({ container: client.containerName, blob: 'b.csv' })).metadata).toEqual({ owner: 'Jana' })
  })

  test("a metadata name that breaks the SDK's XML parser is metadata as any other (azure-sdk-for-js#9171)", async () => {
    relist((xml) => xml.replace('<Metadata>', '<Metadata><constructor>x</constructor>'))
    const found = await all()
    expect(found.map((b) => b.name)).toEqual(['a.csv', 'b.csv', 'dir/', 'full-stub'])
    expect(found.find((b) => b.name === 'b.csv')).toMatchObject({ metadata: { constructor: 'x', owner: 'Jana' } })
    expect(found.flatMap((b) => b.missing ?? [])).toEqual([])
    const { status, body } = await app.get(`/api/containers/${client.containerName}/blobs?delimiter=/`)
    expect([status, body.blobs.map((b: { name: string }) => b.name)]).toEqual([200, expect.arrayContaining(['a.csv'])])
  })

  test('a folder in any case of name and value is none of the files; what holds bytes is one (adlfs#440, hadoop#7496)', async () => {
    expect((await all()).map((b) => b.name)).toEqual(['a.csv', 'b.csv', 'dir/', 'full-stub'])
  })

  test('a metadata name that no element can have costs the metadata of its page, not the page', async () => {
    let pages = 0
    proxy.fault = (line) =>
      listing(line) && line.includes('include=metadata')
        ? { rewrite: (xml) => (pages++, xml.replace('<Metadata>', '<Metadata><a$b>x</a$b>')) }
        : undefined
    const found = await all()
    // Without metadata the stand-in of a folder cannot be told from an empty file.
    expect([pages, found.map((b) => b.name)]).toEqual([1, ['a.csv', 'b.csv', 'dir/', 'full-stub', 'stub']])
    for (const { missing } of found) expect(missing).toContainEqual({ what: 'metadata', code: 'NOT_UNDERSTOOD' })
  })

  test('a listing that is cut while it is read is asked for again; one that is always cut is an error that can be tried later', async () => {
    let asked = 0
    proxy.fault = (line) => (listing(line) && asked++ < 2 ? { cutAfter: 300 } : undefined)
    expect((await all()).map((b) => b.name)).toEqual(['a.csv', 'b.csv', 'dir/', 'full-stub'])
    expect(asked).toBe(3)
    answers(listing, { cutAfter: 300 })
    await expect(all()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true })
  })

  test('a page without blobs and with a marker is not the end', async () => {
    let pages = 0
    proxy.fault = (line) =>
      listing(line) && pages++ === 0
        ? {
            rewrite: (xml) =>
              xml
                .replace(/<Blobs>.*<\/Blobs>/s, '<Blobs />')
                .replace(/<NextMarker\s*\/>|<NextMarker>[^<]*<\/NextMarker>/, '<NextMarker>a</NextMarker>'),
          }
        : undefined
    expect((await all()).map((b) => b.name)).toContain('b.csv')
  })

  test('names outside XML come percent-encoded', async () => {
    relist((xml) => xml.replace('<Name>a.csv</Name>', '<Name Encoded="true">a%EF%BF%BE.csv</Name>'))
    expect((await all()).map((b) => b.name)).toContain('a\uFFFE.csv')
  })
})

describe('reading', () => {
  test('tags that the role or the account does not give are missing with their reason (azure-sdk-for-python#21668, -net#39388)', async () => {
    for (const [status, code, expected] of [
      [403, 'AuthorizationPermissionMismatch', 'STORAGE_FORBIDDEN'],
      [409, 'FeatureNotYetSupportedForHierarchicalNamespaceAccounts', 'STORAGE_UNSUPPORTED'],
      [400, 'InvalidQueryParameterValue', 'STORAGE_ERROR'],
    ] as const) {
      answers((line) => line.includes('comp=tags'), { status, code })
      const job = await list({ metadata_level: 'full' })
      expect(job.status, code).toBe('completed')
      expect((await taskOf(job.job_id, 'a.csv')).result_data).toMatchObject({
        detected_format: null,
        missing: [{ what: 'tags', code: expected }],
      })
    }
  })

  test('an archived blob is listed with its properties and not read; its download is a 409 of its own', async () => {
    answers((line) => line.startsWith('HEAD') && line.includes('a.csv'), {
      rewrite: (body) => body,
      headers: { 'x-ms-access-tier': 'Archive', 'x-ms-archive-status': 'rehydrate-pending-to-hot' },
    })
    const job = await list({ metadata_level: 'full' })
    expect((await taskOf(job.job_id, 'a.csv')).result_data).toMatchObject({
      size: 4,
      access_tier: 'Archive',
      archive_status: 'rehydrate-pending-to-hot',
      not_read: 'archived',
    })
    answers((line) => line.startsWith('GET') && line.includes('/a.csv'), { status: 409, code: 'BlobArchived' })
    const download = await app.get(`/api/containers/${client.containerName}/download/a.csv`)
    expect([download.status, download.body.code]).toEqual([409, 'BLOB_ARCHIVED'])
  })

  test('a blob that changes between its properties and its bytes is looked at again within the task', async () => {
    let refused = 0
    // Too short to be a raster is not read at all.
    await client.getBlockBlobClient('long.csv').upload('long enough', 11)
    proxy.fault = (line) =>
      line.startsWith('GET') && line.includes('/long.csv') && !line.includes('comp=') && refused++ < 2
        ? { status: 412, code: 'ConditionNotMet' }
        : undefined
    const job = await list({ metadata_level: 'full' })
    expect([job.status, refused]).toEqual(['completed', 3])
    await client.deleteBlob('long.csv')
  })

  test('Content-Encoding is kept in records and downloads; the bytes are as stored', async () => {
    await client
      .getBlockBlobClient('packed.txt')
      .upload('stored', 6, { blobHTTPHeaders: { blobContentEncoding: 'x-lamp', blobContentType: 'text/plain' } })
    const path = `/api/containers/${client.containerName}`
    expect((await app.get(`${path}/blobs/packed.txt`)).body.content_encoding).toBe('x-lamp')
    expect((await app.get(`${path}/download/packed.txt`)).headers.get('content-encoding')).toBe('x-lamp')
    await client.deleteBlob('packed.txt')
  })
})

describe('refusals have a code and a sentence each', () => {
  test.each([
    [412, 'LeaseIdMissing', 'BLOB_LEASED'],
    [409, 'LeaseAlreadyPresent', 'BLOB_LEASED'],
    [409, 'BlobImmutableDueToPolicy', 'BLOB_IMMUTABLE'],
    [409, 'SnapshotsPresent', 'BLOB_HAS_SNAPSHOTS'],
    [412, 'ConditionNotMet', 'BLOB_CHANGED'],
  ])('%i %s → %s', async (status, code, expected) => {
    answers((line) => line.startsWith('DELETE'), { status, code })
    await expect(blobs.delete({ container: client.containerName, blob: 'a.csv' })).rejects.toMatchObject({ code: expected })
  })

  test('throttling is worth another try, and says what was answered', async () => {
    answers((line) => line.startsWith('GET'), { status: 403, code: 'AuthorizationPermissionMismatch' })
    await expect(blobs.read({ container: client.containerName, blob: 'a.csv' })).rejects.toMatchObject({
      code: 'STORAGE_FORBIDDEN',
      retryable: false,
    })
  })

  test('one container that the role does not cover hides none of the others', async () => {
    answers((line) => line.includes('restype=container') && line.includes('/silver'), {
      status: 403,
      code: 'AuthorizationPermissionMismatch',
    })
    const { status, body } = await app.get('/api/containers')
    expect(status).toBe(200)
    expect(body.containers).toContainEqual({ container_name: 'silver', tier: 'silver', exists: null, code: 'STORAGE_FORBIDDEN' })
    expect(body.containers).toContainEqual(expect.objectContaining({ container_name: 'bronze', exists: true }))
  })
})
