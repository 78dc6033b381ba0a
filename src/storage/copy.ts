// Server-side copy: the service reads the source by a signature of its own, this process only waits.
import type { BlockBlobClient } from '@azure/storage-blob'
import { AppError } from '../rules/errors.ts'
import type { CopiedBlob, CopyOptions } from '../models/blob-store.ts'

const POLL_MS = 500

/**
 * @param source address that carries the right to read
 * @throws AppError `BLOB_EXISTS` (mode create), `TASK_ABORTED` after the copy was aborted on the service too
 */
export async function copyBlob(target: BlockBlobClient, source: string, { mode, signal }: CopyOptions): Promise<CopiedBlob> {
  const poller = await target.beginCopyFromURL(source, {
    intervalInMs: POLL_MS,
    ...(mode === 'create' ? { conditions: { ifNoneMatch: '*' } } : {}),
    ...(signal ? { abortSignal: signal } : {}),
  })
  try {
    const done = await poller.pollUntilDone()
    const { contentLength = 0, etag = '' } = await target.getProperties()
    return { copy_id: done.copyId ?? '', copy_status: done.copyStatus ?? 'success', etag, size: contentLength }
  } catch (error) {
    if (!signal?.aborted) throw error
    const { copyId } = poller.getOperationState() as { copyId?: string }
    if (copyId) await target.abortCopyFromURL(copyId).catch(() => undefined)
    throw new AppError('TASK_ABORTED', `The copy to ${target.containerName}/${target.name} was stopped.`, { cause: error })
  }
}
