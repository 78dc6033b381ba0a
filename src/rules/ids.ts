// Identity of a job: the same work has the same id, so that a repeated submission finds the first one.
import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

/**
 * The id of a job: sha256 of `job_type:canonical JSON` as 64 hex digits; also the Durable instance id.
 * @param parameters the validated parameters, with defaults, without metadata
 */
export function jobId(jobType: string, parameters: unknown): string {
  return createHash('sha256')
    .update(`${jobType}:${canonicalJson(parameters)}`, 'utf8')
    .digest('hex')
}
