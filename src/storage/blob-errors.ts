// Errors of the Blob service → AppError. No URL with a query string ever enters a message.
import type { ErrorCode } from '../rules/error-codes.ts'
import { AppError } from '../rules/errors.ts'

interface ServiceError {
  readonly statusCode?: number
  readonly code?: string
  readonly name?: string
  readonly details?: { readonly errorCode?: string }
  readonly response?: { readonly headers?: { get(name: string): string | undefined } }
}

/** Answers with a meaning of their own, whatever their status: several share 409 and 412. */
const OWN_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  BlobArchived: ['BLOB_ARCHIVED', 'is in the archive tier; its bytes cannot be read'],
  BlobBeingRehydrated: ['BLOB_ARCHIVED', 'is being brought back from the archive tier'],
  LeaseIdMissing: ['BLOB_LEASED', 'is leased by another program'],
  LeaseAlreadyPresent: ['BLOB_LEASED', 'is leased by another program'],
  LeaseIdMismatchWithBlobOperation: ['BLOB_LEASED', 'is leased by another program'],
  LeaseIdMismatchWithContainerOperation: ['BLOB_LEASED', 'is leased by another program'],
  LeaseLost: ['BLOB_LEASED', 'has a lease that was lost'],
  BlobImmutableDueToPolicy: ['BLOB_IMMUTABLE', 'is kept by an immutability policy or legal hold'],
  BlobImmutableDueToLegalHold: ['BLOB_IMMUTABLE', 'is kept by a legal hold'],
  InvalidBlockList: ['INVALID_BLOCK_LIST', 'does not have all the blocks of the list'],
  SnapshotsPresent: ['BLOB_HAS_SNAPSHOTS', 'has snapshots'],
  FeatureNotYetSupportedForHierarchicalNamespaceAccounts: [
    'STORAGE_UNSUPPORTED',
    'is in an account with a hierarchical namespace, which does not have this feature',
  ],
}

/** Maps what the SDK threw; `what` names container and blob. An AppError passes unchanged. */
export function toStorageError(error: unknown, what: string): AppError {
  if (error instanceof AppError) return error
  const { statusCode, code: bare, details, response, name } = error as ServiceError
  const code = details?.errorCode ?? bare ?? ''
  if (name === 'AbortError') return new AppError('TASK_ABORTED', `Reading ${what} was stopped.`, { cause: error })
  if (code === 'ContainerNotFound' || code === 'ContainerBeingDeleted')
    return new AppError('CONTAINER_NOT_FOUND', `The container of ${what} does not exist.`, { cause: error })
  if (statusCode === 404) return new AppError('BLOB_NOT_FOUND', `${what} does not exist.`, { cause: error })
  if (statusCode === 403 || statusCode === 401) {
    return new AppError(
      'STORAGE_FORBIDDEN',
      `Access to ${what} was refused (${code}). Grant Storage Blob Data Reader (or Contributor, to write) on the container to the app's identity.`,
      { cause: error },
    )
  }
  const own = OWN_CODES[code]
  if (own) return new AppError(own[0], `${what} ${own[1]} (${code}).`, { cause: error })
  if (code === 'BlobAlreadyExists') return new AppError('BLOB_EXISTS', `${what} is there already.`, { cause: error })
  if (statusCode === 412) return new AppError('BLOB_CHANGED', `${what} was replaced since its ETag was read.`, { cause: error })
  if (statusCode === 416)
    return new AppError('RANGE_NOT_SATISFIABLE', `The range lies beyond the end of ${what}.`, { cause: error })
  if (statusCode === undefined && code === '' && name !== 'RestError') {
    const message = error instanceof Error ? error.message : String(error)
    return new AppError('STORAGE_ERROR', `Working on ${what} failed: ${message.slice(0, 500)}`, { cause: error })
  }
  if (statusCode === undefined || statusCode === 429 || statusCode === 500 || statusCode === 503) {
    const seconds = Number(response?.headers?.get('retry-after') ?? Number.NaN)
    const options = Number.isFinite(seconds) ? { cause: error, retryAfterMs: seconds * 1000 } : { cause: error }
    return new AppError(
      'STORAGE_UNAVAILABLE',
      `Blob storage could not be asked about ${what} (${code || (statusCode === undefined ? 'no answer' : `status ${statusCode}`)}).`,
      options,
    )
  }
  return new AppError('STORAGE_ERROR', `Blob storage answered ${statusCode} (${code}) for ${what}.`, { cause: error })
}
