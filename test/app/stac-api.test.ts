// The catalogue as its clients use it: from the landing page by link relations alone, over what jobs described.
import type { ContainerClient } from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { validateDocument } from '../../src/stac/validate.ts'
import { startApp, type TestApp } from '../support/app.ts'
import type { Loose } from '../support/stac.ts'
import { post, read } from '../support/stac-client.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

let app: TestApp
let container: string
let client: ContainerClient
let bronze: string
const raster = (seed: number, epsg = 32_633): Buffer =>
  makeTiff({
    width: 300,
    height: 200,
    bands: 1,
    dtype: 'uint16',
    samples: someSamples('uint16', 300, 200, 1, seed),
    epsg,
    pixel: 30,
    origin: [500_000 + seed * 10_000, 5_300_000],
  })
const FILES: Record<string, Buffer> = {
  'a/scene_20240203T101112.tif': raster(1),
  'a/scene_20240203T101112.tif.aux.xml': Buffer.from('<PAMDataset/>'),
  'a/über #1 100%.tif': raster(2),
  'b/<img onerror=alert(1)>.tif': raster(3),
  'b/broken.tif': Buffer.from('II*\0nothing'),
  'b/half.tif': raster(4).subarray(0, 60),
  'notes.txt': Buffer.from('no raster'),
}
beforeAll(async () => {
  app = await startApp({ env: { CORS_ORIGINS: 'https://browser.example' } })
  client = await app.container()
  container = client.containerName
  for (const [name, bytes] of Object.entries(FILES)) await client.getBlockBlobClient(name).uploadData(bytes)
  bronze = `bronze-${container}`
})
afterAll(() => app?.stop())

const linkOf = (document: Loose, rel: string, method = 'GET'): string => {
  const found = document.links.find((l: Loose) => l.rel === rel && (l.method ?? 'GET') === method)
  expect(found, `link ${rel}`).toBeDefined()
  return found.href as string
}
const valid = (document: Loose): void => {
  const report = validateDocument(document, { now: new Date() }) as Loose
  expect({ id: document.id, issues: report.issues }).toEqual({ id: document.id, issues: [] })
}
const landing = async (): Promise<Loose> => (await read(`${app.host.url}/api/stac`)).body

describe('catalog_container', () => {
  test('describes what is there, with problems told; again it reads nothing; a change is one update, a deletion is marked, then removed', async () => {
    const run = async (label: string, more = {}): Promise<Loose> => {
      const { job_id } = await app.submit('catalog_container', {
        container,
        label,
        datetime_pattern: '_{YYYY}{MM}{DD}T{hh}{mm}{ss}',
        ...more,
      })
      return (await app.waitForJob(job_id)).result
    }
    expect(await run('1', { title: 'Scenes', license: 'CC-BY-4.0' })).toMatchObject({
      collection_id: bronze,
      listed: 5,
      created: 5,
      unchanged: 0,
      items: 5,
      problems: { TIFF_CORRUPT: 2 },
    })
    expect(await run('2')).toMatchObject({ listed: 5, created: 0, updated: 0, unchanged: 5, items: 5, missing: 0 })
    await client.getBlockBlobClient('a/scene_20240203T101112.tif').uploadData(raster(5))
    await client.getBlockBlobClient('b/half.tif').delete()
    expect(await run('3')).toMatchObject({ listed: 4, updated: 1, unchanged: 3, items: 5, missing: 1, deleted: 0 })
    expect(await run('4')).toMatchObject({ listed: 4, updated: 0, unchanged: 4, items: 4, missing: 0, deleted: 1 })
    expect(await run('5', { mode: 'full' })).toMatchObject({ listed: 4, unchanged: 1, updated: 3, items: 4 })
    // A side-car that came is a file of the item.
    await client.getBlockBlobClient('a/über #1 100%.tfw').upload('1', 1)
    expect(await run('7')).toMatchObject({ updated: 1, unchanged: 3 })
    await client.getBlockBlobClient('a/über #1 100%.tfw').delete()
    expect(await run('8')).toMatchObject({ updated: 1, unchanged: 3 })
    expect(await run('6', { reread: true })).toMatchObject({ listed: 4, unchanged: 4, updated: 0 })
  })

  test('a missing container, a pattern without a day and half an interval are refused before there is a job', async () => {
    const refused = async (more: object): Promise<unknown> => {
      const { status, body } = await app.send('POST', '/api/jobs/submit/catalog_container', { container, ...more })
      return [status, body.code]
    }
    expect(await refused({ container: 'bronze', prefix: 'x', datetime_pattern: '{YYYY}' })).toEqual([400, 'INVALID_PARAMETERS'])
    expect(await refused({ datetime: '2024-01-01T00:00:00Z/..' })).toEqual([400, 'INVALID_PARAMETERS'])
  })
})

describe('by links alone', () => {
  test('a client opens the catalogue, takes a collection, its items, and searches to the end', async () => {
    const root = await landing()
    valid(root)
    expect(root).toMatchObject({ type: 'Catalog', stac_version: '1.1.0', id: 'lamplighter' })
    const conformance = await read(linkOf(root, 'conformance'))
    expect(conformance.body.conformsTo).toEqual(root.conformsTo)
    const { body: collections } = await read(linkOf(root, 'data'))
    const mine = collections.collections.find((c: Loose) => c.id === bronze)
    valid(mine)
    expect(mine).toMatchObject({ title: 'Scenes', license: 'CC-BY-4.0', summaries: { 'proj:code': ['EPSG:32633'] } })
    expect((await read(linkOf(mine, 'self'))).body).toEqual(mine)

    const first = await read(`${linkOf(mine, 'items')}?limit=2`)
    expect(first.headers.get('content-type')).toBe('application/geo+json')
    const seen = [...first.body.features]
    for (let page = first.body; page.links.some((l: Loose) => l.rel === 'next');) {
      page = (await read(linkOf(page, 'next'))).body
      seen.push(...page.features)
    }
    expect(new Set(seen.map((f: Loose) => f.id)).size).toBe(4)
    for (const feature of seen) {
      valid(feature)
      expect((await read(linkOf(feature, 'self'))).body).toEqual(feature)
      expect((await read(`${linkOf(feature, 'self')}/validate`)).body).toMatchObject({ valid: true, document_type: 'Item' })
      for (const rel of ['root', 'parent', 'collection']) expect((await read(linkOf(feature, rel))).status).toBe(200)
    }
    const report = await read(`${linkOf(mine, 'self')}/validate?limit=3`)
    expect(report.body).toMatchObject({ collection: { valid: true }, counts: { judged: 3, valid: 3 }, invalid: [] })
    expect((await read(linkOf(report.body, 'next'))).body.counts).toEqual({ judged: 1, valid: 1 })
    const scene = seen.find((f: Loose) => f.properties['lamplighter:blob'] === 'a/scene_20240203T101112.tif')
    expect(scene.properties).toMatchObject({
      datetime: '2024-02-03T10:11:12Z',
      'proj:code': 'EPSG:32633',
      'lamplighter:datetime_source': 'name',
    })
    expect(Object.keys(scene.assets)).toEqual(['data', 'aux'])
    expect(scene.assets.data).toMatchObject({ 'proj:shape': [200, 300], 'proj:transform': [30, 0, 550_000, 0, -30, 5_300_000] })
    expect(scene.assets.data.bands[0]).toMatchObject({ data_type: 'uint16', statistics: { count: 60_000 } })
  })

  test('POST pages with a body of its own; GET says the same', async () => {
    const root = await landing()
    const search = linkOf(root, 'search', 'POST')
    const body = { collections: [bronze], limit: 3, bbox: [10, 40, 20, 50], sortby: [{ field: 'id', direction: 'desc' }] }
    const first = await post(search, body)
    expect(first.status).toBe(200)
    const byGet = await read(`${linkOf(root, 'search')}?collections=${bronze}&limit=3&bbox=10,40,20,50&sortby=-id`)
    expect(byGet.body.features).toEqual(first.body.features)
    const small = await post(search, { ...body, limit: 1 })
    const next = small.body.links.find((l: Loose) => l.rel === 'next')
    expect(next).toMatchObject({ method: 'POST', merge: false, body: { ...body, limit: 1 } })
    expect((await post(next.href, next.body)).body.features[0]).toEqual(first.body.features[1])
  })

  test('a file is a redirect with a signature, its bytes are the file; a picture; what is gone is 410', async () => {
    const { body } = await read(
      `${app.host.url}/api/stac/search?filter=${encodeURIComponent(`"lamplighter:blob" = 'a/über #1 100%.tif'`)}`,
    )
    const [feature] = body.features
    const asset = await fetch(feature.assets.data.href, { redirect: 'manual' })
    expect([asset.status, asset.headers.get('cache-control')]).toEqual([302, 'no-store'])
    const bytes = Buffer.from(await (await fetch(asset.headers.get('location') ?? '')).arrayBuffer())
    expect(bytes.equals(FILES['a/über #1 100%.tif'] as Buffer)).toBe(true)
    const picture = await fetch(`${linkOf(feature, 'self')}/preview.png?size=64`)
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect((await read(`${linkOf(feature, 'self')}/assets/nothing`)).body).toMatchObject({ code: 'ASSET_NOT_FOUND' })
    await client.getBlockBlobClient('b/<img onerror=alert(1)>.tif').delete()
    const gone = await read(`${app.host.url}/api/stac/search?filter=${encodeURIComponent(`"lamplighter:blob" LIKE 'b/<img%'`)}`)
    expect((await read(gone.body.features[0].assets.data.href)).status).toBe(410)
  })
})

describe('requests as clients make them', () => {
  test('pystac-client: open, get_collections, search by POST page by page, search by GET, get_item', async () => {
    const root = await landing()
    expect(root.conformsTo).toContain('https://api.stacspec.org/v1.0.0/item-search')
    const { body: listed } = await read(linkOf(root, 'data'))
    expect(listed.collections.map((c: Loose) => c.id)).toContain(bronze)
    // ItemSearch: members that are not given are left out, lists are lists, times are RFC 3339 in UTC.
    const body = {
      limit: 2,
      bbox: [-180, -90, 180, 90],
      datetime: '2000-01-01T00:00:00Z/..',
      collections: [bronze],
      'filter-lang': 'cql2-json',
      filter: { op: '<=', args: [{ property: 'gsd' }, 30] },
      sortby: [{ field: 'properties.datetime', direction: 'desc' }],
      ids: null,
    }
    const ids: string[] = []
    let request: { href: string; body: unknown } | undefined = { href: linkOf(root, 'search', 'POST'), body }
    while (request) {
      const { body: page } = (await post(request.href, request.body)) as { body: Loose }
      ids.push(...page.features.map((f: Loose) => f.id))
      const next = page.links.find((l: Loose) => l.rel === 'next')
      // pages(): merge adds the body to the one before; without it the link's body stands alone.
      request = next && { href: next.href, body: next.merge ? { ...body, ...next.body } : next.body }
    }
    const query = new URLSearchParams({
      limit: '100',
      bbox: '-180.0,-90.0,180.0,90.0',
      datetime: '2000-01-01T00:00:00Z/..',
      collections: bronze,
      'filter-lang': 'cql2-text',
      filter: 'gsd <= 30',
      sortby: '-properties.datetime',
    })
    const { body: all } = await read(`${linkOf(root, 'search')}?${query.toString()}`)
    expect(ids).toEqual(all.features.map((f: Loose) => f.id))
    expect(ids.length).toBeGreaterThan(2)
    expect((await read(`${linkOf(root, 'data')}/${bronze}/items/${ids[0]}`)).body.id).toBe(ids[0])
  })

  test('STAC Browser: preflight, landing page, collections, items by twelve, queryables; QGIS: collections, search by box and time', async () => {
    const headers = { origin: 'https://browser.example' }
    const get = async (url: string): Promise<Loose> => {
      const answer = await read(url, { headers })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, headers.origin])
      return answer.body
    }
    const root = await get(`${app.host.url}/api/stac`)
    const child = root.links.find((l: Loose) => l.rel === 'child' && l.href.endsWith(bronze))
    const opened = await get(child.href)
    const items = await get(`${linkOf(opened, 'items')}?limit=12`)
    expect(items.features.length).toBeGreaterThan(2)
    const queryables = await get(linkOf(opened, 'http://www.opengis.net/def/rel/ogc/1.0/queryables'))
    expect(queryables.properties.gsd.type).toBe('number')
    const qgis = await get(
      `${linkOf(root, 'search')}?limit=10&collections=${bronze}&bbox=-180,-90,180,90&datetime=2020-01-01T00:00:00Z/2100-01-01T00:00:00Z`,
    )
    expect(qgis.features.length).toBeGreaterThan(2)
  })
})

describe('process_raster', () => {
  test('its output and its source are in the catalogue with the name; a source that changes is told; deletion says first what would go', async () => {
    const { job_id } = await app.submit('process_raster', {
      source_container: container,
      source_blob: 'a/scene_20240203T101112.tif',
      tile_size: 256,
    })
    const { result } = (await app.waitForJob(job_id)) as Loose
    const { body: made } = await read(`${app.host.url}/api/stac/collections/${result.collection_id}/items/${result.item_id}`)
    valid(made)
    expect(made.properties).toMatchObject({
      'lamplighter:job_id': job_id,
      'lamplighter:output_tier': 'analysis',
      datetime: '2024-02-03T10:11:12Z',
    })
    expect(made.assets.data).toMatchObject({
      type: 'image/tiff; application=geotiff; profile=cloud-optimized',
      'file:size': result.bytes,
    })
    expect(made.assets.data.bands[0].statistics).toMatchObject({ count: 60_000, valid_percent: 100 })
    expect((await fetch(made.assets.thumbnail.href)).headers.get('content-type')).toBe('image/png')
    expect((await read(linkOf(made, 'tilejson'))).body.tilejson).toBe('3.0.0')
    const source = (await read(linkOf(made, 'derived_from'))).body
    expect(source.properties['lamplighter:blob']).toBe('a/scene_20240203T101112.tif')
    const { body: lineage } = await read(`${linkOf(source, 'self')}/lineage`)
    expect(lineage.derived).toEqual([{ collection: made.collection, id: made.id, href: linkOf(made, 'self') }])

    await client.getBlockBlobClient('a/scene_20240203T101112.tif').uploadData(raster(6))
    const again = await app.submit('catalog_container', { container, label: 'after' })
    await app.waitForJob(again.job_id)
    expect((await read(linkOf(made, 'self'))).body.properties['lamplighter:source_changed']).toBe(true)

    // Swept as files of a container, outputs would be gone: their names are no names of blobs.
    const mixed = await app.submit('catalog_container', {
      container: 'silver',
      collection_id: result.collection_id,
      missing: 'delete',
    })
    expect(await app.waitForJob(mixed.job_id)).toMatchObject({
      status: 'failed',
      error: { details: expect.stringContaining('silver items') },
    })
    expect((await read(linkOf(made, 'self'))).status).toBe(200)
    const other = await app.submit('process_raster', {
      source_container: container,
      source_blob: 'a/scene_20240203T101112.tif',
      target_name: 'elsewhere',
      collection_id: bronze,
    })
    expect(await app.waitForJob(other.job_id)).toMatchObject({
      status: 'failed',
      error: { details: expect.stringContaining('bronze items') },
    })

    const dry = await read(linkOf(made, 'self'), { method: 'DELETE' })
    expect(dry.body).toMatchObject({ dry_run: true, would_delete: { item_id: made.id } })
    const done = await read(`${linkOf(made, 'self')}?dry_run=false&with_blob=true`, { method: 'DELETE' })
    expect(done.body).toMatchObject({ dry_run: false })
    expect((await read(linkOf(made, 'self'))).status).toBe(404)
    const kept = await read(`${linkOf(source, 'self')}?dry_run=false&with_blob=true`, { method: 'DELETE' })
    expect([kept.status, kept.body.code]).toEqual([403, 'CONTAINER_READ_ONLY'])
    expect((await read(`${linkOf(source, 'collection')}?dry_run=false`, { method: 'DELETE' })).body).toMatchObject({
      code: 'COLLECTION_NOT_EMPTY',
    })
  })
})

test('unknown collections are 404, wrong methods 405, a token of another search 400, ids that are excluded leave links intact', async () => {
  const stac = `${app.host.url}/api/stac`
  expect((await read(`${stac}/collections/nothing`)).body).toMatchObject({ status: 404, code: 'COLLECTION_NOT_FOUND' })
  expect((await read(`${stac}/collections/nothing/items`)).status).toBe(404)
  expect((await read(`${stac}/collections/${bronze}/items/nothing`)).body).toMatchObject({ status: 404, code: 'ITEM_NOT_FOUND' })
  const wrong = await fetch(`${stac}/search`, { method: 'PUT' })
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, POST'])
  const { body } = await read(`${stac}/search?limit=1`)
  const token = new URL(linkOf(body, 'next')).searchParams.get('token') ?? ''
  expect((await read(`${stac}/search?limit=1&sortby=id&token=${token}`)).body).toMatchObject({
    status: 400,
    code: 'INVALID_TOKEN',
  })
  const forged = (value: unknown): string => {
    const [mark, position] = JSON.parse(Buffer.from(token, 'base64url').toString()) as [string, unknown[]]
    return Buffer.from(JSON.stringify([mark, [value, ...position.slice(1)]])).toString('base64url')
  }
  for (const value of ['abc', '', 'now', 'infinity', null, "2024-01-01'; --", '2024-99-01 00:00:00+00'])
    expect((await read(`${stac}/search?limit=1&token=${forged(value)}`)).body, String(value)).toMatchObject({
      code: 'INVALID_TOKEN',
    })
  const [bare] = (await read(`${stac}/search?limit=1&fields=-id,-geometry`)).body.features
  expect([bare.id, bare.geometry, linkOf(bare, 'self')]).toEqual([undefined, undefined, expect.stringContaining('/items/')])
  for (const sent of [[], 1, 'x', { bbox: '0,0,1,1' }, { ids: [] }, { limit: 0 }, { __proto__x: 1 }, { filter: 5 }])
    expect((await post(`${stac}/search`, sent)).status, JSON.stringify(sent)).toBe(400)
})
