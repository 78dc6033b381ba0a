// Every operation that answers with JSON is asked so that it succeeds, once: its answer fits the shape that the description declares.
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HTTP_TABLE } from '../../src/http/table.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>>
}

const ajv = new Ajv2020({ strict: false })
formats.default(ajv)
const TIFF = makeTiff({
  width: 64,
  height: 64,
  bands: 1,
  dtype: 'uint8',
  samples: someSamples('uint8', 64, 64, 1),
  epsg: 32_633,
})

let app: TestApp
let operations: Map<string, Operation>
const asked = new Set<string>()
const known = { job: '', raster: '', container: '', item: '', collection: '' }

beforeAll(async () => {
  app = await startApp({ owner: true, env: { WEBHOOK_HOSTS: 'hooks.example', HOOK_KEY: 'of the hook' } })
  const { paths } = (await app.get('/api/openapi.json')).body as { paths: Record<string, Record<string, Operation>> }
  operations = new Map(Object.values(paths).flatMap((of) => Object.values(of).map((o) => [o.operationId, o])))
  const container = await app.container()
  known.container = container.containerName
  await container.getBlockBlobClient('a.tif').uploadData(TIFF)
  await container.getBlockBlobClient('broken/b.tif').uploadData(new Uint8Array(40))
})
afterAll(() => app.stop())

/** Asks, and holds the answer against what is declared of the operation. */
async function ask(name: string, path = '', body?: unknown, headers?: Record<string, string>): Promise<any> {
  const row = HTTP_TABLE.find((r) => r.name === name)
  const sent = body ?? (row?.method === 'POST' ? {} : undefined)
  const answer = await app.send(row?.method ?? 'GET', `/api/${path}`, sent, headers)
  const type = answer.headers.get('content-type') ?? ''
  const value = typeof answer.body === 'string' && /json/.test(type) ? JSON.parse(answer.body) : answer.body
  expect([name, answer.status < 300 || value]).toEqual([name, true])
  const content = operations.get(name)?.responses[answer.status]?.content ?? {}
  const schema = Object.entries(content).find(([of]) => of.split(';')[0] === type.split(';')[0])?.[1].schema
  expect([name, answer.status, type, typeof schema]).toEqual([name, answer.status, type, 'object'])
  const check = ajv.compile(schema ?? {})
  expect([name, check(value), check.errors]).toEqual([name, true, null])
  asked.add(name)
  return value
}
const order = { reason: 'told by a test' }

test('jobs and tasks', async () => {
  await ask('putWebhook', 'webhooks/w', { url: 'https://hooks.example/', secret_name: 'hook-key' })
  const submitted = await Promise.all([
    ask('submitJob', 'jobs/submit/hello_world', { n: 3 }),
    app.submit('process_raster', { source_container: known.container, source_blob: 'a.tif', tile_size: 256 }),
    app.submit('catalog_container', { container_name: known.container }),
    app.submit('inventory_container', { container_name: known.container }),
    app.submit('process_container', { container_name: known.container, prefix: 'broken/', target_prefix: 'all/' }),
  ])
  const ended = await Promise.all(submitted.map(({ job_id }) => app.waitForJob(job_id)))
  expect(ended.map((job) => job.status)).toEqual([
    ...Array.from({ length: 4 }, () => 'completed'),
    expect.stringMatching(/^(failed|completed_with_errors)$/),
  ])
  ;[known.job, known.raster] = ended.map((job) => job.job_id) as [string, string]
  const [inventory, failed] = [ended[3]?.job_id ?? '', ended[4]?.job_id ?? '']
  await ask('listJobs', 'jobs')
  for (const { job_id } of ended) await ask('getJob', `jobs/${job_id}`)
  await ask('getJobStatus', `jobs/status/${known.job}`)
  await ask('getJobInstance', `jobs/${known.job}/instance`)
  await ask('getJobManagement', `jobs/${known.job}/management`)
  await ask('listJobTasks', `jobs/${known.job}/tasks`)
  await ask('getJobTask', `jobs/${known.job}/tasks/2/reply_1`)
  await ask('getJobTaskLineage', `jobs/${known.job}/lineage/2/reply_1`)
  await ask('listJobEvents', `jobs/${known.job}/events`)
  await ask('listJobErrors', `jobs/${failed}/errors`)
  await ask('listFailedTasks', 'tasks?since=2026-01-01T00:00:00Z')
  expect((await ask('listJobFiles', `jobs/${inventory}/files`)).count).toBeGreaterThan(0)
  expect((await ask('getJobTiles', `jobs/${known.raster}/tiles`)).features.length).toBeGreaterThan(0)
  await ask('listJobTypes', 'job-types')
  await ask('listMonitorJobs', 'monitor/jobs')
  for (const id of [known.job, failed]) await ask('getMonitorJob', `monitor/jobs/${id}`)
  await ask('listSlowestTasks', `monitor/jobs/${known.job}/slowest`)
  await ask('getCaller', 'whoami')
  await ask('getAdmin', 'whoami/admin')
})

test('actions', async () => {
  const { job_id } = await app.submit('hello_world', { n: 90_000, name: 'Long' })
  await ask('changeJobs', 'bulk/jobs', { ...order, action: 'pause', filter: { type: 'hello_world' } })
  for (const action of ['pause', 'resume', 'cancel', 'retry', 'cancel', 'rerun', 'cancel'])
    await ask(`${action}Job`, `jobs/${job_id}/${action}`, order)
  await ask('purgeEndedJobs', 'bulk/purge', { ...order, filter: { type: 'hello_world' } })
  for (const changed of [true, false]) expect((await ask('purgeJob', `jobs/${job_id}/purge`, order)).changed).toBe(changed)
})

test('schedules and webhooks', async () => {
  await ask('putSchedule', 'schedules/s', { job_type: 'hello_world', parameters: {}, cron: '0 1 * * *' })
  await app.database.pool.query(
    `INSERT INTO app.schedule_runs (schedule_id, due_at, status, error_code) VALUES ('s', '2026-01-02', 'refused', 'X')`,
  )
  await ask('listSchedules', 'schedules')
  await ask('getSchedule', 'schedules/s')
  expect((await ask('listScheduleRuns', 'schedules/s/runs')).count).toBe(1)
  await ask('listWebhooks', 'webhooks')
  await ask('getWebhook', 'webhooks/w')
  expect((await ask('listDeliveries', 'webhooks/w/deliveries')).count).toBeGreaterThan(0)
  await app.database.pool.query(`UPDATE app.webhook_deliveries SET status = 'dead', answered = 500, error = 'x'`)
  await ask('retryDelivery', `webhooks/w/deliveries/${known.job}/1/retry`)
  await ask('deleteSchedule', 'schedules/s')
  await ask('deleteWebhook', 'webhooks/w')
})

test('containers and rasters', async () => {
  const at = known.container
  await ask('listContainers', 'containers')
  expect((await ask('getBlobs', `containers/${at}/blobs`)).count).toBe(2)
  await ask('getBlobs', `containers/${at}/blobs?delimiter=/`)
  await ask('getBlobs', `containers/${at}/blobs/a.tif`)
  await ask('getContainerSummary', `containers/${at}/summary`)
  await ask('createSas', `containers/${at}/sas`, { blob: 'a.tif' })
  await ask('createContainerSas', `containers/${at}/container-sas`)
  await ask('createGdalAccess', `containers/${at}/gdal/a.tif`)
  await ask('uploadBlob', `containers/silver/blobs/shapes/${known.job}.txt`, Buffer.from('x'), { 'content-type': 'text/plain' })
  await ask('getRasterInfo', `rasters/${at}/info/a.tif`)
  const { wgs84_bounds } = await ask('getRasterInfo', `rasters/${at}/info/a.tif`)
  const [west, south, east, north] = wgs84_bounds as [number, number, number, number]
  await ask('getRasterPoint', `rasters/${at}/point/a.tif?lon=${(west + east) / 2}&lat=${(south + north) / 2}`)
  await ask('getRasterTileJson', `rasters/${at}/tilejson/a.tif`)
  await ask('getRasterStatistics', `rasters/${at}/statistics/a.tif`)
})

test('the catalogue', async () => {
  await ask('getStacLanding', 'stac')
  await ask('getStacConformance', 'stac/conformance')
  await ask('getStacOpenApi', 'stac/api')
  await ask('getStacQueryables', 'stac/queryables')
  await ask('getStacSortables', 'stac/sortables')
  await ask('getStacCollections', 'stac/collections')
  const { features } = await ask('getStacSearch', 'stac/search?limit=10')
  await ask('postStacSearch', 'stac/search', { fields: { include: ['id'] } })
  for (const { id, collection } of features as { id: string; collection: string }[]) {
    const item = `stac/collections/${collection}/items/${encodeURIComponent(id)}`
    await ask('getStacCollection', `stac/collections/${collection}`)
    await ask('getStacCollectionQueryables', `stac/collections/${collection}/queryables`)
    await ask('getStacItems', `stac/collections/${collection}/items`)
    await ask('validateStac', 'stac/validate?repair=true', JSON.stringify(await ask('getStacItem', item)), {
      'content-type': 'application/json',
    })
    await ask('getStacLineage', `${item}/lineage`)
    await ask('getStacItemReport', `${item}/validate`)
    await ask('getStacCollectionReport', `stac/collections/${collection}/validate`)
    for (const really of ['true', 'false']) await ask('deleteStacItem', `${item}?dry_run=${really}`)
    await ask('deleteStacCollection', `stac/collections/${collection}`)
  }
  await ask('validateStac', 'stac/validate', JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature' }] }), {
    'content-type': 'application/json',
  })
})

test('operations, and at the end the schema itself', async () => {
  for (const name of ['live', 'ready', 'full']) await ask(`getHealth${name[0]?.toUpperCase()}${name.slice(1)}`, `health/${name}`)
  await ask('getOpenApi', 'openapi.json')
  await ask('getPoison', 'monitor/poison')
  await ask('changePoison', 'monitor/poison', { ...order, action: 'requeue' })
  await ask('getSecretsInfo', 'secrets/info')
  await ask('clearSecretsCache', 'secrets/clear-cache')
  await ask('getDbStats', 'db/stats')
  await ask('listDbJobs', 'db/jobs')
  await ask('getDbJob', `db/jobs/${known.job}`)
  await ask('listDbTasks', 'db/tasks')
  await ask('listDbTasksOfJob', `db/tasks/${known.job}`)
  await ask('diagnoseDbEnums', 'db/enums/diagnostic')
  await ask('testDbFunctions', 'db/functions/test')
  await ask('getDbRows', 'db/debug/all')
  for (const query of ['?dry_run=true', '']) await ask('deployDbSchema', `db/schema/deploy${query}`)
  await ask('redeployDbSchema', 'db/schema/redeploy?confirm=yes&force=true')
  await ask('dropDbSchema', 'db/schema/nuke?confirm=yes&force=true')
})

test('none was left out', () => {
  const answersJson = [...operations.values()].filter(({ responses }) =>
    Object.entries(responses).some(
      ([status, { content = {} }]) => status < '300' && Object.keys(content).some((type) => /[/+]json\b/.test(type)),
    ),
  )
  expect(answersJson.map((o) => o.operationId).filter((name) => !asked.has(name))).toEqual([])
})
