// Which jobs: the same fields in a list's query and in a bulk order.
import * as z from 'zod'
import { Instant, JobId, SnakeName } from '../models/names.ts'
import { JobStatus } from '../models/words.ts'

/** What narrows by failure, of jobs and of tasks. */
export const failureFields = {
  error_code: z.string().min(1).max(64).optional(),
  text: z.string().min(1).max(200).optional(),
}
export const jobFilterFields = {
  type: SnakeName.optional(),
  status: JobStatus.optional(),
  since: Instant.optional(),
  ...failureFields,
}
/** Path of one job. */
export const ById = z.object({ job_id: JobId })
