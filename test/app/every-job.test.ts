// Every job type of the registry runs from submission to its result: a new one without a line here fails.
import { makeTiff } from '../support/tiff-maker.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobs } from '../../src/jobs/index.gen.ts'
import { fill, startApp, type TestApp } from '../support/app.ts'

let app: TestApp
let container: string
beforeAll(async () => {
  app = await startApp()
  const client = await app.container()
  container = client.containerName
  await fill(client, ['a/1.tif', 'a/2.tif', 'b.csv'], 'x')
})
afterAll(() => app.stop())

const inventory = async (label: string): Promise<{ job_id: string }> => {
  const { job_id } = await app.submit('inventory_container', { container, label })
  await app.waitForJob(job_id)
  return { job_id }
}
/** Parameters by job type, and something that its result must say. */
const RUNS: Readonly<Record<string, () => Promise<[parameters: object, result: object]>>> = {
  hello_world: () => Promise.resolve([{ n: 3 }, { greetings: 3, replies: 3 }]),
  summarize_container: () => Promise.resolve([{ container }, { file_count: 3, success: true }]),
  list_container: () =>
    Promise.resolve([
      { container, create_index: true },
      { successful: 3, file_index: { 'b.csv': { size: 1 } } },
    ]),
  inventory_container: () =>
    Promise.resolve([
      { container, level: 'full' },
      { blob_count: 3, success: true },
    ]),
  process_raster: async () => {
    const client = await app.container()
    await client.getBlockBlobClient('a.tif').uploadData(makeTiff({ width: 40, height: 30, bands: 1, dtype: 'uint8' }))
    return [
      { source_container: client.containerName, source_blob: 'a.tif' },
      { target_name: 'a_analysis', levels: 1 },
    ]
  },
  catalog_container: () =>
    Promise.resolve([
      { container, prefix: 'a/' },
      { listed: 2, created: 2, problems: { NOT_TIFF: 2 }, items: 2 },
    ]),
  process_container: () =>
    Promise.resolve([
      { container, prefix: 'none/' },
      { files: 0, published: 0, warning: 'no rasters matched' },
    ]),
  export_stac: () =>
    Promise.resolve([{ target_prefix: 'every-job' }, { container: 'silver', catalog: 'every-job/catalog.json', failures: {} }]),
  ingest_stac: () =>
    Promise.resolve([{ container }, { listed: 0, items: 0, problems: {}, collection_id: `ingested-${container}` }]),
  validate_stac: () =>
    Promise.resolve([
      { container, prefix: 'none/' },
      { files: 0, warning: 'no documents matched' },
    ]),
  compare_inventories: async () => [
    { before: await inventory('one'), after: await inventory('two') },
    { unchanged: 3, success: true },
  ],
}

test('each of the registry has a line here', () => {
  expect(Object.keys(RUNS).sort()).toEqual(jobs.map((j) => j.name).sort())
})

test.each(Object.entries(RUNS))('%s', async (type, prepare) => {
  const [parameters, result] = await prepare()
  const { job_id } = await app.submit(type, parameters)
  expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed', error: null, result })
})
