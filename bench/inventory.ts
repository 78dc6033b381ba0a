// An inventory of a million made-up blobs: the product's own stages, with a listing from memory and parts in a temporary folder.
import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { temporaryFolder } from '../local/temporary-folder.ts'
import inventory from '../src/jobs/inventory_container.ts'
import type { TaskContext } from '../src/define/define-job.ts'
import type { BlobPage, BlobStore } from '../src/models/blob-store.ts'
import type { ContainerInventory, NameRange, RangeResult } from '../src/models/inventory.ts'
import { describeBlob } from '../src/storage/blob-metadata.ts'
import { type Row, whole } from './measure.ts'

const PAGE = 5000
const PARALLEL = 8
const MEMORY_MB = 256

const unused = (): never => {
  throw new Error('inventories write neither outputs nor items')
}
const NO_OUTPUTS = { stage: unused, stagedAt: unused, provenance: unused, commit: unused, publish: unused, holder: unused }
const NO_CATALOGUE = {
  putCollection: unused,
  known: unused,
  timeOf: unused,
  putItem: unused,
  itemsOf: unused,
  filesOf: unused,
  collections: unused,
  ranges: unused,
  items: unused,
  sweep: unused,
  refreshCollection: unused,
}

export interface InventoryCost {
  readonly seconds: number
  readonly cpu: number
  /** The most that the process held. */
  readonly mb: number
}

/** In a process of its own, with the flags that `npm run bench` and a worker have, so that the memory is that of the inventory. */
export async function costOfInventory(n: number): Promise<InventoryCost> {
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, 'bench/inventory-child.ts', String(n)])
  return JSON.parse(stdout) as InventoryCost
}

export async function millionBlobs(n: number): Promise<Row[]> {
  const { seconds, mb } = await costOfInventory(n)
  return [
    {
      measure: `inventory of ${whole(n)} made-up blobs, level full`,
      figure: `${seconds.toFixed(1)} s, ${Math.round(mb)} MB at most`,
      goal: `≤ ${MEMORY_MB} MB`,
      met: mb <= MEMORY_MB,
    },
  ]
}

/** @param n a multiple of 40, or 100 */
export async function takeInventory(n: number): Promise<InventoryCost> {
  const folder = temporaryFolder('lamplighter-million-')
  const before = process.cpuUsage()
  const started = performance.now()
  try {
    const found = await inventoryOf(madeUp(n, folder))
    if (found.blob_count !== n || found.duplicates?.groups !== n / 4) throw new Error(`counted ${found.blob_count} of ${n} blobs`)
    const { user, system } = process.cpuUsage(before)
    const seconds = (performance.now() - started) / 1000
    return { seconds, cpu: (user + system) / 1e6, mb: process.resourceUsage().maxRSS / 1024 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const quiet = (): void => undefined

/** The three stages one after the other, ranges side by side as the job does. */
async function inventoryOf(blobs: BlobStore): Promise<ContainerInventory> {
  const [plan, list, merge] = inventory.stages
  if (!plan || !list || !merge) throw new Error('inventory_container has three stages')
  const results: RangeResult[] = []
  const earlier: unknown = async function* () {
    for (const result of results) yield { key: '', result }
  }
  const parameters: unknown = inventory.parameters.parse({ container_name: 'made-up', level: 'full' })
  const context = {
    jobId: '0'.repeat(64),
    attempt: 1,
    claim: 1,
    parameters,
    blobs,
    outputs: NO_OUTPUTS,
    catalogue: NO_CATALOGUE,
    signal: new AbortController().signal,
    now: () => new Date(),
    progress: () => undefined,
    log: { info: quiet, warn: quiet, error: quiet },
    predecessor: () => Promise.resolve(undefined),
    recentRate: () => Promise.resolve(undefined),
    previous: earlier as TaskContext<unknown, unknown>['previous'],
  }
  const { ranges } = (await plan.run({ key: 'ranges', taskNo: 1, parameters: {} }, context)) as { ranges: NameRange[] }
  for (let at = 0; at < ranges.length; at += PARALLEL)
    results.push(
      ...(await Promise.all(
        ranges
          .slice(at, at + PARALLEL)
          .map(
            async (range, i) =>
              (await list.run({ key: `part-${at + i}`, taskNo: at + i, parameters: { range } }, context)) as RangeResult,
          ),
      )),
    )
  return (await merge.run({ key: 'inventory', taskNo: 1, parameters: {} }, context)) as ContainerInventory
}

/** Every fourth content is one of a group of two. */
function madeUp(n: number, folder: string): BlobStore {
  const folders = n < 1000 ? 10 : 40
  const each = n / folders
  const blob = (i: number) =>
    describeBlob({
      name: `d${String(Math.floor(i / each)).padStart(2, '0')}/${'x'.repeat(60)}_${String(i).padStart(8, '0')}.tif`,
      size: 1000 + (Math.floor(i / 4) % 1000),
      lastModified: new Date(1_700_000_000_000 + i),
      contentType: 'image/tiff',
      etag: `"0x${i.toString(16)}"`,
      contentMD5: createHash('md5')
        .update(i % 4 < 2 ? `shared ${Math.floor(i / 4)}` : `own ${i}`)
        .digest(),
    })
  const store: Partial<BlobStore> = {
    async *list(_container, { prefix = '' } = {}): AsyncGenerator<BlobPage> {
      const first = Number(prefix.slice(1, 3)) * each
      for (let at = first; at < first + each; at += PAGE)
        yield { blobs: Array.from({ length: Math.min(PAGE, first + each - at) }, (_, i) => blob(at + i)), skipped: [] }
    },
    listFolders: (_container, { prefix }) =>
      Promise.resolve({
        folders: prefix === '' ? Array.from({ length: folders }, (_, i) => `d${String(i).padStart(2, '0')}/`) : [],
        blobs: [],
        skipped: [],
        next: undefined,
      }),
    setMetadata: () => Promise.resolve('"0"'),
    async write(container, name, body) {
      const path = join(folder, name.replaceAll('/', '_'))
      mkdirSync(folder, { recursive: true })
      const hash = createHash('sha256')
      let size = 0
      const counted = async function* (): AsyncGenerator<Uint8Array> {
        for await (const chunk of body instanceof Uint8Array ? [body] : body) {
          hash.update(chunk)
          size += chunk.length
          yield chunk
        }
      }
      await pipeline(Readable.from(counted()), createWriteStream(path))
      return {
        container,
        blob_path: name,
        size,
        etag: '"1"',
        last_modified: new Date().toISOString(),
        sha256: hash.digest('hex'),
      }
    },
    read: ({ blob: name }) => Promise.resolve(readFileSync(join(folder, name.replaceAll('/', '_')))),
    readStream: ({ blob: name }) => {
      const body = Readable.toWeb(createReadStream(join(folder, name.replaceAll('/', '_')))) as ReadableStream<Uint8Array>
      return Promise.resolve({ body, etag: '"1"', length: 0, size: 0, content_type: undefined })
    },
  }
  return store as BlobStore
}
