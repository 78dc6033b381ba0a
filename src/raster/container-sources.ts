// The rasters of a container, once for a job: what its plan yields must not change while it is resumed.
import { createHash } from 'node:crypto'
import { type BlobStore, INTERNAL_CONTAINER } from '../models/blob-store.ts'
import type { BlobMetadata } from '../models/blob.ts'
import { AppError } from '../rules/errors.ts'

export interface ContainerSource {
  readonly source: string
  /** Logical name of its output; no two of a job are the same. */
  readonly target: string
}

const RASTER = /\.(tiff?|gtiff?)$/i

/**
 * Rasters among the files, with names for their outputs. Where two would share one (`a.tif` and `a.tiff`), both keep their extension.
 * @param suffix e.g. `analysis`
 */
export function namedSources(names: readonly string[], prefix: string, suffix: string): ContainerSource[] {
  const stems = new Map<string, number>()
  const stemOf = (name: string): string => name.replace(/\.[^./]*$/, '')
  for (const name of names) stems.set(stemOf(name), (stems.get(stemOf(name)) ?? 0) + 1)
  const taken = new Set<string>()
  return names.map((source) => {
    const stem = stemOf(source)
    const plain = `${prefix}${(stems.get(stem) ?? 0) > 1 ? source : stem}_${suffix}`
    // `a.tif_analysis` may be a source's own name, too.
    let target = plain
    for (let n = 2; taken.has(target); n++) target = `${plain}_${n}`
    taken.add(target)
    return { source, target }
  })
}

/** Listed at the first call of a job's attempt and kept; the same list at every later one. */
export async function listedSources(
  blobs: BlobStore,
  kept: string,
  files: () => AsyncIterable<BlobMetadata>,
  { maxFiles, prefix, suffix }: { maxFiles: number; prefix: string; suffix: string },
): Promise<ContainerSource[]> {
  const ref = { container: INTERNAL_CONTAINER, blob: kept }
  const read = async (): Promise<ContainerSource[]> => JSON.parse((await blobs.read(ref)).toString('utf8')) as ContainerSource[]
  if (await blobs.exists(ref)) return read()
  const names: string[] = []
  for await (const { name, is_aggregate } of files()) {
    if (is_aggregate || !RASTER.test(name)) continue
    if (names.length === maxFiles)
      throw new AppError(
        'CONTAINER_TOO_LARGE',
        `There are more than ${maxFiles} rasters (max_files: ${maxFiles}). Narrow it with prefix or filter, or raise max_files (up to 100000).`,
      )
    names.push(name)
  }
  const body = Buffer.from(JSON.stringify(namedSources(names, prefix, suffix)))
  try {
    await blobs.write(ref.container, ref.blob, body, { mode: 'create', contentType: 'application/json' })
  } catch (error) {
    // Two planned at once: the first list counts.
    if (!(error instanceof AppError) || error.code !== 'BLOB_EXISTS') throw error
  }
  return read()
}

/** A short name of a file for what is kept of it. */
export const fileId = (source: string): string => createHash('sha256').update(source).digest('hex').slice(0, 16)
