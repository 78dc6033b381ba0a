// Audit rows: what happened to a job, one row per event and never one per task.
import * as z from 'zod'
import { JobId } from './names.ts'
import { column, instantNow, type TableDefinition } from './sql-meta.ts'

export const JobEvent = z.object({
  event_id: column(z.int().min(1), { identity: true, type: 'bigint' }),
  job_id: JobId.nullable().describe('null for events of the whole system'),
  at: instantNow('when it happened'),
  actor: z.string().min(1).max(200).default('system'),
  event: z
    .string()
    .regex(/^[a-z][a-z0-9_.]{0,62}$/)
    .describe('dotted constant, e.g. stage.closed'),
  data: z.record(z.string(), z.unknown()).default({}),
})
export type JobEvent = z.infer<typeof JobEvent>

export const jobEventsTable: TableDefinition = {
  name: 'job_events',
  comment: 'Append-only audit of jobs.',
  model: JobEvent,
  primaryKey: ['event_id'],
  indexes: [{ name: 'job_events_job', on: 'job_id, event_id', why: 'events of one job in order' }],
}
