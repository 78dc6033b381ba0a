// The task row: one unit of a stage.
import * as z from 'zod'
import { TaskKey } from './names.ts'
import { column, instant, int32, json, type TableDefinition } from './sql-meta.ts'
import { TaskStatus } from './words.ts'

/** Bytes of a result that stay in the row; larger results go to a blob and the row keeps the reference. */
export const MAX_INLINE_RESULT_BYTES = 65_536
/** Characters of error text that are kept. */
export const MAX_ERROR_DETAILS = 8000

export const Task = z.object({
  // Without statistics each stage counts as 1/200 of the table. With them, a stage that ANALYZE has not seen counts as one row, and
  // every index that starts with stage_id looks as good as the right one.
  stage_id: column(int32(1), { statistics: 0 }),
  task_no: int32(1),
  task_key: TaskKey.describe('semantic key, whole, unique in the stage'),
  source_key: TaskKey.nullable().describe('predecessor in the stage before; null: the same key'),
  status: TaskStatus.default('queued'),
  claims: int32(0).default(0).describe('tries handed out'),
  parameters: z.record(z.string(), z.unknown()).default({}),
  result_data: column(json().nullable(), { type: 'jsonb' }),
  error_code: z.string().min(1).max(64).nullable().describe('last error, also while retrying'),
  error_details: z.string().max(MAX_ERROR_DETAILS).nullable().describe('cut to its bound before it is written'),
  retryable: z.boolean().nullable(),
  not_before: instant().nullable(),
  lease_until: instant().nullable(),
  claimed_by: z.uuid().nullable().describe('worker that holds or held the task; fencing token of the try'),
  progress: z.number().min(0).max(1).nullable(),
  progress_note: z.string().max(200).nullable(),
  started_at: instant().nullable(),
  finished_at: instant().nullable(),
  duration_ms: int32(0).nullable(),
})
export type Task = z.infer<typeof Task>

export const tasksTable: TableDefinition = {
  name: 'tasks',
  // No foreign key to stages: its check would cost one more lock per row, and rows are only added by add_tasks.
  comment: 'Units of work. Open means finished_at IS NULL, so that a claim changes no indexed column and stays a HOT update.',
  model: Task,
  primaryKey: ['stage_id', 'task_no'],
  storage: 'fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05',
  checks: {
    tasks_finished: "(finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'skipped'))",
    tasks_error:
      "status IN ('completed', 'queued') AND error_code IS NULL OR status = 'processing' OR status IN ('retrying', 'failed', 'skipped') AND error_code IS NOT NULL",
  },
  indexes: [
    {
      name: 'tasks_key',
      on: 'md5(task_key), stage_id',
      unique: true,
      // The stage stands last on purpose: leading, the planner takes this index for a stage that its statistics do not know yet,
      // and every batch walks the whole stage (100 s instead of 16 s for 100,000 tasks on an analyzed database).
      why: 'one key per stage; hashed, because keys pass the 2,704-byte btree limit',
    },
    { name: 'tasks_open', on: 'stage_id, task_no', where: 'finished_at IS NULL', why: 'claims and the closing probe' },
    {
      name: 'tasks_failed',
      on: 'stage_id, task_no',
      where: 'finished_at IS NOT NULL AND error_code IS NOT NULL',
      why: 'counts at closure and failed tasks of a job',
    },
    {
      name: 'tasks_failed_at',
      on: 'finished_at DESC, stage_id, task_no',
      where: 'finished_at IS NOT NULL AND error_code IS NOT NULL',
      why: 'what failed since yesterday, across jobs',
    },
  ],
}
