// `npm run upload -- ./folder [container/prefix]`: a folder's files into a container of the running cloud, under the names that they have.
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob'
import pLimit from 'p-limit'
import { INTERNAL_CONTAINER } from '../src/models/blob-store.ts'
import { blobNameProblem } from '../src/storage/names.ts'
import { CONTAINERS } from './cloud.ts'
import { LocalError } from './local-error.ts'

export interface Uploaded {
  readonly container: string
  readonly prefix: string
  readonly files: number
  readonly bytes: number
  /** Names that the app would refuse, with the reason: not uploaded. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[]
}

const DEFAULT_CONTAINER = 'bronze'
const BLOCK_BYTES = 8 * 1024 * 1024

/**
 * Uploads every regular file below the folder; links are not followed.
 * @param target `container`, `container/prefix` or undefined: `bronze/` and the folder's name
 * @throws LocalError when the folder is missing or empty, or the container is not there
 */
export async function uploadFolder(storage: string, folder: string, target?: string): Promise<Uploaded> {
  const path = resolve(folder)
  const { container, prefix } = target === undefined ? { container: DEFAULT_CONTAINER, prefix: prefixOf(path) } : parse(target)
  const names = await filesOf(path, folder)
  const client = BlobServiceClient.fromConnectionString(storage).getContainerClient(container)
  await requireContainer(client)
  const checked = names.map((file) => {
    const name = prefix + relative(path, file).split(sep).join('/')
    return { file, name, reason: blobNameProblem(name) }
  })
  const good = checked.filter((c) => !c.reason)
  let bytes = 0
  await pLimit(8).map(good, async ({ file, name }) => {
    const stream = createReadStream(file, { highWaterMark: BLOCK_BYTES })
    await client.getBlockBlobClient(name).uploadStream(stream, BLOCK_BYTES, 2)
    bytes += stream.bytesRead
  })
  const refused = checked.flatMap(({ name, reason }) => (reason ? [{ name, reason }] : []))
  return { container, prefix, files: good.length, bytes, refused }
}

/** What `npm run upload` says. */
export function describeUpload({ container, prefix, files, bytes, refused }: Uploaded, url: string): string {
  const body = JSON.stringify({ container_name: container, ...(prefix ? { prefix } : {}) })
  return [
    `Uploaded ${files} files (${bytes.toLocaleString('en')} bytes) to ${container}/${prefix}`,
    ...refused.map(({ name, reason }) => `  not uploaded: ${JSON.stringify(name)}: ${reason}`),
    '',
    `  list them   curl -X POST ${url}/api/jobs/submit/list_container -H 'content-type: application/json' -d '${body.replaceAll("'", String.raw`'\''`)}'`,
    `  look        ${url}/api/containers/${container}/blobs?prefix=${encodeURIComponent(prefix)}`,
  ].join('\n')
}

async function filesOf(path: string, given: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined)
  if (!info?.isDirectory())
    throw new LocalError(`${given} is not a folder. Give a folder with files: npm run upload -- ./my-rasters`)
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name))
  if (files.length === 0) throw new LocalError(`${given} holds no files.`)
  return files.sort()
}

/** What users fill; the fourth is the product's own. */
const OWN = CONTAINERS.filter((name) => name !== INTERNAL_CONTAINER)

async function requireContainer(client: ContainerClient): Promise<void> {
  try {
    if (client.containerName !== INTERNAL_CONTAINER && (await client.exists())) return
  } catch (cause) {
    const code = cause instanceof RestError ? (cause.code ?? cause.message) : 'no answer'
    throw new LocalError(`The container ${client.containerName} cannot be reached (${code}).`, { cause })
  }
  throw new LocalError(`There is no container ${client.containerName}. Here are: ${OWN.join(', ')}.`)
}

function parse(target: string): { container: string; prefix: string } {
  const [container = '', ...rest] = target.split('/')
  const prefix = rest.join('/')
  return { container, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` }
}

/** The folder's own name; the root of a disk has none. */
const prefixOf = (folder: string): string => (basename(folder) ? `${basename(folder)}/` : '')
