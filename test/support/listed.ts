// A listing service in memory, in byte order of names: for rules that are asked with thousands of made-up containers.
import type { BlobPage, BlobStore, FolderPage } from '../../src/models/blob-store.ts'
import type { BlobMetadata } from '../../src/models/blob.ts'
import { describeBlob } from '../../src/storage/blob-metadata.ts'

export const blobNamed = (name: string, size = 1): BlobMetadata =>
  describeBlob({ name, size, lastModified: new Date(1_700_000_000_000 + size), etag: `"${name.length}-${size}"` })

const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Only what listings need. `pageSize` replaces the 5,000 of the product, so that small containers have many pages. */
export function listedStore(names: readonly string[], pageSize: number): BlobStore {
  const sorted = [...new Set(names)].sort(byteOrder)
  const below = (prefix: string): string[] => sorted.filter((n) => n.startsWith(prefix))
  const store = {
    async *list(
      _container: string,
      { prefix = '', startFrom = '' }: { prefix?: string; startFrom?: string } = {},
    ): AsyncGenerator<BlobPage> {
      const all = below(prefix).filter((n) => byteOrder(n, startFrom) >= 0)
      for (let at = 0; at < all.length; at += pageSize)
        yield { blobs: all.slice(at, at + pageSize).map((n) => blobNamed(n)), skipped: [] }
    },
    listFolders(_container: string, { prefix, next }: { prefix: string; next?: string | undefined }): Promise<FolderPage> {
      const entries = [
        ...new Set(below(prefix).map((n) => n.slice(0, (n.indexOf('/', prefix.length) + 1 || n.length + 1) as number))),
      ]
      const at = Number(next ?? 0)
      const page = entries.slice(at, at + pageSize)
      return Promise.resolve({
        folders: page.filter((e) => e.endsWith('/')),
        blobs: page.filter((e) => !e.endsWith('/')).map((n) => blobNamed(n)),
        skipped: [],
        next: at + pageSize < entries.length ? String(at + pageSize) : undefined,
      })
    },
  }
  return store as unknown as BlobStore
}
