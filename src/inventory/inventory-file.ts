// An inventory as blobs: one record beside its parts. Each attempt of a job keeps its own, so that old ones can be compared.
import { AppError } from '../rules/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import { BlobMetadata, type ListRef } from '../models/blob.ts'
import { ContainerInventory, type InventoryId } from '../models/inventory.ts'
import { INTERNAL_CONTAINER } from '../models/blob-store.ts'
import { readList } from './list-file.ts'

const recordOf = ({ job_id, attempt }: InventoryId): string => `inventory/${job_id}/a${attempt}/inventory.json`

export async function keepInventory(blobs: BlobStore, id: InventoryId, inventory: ContainerInventory): Promise<void> {
  const body = Buffer.from(JSON.stringify(inventory))
  await blobs.write(INTERNAL_CONTAINER, recordOf(id), body, { mode: 'overwrite', contentType: 'application/json' })
}

/** @throws AppError `INVENTORY_NOT_FOUND` */
export async function loadInventory(blobs: BlobStore, id: InventoryId): Promise<ContainerInventory> {
  try {
    const body = await blobs.read({ container: INTERNAL_CONTAINER, blob: recordOf(id) })
    return ContainerInventory.parse(JSON.parse(body.toString('utf8')))
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'BLOB_NOT_FOUND') throw error
    throw new AppError(
      'INVENTORY_NOT_FOUND',
      `Job ${id.job_id} has no finished inventory of attempt ${id.attempt}. Look at its status, or run inventory_container.`,
      { cause: error },
    )
  }
}

/** Every blob of an inventory, part after part. */
export async function* readParts(blobs: BlobStore, parts: readonly ListRef[], signal: AbortSignal): AsyncGenerator<BlobMetadata> {
  for (const part of parts) for await (const line of readList(blobs, part, signal)) yield BlobMetadata.parse(line)
}
