// Puts a folder's files into the bronze container, below a prefix.
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { BlobServiceClient } from '@azure/storage-blob'
import pLimit from 'p-limit'
import { LocalError } from '../local-error.ts'

/** Uploads every regular file; answers with their number. @throws LocalError when the folder is missing or empty */
export async function uploadFolder(storage: string, container: string, prefix: string, folder: string): Promise<number> {
  const info = await stat(folder).catch(() => undefined)
  if (!info?.isDirectory())
    throw new LocalError(`${folder} is not a folder. Give a folder with rasters: npm run demo -- ./my-rasters`)
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name))
  if (files.length === 0) throw new LocalError(`${folder} holds no files.`)
  const client = BlobServiceClient.fromConnectionString(storage).getContainerClient(container)
  await pLimit(8).map(files, async (path) => {
    const name = prefix + relative(folder, path).split(sep).join('/')
    await client.getBlockBlobClient(name).uploadData(await readFile(path))
  })
  return files.length
}

/** A prefix made from a folder's name. */
export const prefixOf = (folder: string): string =>
  `${
    basename(folder)
      .replaceAll(/[^\w.-]+/g, '-')
      .replace(/^\.+/, '') || 'rasters'
  }/`
