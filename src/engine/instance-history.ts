// The history of an instance: the SDK drops it (the field is `historyEvents`), so the extension is asked over its own API.
import { AppError } from '../rules/errors.ts'
import type { Instances } from './instances.ts'

const MAX_MS = 10_000

/**
 * Rows as the extension writes them.
 * @param output with the results of activities
 * @throws AppError `DURABLE_UNAVAILABLE`
 */
export async function instanceHistory(instances: Instances, jobId: string, output: boolean): Promise<unknown> {
  try {
    const address = new URL(instances.managementPayload(jobId).statusQueryGetUri)
    address.searchParams.set('showHistory', 'true')
    address.searchParams.set('showHistoryOutput', String(output))
    const answer = await fetch(address, { signal: AbortSignal.timeout(MAX_MS) })
    const document: unknown = await answer.json()
    return (document as { historyEvents?: unknown }).historyEvents ?? []
  } catch (error) {
    // Only the name of the cause: the address holds a key.
    const cause = error instanceof Error ? error.name : undefined
    throw new AppError('DURABLE_UNAVAILABLE', 'The history of the instance could not be asked for.', { cause })
  }
}
