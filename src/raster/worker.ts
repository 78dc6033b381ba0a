// Entry of a raster's child process: one task at a time, over messages. Foreign bytes are decoded here and nowhere else, so that a crash,
// a hang or a full memory ends this process and never the host. A bundle of its own: the Functions host must not load it.
import { openIdentity } from '../platform/credentials.ts'
import { dataAccount } from '../storage/account.ts'
import { openBlobStore } from '../storage/blob-store.ts'
import { AppError, describeError } from '../rules/errors.ts'
import { inTrace } from '../telemetry/spans.ts'
import type { PoolAnswer, PoolRequest } from './pool.ts'
import { answerLook } from './look.ts'
import { runRasterTask } from './run-task.ts'
import { RasterTask } from './tasks.ts'

// An identity of this process: tokens never cross to it, the SDK asks for its own.
const credential = openIdentity(process.env['AZURE_CLIENT_ID'] || undefined)
const blobs = openBlobStore({ ...dataAccount(process.env), credential, allowed: new Set() })

process.on('message', (request: PoolRequest) => {
  inTrace(`raster ${request.task.kind}`, { carried: request.trace }, () => answer(request)).then(send, () => process.exit(70))
})
// The host is gone, and with it whoever waits for an answer.
process.on('disconnect', () => process.exit(0))

async function answer({ id, task }: PoolRequest): Promise<PoolAnswer> {
  try {
    const value =
      task.kind === 'look'
        ? await answerLook(blobs, task)
        : await runRasterTask<RasterTask['kind']>(blobs, RasterTask.parse(task))
    return { id, ok: true, value }
  } catch (error) {
    const { code, details } = describeError(error, 'TASK_FAILED')
    const known = error instanceof AppError ? error : undefined
    return {
      id,
      ok: false,
      error: {
        code,
        message: details,
        status: known?.status ?? 500,
        retryable: known?.retryable ?? false,
        issues: known?.issues ?? [],
      },
    }
  }
}

function send(message: PoolAnswer): void {
  process.send?.(message)
}
