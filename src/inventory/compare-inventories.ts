// What changed between two inventories: 16 bytes a blob of the earlier one, whatever the order of either.
import type { BlobMetadata } from '../models/blob.ts'
import type { InventoryChange } from '../models/inventory.ts'
import { fingerprint, Fingerprints } from './fingerprints.ts'

/** Equal for what was not written since. A geodatabase has no ETag of its own. */
const versionOf = (b: BlobMetadata): bigint => fingerprint(b.etag ?? `${b.size}/${b.last_modified}/${b.file_count ?? 1}`)

export interface Counts {
  unchanged: number
  bytes_added: number
  bytes_removed: number
}

/**
 * Added and changed blobs in the order of `after`, then removed ones in the order of `before`.
 * @param before the same blobs in the same order, each time it is called
 * @param counts filled while the changes are taken
 */
export async function* changesBetween(
  before: () => AsyncIterable<BlobMetadata>,
  after: () => AsyncIterable<BlobMetadata>,
  counts: Counts,
): AsyncGenerator<InventoryChange> {
  const names = new Fingerprints()
  const versions = new Fingerprints()
  for await (const blob of before()) {
    names.add(fingerprint(blob.name), blob.size)
    versions.add(versionOf(blob), 0)
  }
  const order = names.sorted()
  const met = new Uint8Array(names.length)
  for await (const blob of after()) {
    const ordinal = find(names, order, fingerprint(blob.name))
    if (ordinal !== undefined) met[ordinal] = 1
    const size_before = ordinal === undefined ? undefined : names.value(ordinal)
    if (ordinal !== undefined && versions.mark(ordinal) === versionOf(blob)) {
      counts.unchanged++
      continue
    }
    const growth = blob.size - (size_before ?? 0)
    counts[growth > 0 ? 'bytes_added' : 'bytes_removed'] += Math.abs(growth)
    yield describe(size_before === undefined ? 'added' : 'changed', blob, size_before)
  }
  let ordinal = 0
  for await (const blob of before()) {
    if (met[ordinal++]) continue
    counts.bytes_removed += blob.size
    yield describe('removed', blob, undefined)
  }
}

function describe(change: InventoryChange['change'], blob: BlobMetadata, size_before: number | undefined): InventoryChange {
  const { name, size, last_modified, etag } = blob
  return { change, name, size, last_modified, ...(etag ? { etag } : {}), ...(size_before === undefined ? {} : { size_before }) }
}

/** Binary search: the ordinal of a fingerprint, or undefined. */
function find(prints: Fingerprints, order: Uint32Array, mark: bigint): number | undefined {
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (prints.mark(order[middle] ?? 0) < mark) low = middle + 1
    else high = middle
  }
  const ordinal = order[low]
  return ordinal !== undefined && prints.mark(ordinal) === mark ? ordinal : undefined
}
