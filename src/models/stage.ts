// The stage row: a numbered step of a job.
import * as z from 'zod'
import { JobId, SnakeName } from './names.ts'
import { column, instant, instantNow, int32, json, type TableDefinition } from './sql-meta.ts'
import { OnTaskFailure, StageOutcome, StageStatus, StageWeight } from './words.ts'

export const Stage = z.object({
  stage_id: column(int32(1).describe('identity; the second half of the advisory lock key'), { identity: true }),
  job_id: JobId,
  stage_no: int32(1, 1000),
  name: SnakeName,
  status: StageStatus.default('planning'),
  outcome: StageOutcome.nullable(),
  weight: StageWeight.default('light'),
  on_task_failure: OnTaskFailure.default('fail'),
  max_claims: int32(1, 100).default(4).describe('tries per task before POISON'),
  expected: int32(0).default(0).describe('tasks planned so far; final once sealed'),
  completed: int32(0).default(0).describe('written once, at closure'),
  failed: int32(0).default(0).describe('written once, at closure'),
  skipped: int32(0).default(0).describe('written once, at closure'),
  plan_cursor: int32(0).default(0).describe('items of the plan that are stored; planning resumes behind it'),
  claim_cursor: int32(0).default(0).describe('tasks up to here were handed out once by range'),
  opened_at: instantNow('planning began'),
  sealed_at: instant().nullable(),
  closed_at: instant().nullable(),
  retired_at: instant().nullable().describe('belongs to an earlier attempt; its tasks wait for deletion in slices'),
  summary: column(json().nullable(), { type: 'jsonb' }),
})
export type Stage = z.infer<typeof Stage>

export const stagesTable: TableDefinition = {
  name: 'stages',
  comment: 'Stages of jobs: opened, planned, sealed, closed exactly once.',
  model: Stage,
  primaryKey: ['stage_id'],
  storage: 'fillfactor = 50',
  checks: {
    stages_closed: "(status = 'closed') = (closed_at IS NOT NULL AND outcome IS NOT NULL)",
    stages_sealed: "status = 'planning' OR sealed_at IS NOT NULL",
  },
  indexes: [
    {
      name: 'stages_job_stage',
      on: 'job_id, stage_no',
      unique: true,
      where: 'retired_at IS NULL',
      why: 'one live stage per number',
    },
    { name: 'stages_retired', on: 'retired_at', where: 'retired_at IS NOT NULL', why: 'deletion of old attempts' },
  ],
}
