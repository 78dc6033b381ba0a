// `npm run demo`: the main job on real files, over HTTP like any user: upload, submit, watch, show.
import { encodePath } from '../../src/rules/encode-path.ts'
import { resolve } from 'node:path'
import { azuriteConnection } from '../azurite.ts'
import { LocalError } from '../local-error.ts'
import { JobBoard, type JobView } from './board.ts'
import { demoRasters } from './rasters.ts'
import { uploadFolder } from '../upload.ts'

export interface DemoOptions {
  readonly url: string
  readonly home: string
  readonly folder: string | undefined
  readonly storage: string | undefined
  /** The cloud was running before and stays. */
  readonly stays: boolean
}

const CONTAINER = 'bronze'

/** @returns the exit code: 0 when every job completed */
export async function runDemo(options: DemoOptions): Promise<number> {
  const folder = options.folder === undefined ? await demoRasters(options.home) : resolve(options.folder)
  const target = options.folder === undefined ? `${CONTAINER}/demo` : undefined
  const { prefix, files } = await uploadFolder(storageOf(options), folder, target)
  console.log(`Uploaded ${files} files to ${CONTAINER}/${prefix}\n`)
  const jobs = await Promise.all([
    submit(options.url, 'hello_world', { n: 100 }),
    submit(options.url, 'summarize_container', { container_name: CONTAINER, prefix }),
    submit(options.url, 'list_container', { container_name: CONTAINER, prefix, metadata_level: 'full', create_index: true }),
    submit(options.url, 'process_container', { container_name: CONTAINER, prefix }),
    submit(options.url, 'catalog_container', { container_name: CONTAINER, prefix, title: 'Rasters of the demo' }),
  ])
  const board = new JobBoard(process.stdout)
  const done = await board.watch(jobs.map((j) => j.links.status))
  show(done)
  // A file that cannot be converted is an outcome of its own, not a failure of the demo.
  const bad = done.filter((j) => j.status !== 'completed' && j.status !== 'completed_with_errors')
  for (const job of bad)
    console.error(`${job.job_type} is ${job.status}: ${job.error ? `${job.error.code}: ${job.error.details}` : 'see its tasks'}`)
  console.log(`\n${options.stays ? 'Look at' : 'While npm start runs, look at'}`)
  for (const job of done) console.log(`  ${job.job_type.padEnd(20)} ${job.links['status']}`)
  const [output] = done.flatMap((j) => (j.result?.['outputs'] as Output[] | undefined) ?? [])
  if (output) console.log(`  a raster as COG      ${pictureUrl(options.url, output)}`)
  const stac = `${options.url}/api/stac`
  console.log(`  the catalogue        ${stac}`)
  console.log(`  a search             ${stac}/search?${new URLSearchParams(SEARCH).toString()}`)
  return bad.length === 0 ? 0 : 1
}

/** Rasters that touch the western Mediterranean, finest first. */
const SEARCH = { bbox: '-6,35,16,45', sortby: 'gsd', limit: '5' }

interface Output {
  readonly container: string
  readonly blob: string
}

/** A picture of it. */
const pictureUrl = (url: string, { container, blob }: Output): string =>
  `${url}/api/rasters/${container}/preview/${encodePath(blob)}`

function storageOf({ storage }: DemoOptions): string {
  if (storage && storage !== 'UseDevelopmentStorage=true') return storage
  return azuriteConnection(10_000)
}

interface Submitted {
  readonly job_id: string
  readonly links: { readonly status: string }
}

/** Runs again what has finished before; joins what still runs. */
async function submit(url: string, type: string, parameters: object): Promise<Submitted> {
  const post = (query: string): Promise<Response> =>
    fetch(`${url}/api/jobs/submit/${type}${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(parameters),
    })
  let answer = await post('?force=true')
  if (answer.status === 409) answer = await post('')
  const body = (await answer.json()) as Submitted & { detail?: string }
  if (!answer.ok) throw new LocalError(`${type} was refused (${answer.status}): ${body.detail ?? ''}`)
  return body
}

function show(jobs: readonly JobView[]): void {
  for (const job of jobs) {
    console.log(`\n${job.job_type}  ${job.status}`)
    for (const s of job.stages) {
      const counts = `${s.completed} completed, ${s.failed} failed, ${s.skipped} skipped`
      console.log(`  stage ${s.stage} ${s.name.padEnd(24)} ${s.outcome?.padEnd(10)} ${counts}`)
    }
    for (const [key, value] of Object.entries(job.result ?? {})) {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      console.log(`  ${key.padEnd(24)} ${text.length > 100 ? `${text.slice(0, 97)}...` : text}`)
    }
  }
}
