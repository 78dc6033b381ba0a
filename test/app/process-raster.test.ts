// process_raster over HTTP: a raster in bronze becomes a COG in silver, by parallel tasks, whatever happens on the way.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerClient } from '@azure/storage-blob'
import { BlobServiceClient } from '@azure/storage-blob'
import { inject } from 'vitest'
import { checkCog } from '../../src/raster/check.ts'
import { describeRaster } from '../../src/raster/describe.ts'
import { type Gdal, openGdal } from '../support/gdal.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { bytesSource, convert } from '../support/raster.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

let app: TestApp
let gdal: Gdal
let container: ContainerClient
let silver: ContainerClient
beforeAll(async () => {
  ;[app, gdal] = await Promise.all([startApp(), openGdal()])
  container = await app.container()
  silver = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient('silver')
})
afterAll(async () => {
  await app?.stop()
  await gdal?.close()
})

const [width, height] = [1300, 1100]
const rgb = makeTiff({
  width,
  height,
  bands: 3,
  dtype: 'uint8',
  photometric: 2,
  samples: someSamples('uint8', width, height, 3),
  epsg: 32_633,
})

async function put(name: string, bytes: Uint8Array): Promise<{ source_container: string; source_blob: string }> {
  await container.getBlockBlobClient(name).uploadData(bytes)
  return { source_container: container.containerName, source_blob: name }
}
const download = (blob: string): Promise<Buffer> => silver.getBlobClient(blob).downloadToBuffer()

describe('a raster becomes a COG', () => {
  test('four stages, the same bytes as in one piece, and the record of it', async () => {
    const source = await put('land/rgb.tif', rgb)
    const { job_id } = await app.submit('process_raster', { ...source, tile_size: 256 })
    const job = await app.waitForJob(job_id)
    expect(job.error).toBeNull()
    expect(job.stages.map((s) => [s.name, s.outcome])).toEqual([
      ['validate_raster', 'completed'],
      ['plan_tiles', 'completed'],
      ['create_cog_tiles', 'completed'],
      ['create_stac_record', 'completed'],
    ])
    const result = job.result as { blob: string; bytes: number; etag: string; levels: number }
    expect(result).toMatchObject({
      container: 'silver',
      target_name: 'land/rgb_analysis',
      levels: 4,
      bigtiff: false,
      warnings: [],
    })
    expect(result.blob).toBe(`land/rgb_analysis/${job_id.slice(0, 16)}-p1.tif`)
    const bytes = await download(result.blob)
    expect(bytes.length).toBe(result.bytes)
    expect(bytes.equals((await convert(bytesSource(rgb), { tile_size: 256 })).bytes)).toBe(true)
    expect(await checkCog(bytesSource(bytes))).toEqual([])
    expect((await gdal.info(bytes)).metadata.IMAGE_STRUCTURE.LAYOUT).toBe('COG')
    expect((await gdal.pixels(bytes)).equals(await gdal.pixels(rgb))).toBe(true)
    const rows = await app.database.pool.query('SELECT state, bytes::int, target_name FROM app.raster_outputs')
    expect(rows).toEqual([{ state: 'published', bytes: bytes.length, target_name: 'land/rgb_analysis' }])
    // Nothing is left of the way.
    const kept = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient('lamplighter')
    for await (const blob of kept.listBlobsFlat({ prefix: `raster/${job_id}/` })) expect.fail(blob.name)
  })

  test('warped, as a picture with a mask, and archived', async () => {
    const source = await put('land/again.tif', rgb)
    const jobs = await Promise.all([
      app.submit('process_raster', { ...source, target_crs: 'EPSG:3857' }),
      app.submit('process_raster', { ...source, output_tier: 'visualization' }),
      app.submit('process_raster', { ...source, output_tier: 'archive', compression: 'zstd' }),
    ])
    const [warped, picture, archive] = await Promise.all(
      jobs.map(async ({ job_id }) => {
        const job = await app.waitForJob(job_id)
        expect(job.error).toBeNull()
        return describeRaster(bytesSource(await download(job.result?.['blob'] as string)))
      }),
    )
    expect(warped).toMatchObject({ epsg: 3857, is_cog: true, has_mask: true })
    expect(picture).toMatchObject({ compression: 'jpeg', is_cog: true, bands: 3 })
    expect(archive).toMatchObject({ compression: 'zstd', is_cog: true, width, height })
  })
})

describe('what cannot be done is refused by name', () => {
  const submit = (body: object) => app.send('POST', '/api/jobs/submit/process_raster', body)
  test('at submission, where parameters alone decide', async () => {
    const source = await put('land/a.tif', rgb)
    const cases: [object, number, string][] = [
      [{ ...source, source_blob: 'none.tif' }, 404, 'BLOB_NOT_FOUND'],
      [{ ...source, source_container: 'missing' }, 404, 'CONTAINER_NOT_FOUND'],
      [{ ...source, source_blob: '../x.tif' }, 400, 'INVALID_PARAMETERS'],
      [{ ...source, compression: 'jpeg' }, 422, 'OPTION_INVALID'],
      [{ ...source, quality: 50 }, 422, 'OPTION_INVALID'],
      [{ ...source, output_tier: 'archive', bands: [1] }, 422, 'OPTION_INVALID'],
      [{ ...source, target_crs: 'EPSG:9999' }, 422, 'CRS_UNKNOWN'],
      [{ ...source, target_crs: 'EPSG:5514' }, 422, 'CRS_ACCURACY'],
      [{ ...source, target_container: 'bronze' }, 403, 'CONTAINER_READ_ONLY'],
    ]
    for (const [body, status, code] of cases) {
      const answer = await submit(body)
      expect([answer.status, answer.body.code], JSON.stringify(body)).toEqual([status, code])
    }
  })

  const plain = (more: object) => makeTiff({ width: 64, height: 64, bands: 1, dtype: 'uint8', ...more })
  const FILES: Record<string, [bytes: Uint8Array, options: object, code: string]> = {
    'a JPEG called .tif': [Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]), {}, 'NOT_TIFF'],
    'an empty blob': [Buffer.alloc(0), {}, 'NOT_TIFF'],
    'three bytes': [Buffer.from('II*'), {}, 'NOT_TIFF'],
    'half a file': [rgb.subarray(0, rgb.length / 2), {}, 'TIFF_TRUNCATED'],
    'float32 as a picture': [plain({ dtype: 'float32' }), { output_tier: 'visualization' }, 'TIER_INCOMPATIBLE'],
    'a band that is not there': [plain({}), { bands: [2] }, 'BAND_UNKNOWN'],
    'no CRS, but to be warped': [plain({}), { target_crs: 'EPSG:3857' }, 'CRS_MISSING'],
  }
  test.each(Object.keys(FILES))('%s', async (name) => {
    const [bytes, options, code] = FILES[name] as [Uint8Array, object, string]
    const { job_id } = await app.submit('process_raster', { ...(await put(`bad/${name}.tif`, bytes)), ...options })
    const job = await app.waitForJob(job_id)
    expect([job.status, job.error?.code]).toEqual(['failed', code])
    expect(job.stages.map((s) => s.name)).toEqual(['validate_raster'])
  })
})
