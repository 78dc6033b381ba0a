// process_container: every raster of a container in one job, an outcome for each, and nothing stops the others.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BlobServiceClient } from '@azure/storage-blob'
import { inject } from 'vitest'
import { namedSources } from '../../src/raster/container-sources.ts'
import { describeRaster } from '../../src/raster/describe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { bytesSource } from '../support/raster.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app?.stop())

const raster = (size: number, seed: number): Buffer =>
  makeTiff({
    width: size,
    height: size,
    bands: 1,
    dtype: 'uint16',
    samples: someSamples('uint16', size, size, 1, seed),
    epsg: 32_633,
  })

test('good files are published, a bad one is reported, and two of one name are kept apart', async () => {
  const container = await app.container()
  const files: Record<string, Buffer> = {
    'in/a.tif': raster(600, 1),
    'in/a.tiff': raster(300, 2),
    'in/b.tif': raster(100, 3),
    'in/bad.tif': Buffer.from('this is no raster at all'),
    'in/half.tif': raster(400, 4).subarray(0, 1000),
    'in/read.me': Buffer.from('x'),
    'out/c.tif': raster(50, 5),
  }
  for (const [name, bytes] of Object.entries(files)) await container.getBlockBlobClient(name).uploadData(bytes)
  const { job_id } = await app.submit('process_container', {
    container: container.containerName,
    prefix: 'in/',
    target_prefix: 'made/',
    tile_size: 256,
  })
  const job = await app.waitForJob(job_id)
  expect(job.status).toBe('completed_with_errors')
  const result = job.result as { outputs: { source: string; blob: string }[]; failures: { source: string; code: string }[] }
  expect(result).toMatchObject({ files: 5, published: 3, failed: 2 })
  expect(result.failures.map((f) => [f.source, f.code])).toEqual([
    ['in/bad.tif', 'NOT_TIFF'],
    ['in/half.tif', 'TIFF_TRUNCATED'],
  ])
  const id = job_id.slice(0, 16)
  expect(result.outputs.map((o) => [o.source, o.blob])).toEqual([
    ['in/a.tif', `made/in/a.tif_analysis/${id}-p1.tif`],
    ['in/a.tiff', `made/in/a.tiff_analysis/${id}-p1.tif`],
    ['in/b.tif', `made/in/b_analysis/${id}-p1.tif`],
  ])
  const silver = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient('silver')
  const made = await describeRaster(
    bytesSource(await silver.getBlobClient(`made/in/a.tif_analysis/${id}-p1.tif`).downloadToBuffer()),
  )
  expect(made).toMatchObject({ width: 600, is_cog: true, dtype: 'uint16' })
  const tiles = JSON.parse((await app.get(`/api/jobs/${job_id}/tiles`)).body) as { features: { id: string }[] }
  expect(tiles.features.map((f) => f.id)).toContain('in/b.tif#tile_x0_y0')
})

test('names of outputs never meet', () => {
  const names = ['a.tif', 'a.tiff', 'a.tif_analysis.tif', 'b.tif', 'c.d/e.tif', 'c.d/e']
  const targets = namedSources(names, 'p/', 'analysis').map((s) => s.target)
  expect(new Set(targets).size).toBe(names.length)
  expect(targets).toContain('p/b_analysis')
})
