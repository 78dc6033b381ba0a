// Poisoned tasks: whose every claim ended with a dead worker. Shown by job type and stage; requeued, given up or exported.
import * as z from 'zod'
import { groupPoison, listFailedTasks } from '../db/reading-failures.ts'
import { changePoison } from '../engine/poison.ts'
import { JobId } from '../models/names.ts'
import type { Resources } from '../platform/resources.ts'
import { readingOf, withoutEmptyCut } from './pages.ts'
import { Reason } from './job-actions.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'
import { invalid } from './validation.ts'

const SHOWN = 100
const EXPORTED = 10_000
const EVER = '1970-01-01T00:00:00Z'

const poisoned = (r: Resources, limit: number, whole = false) =>
  listFailedTasks(readingOf(r), { since: EVER, error_code: 'POISON', limit, whole })

async function report(r: Resources, action: string, more: object = {}): Promise<Answer> {
  const groups = await groupPoison(readingOf(r))
  const found = groups.reduce((sum, g) => sum + g.tasks, 0)
  const tasks = found === 0 ? [] : await poisoned(r, SHOWN)
  return {
    body: {
      action,
      poison_messages_found: found,
      queues_checked: groups.length,
      queue_details: groups.map(({ jobs, ...group }) => ({ ...group, jobs: jobs.length })),
      last_checked: r.now().toISOString(),
      status: found === 0 ? 'healthy' : 'attention_needed',
      tasks: tasks.map(({ stage_id: _id, finished_key: _key, ...task }) => withoutEmptyCut(task)),
      ...more,
    },
  }
}

const Body = z.strictObject({
  action: z.enum(['requeue', 'discard', 'export']),
  job_id: JobId.optional().describe('of this job only; default: of all'),
  reason: Reason.optional(),
})
type PoisonCall = Call<object, object, z.infer<typeof Body>>

async function change({ body: { action, job_id, reason }, caller, r, instances }: PoisonCall): Promise<Answer> {
  if (action === 'export') return exported(r, job_id)
  if (reason === undefined) throw invalid('INVALID_PARAMETERS', [{ path: 'reason', message: 'is needed' }])
  const changed = await changePoison({ ...r, instances }, action, { reason, actor: caller.name }, job_id)
  return report(r, action, changed)
}

/** One JSON line a task, with its parameters: to look at elsewhere, or to submit again. */
async function exported(r: Resources, jobId: string | undefined): Promise<Answer> {
  const tasks = (await poisoned(r, EXPORTED, true)).filter((t) => jobId === undefined || t.job_id === jobId)
  const lines = tasks.map(({ stage_id: _id, finished_key: _key, ...task }) => `${JSON.stringify(task)}\n`).join('')
  return {
    headers: { 'content-type': 'application/x-ndjson', 'content-disposition': 'attachment; filename="poison.ndjson"' },
    stream: new Blob([lines]).stream(),
  }
}

export const poisonRoutes: readonly HttpRow[] = [
  route({
    name: 'getPoison',
    summary: 'tasks whose every worker died',
    method: 'GET',
    path: 'monitor/poison',
    role: 'operator',
    handle: ({ r }) => report(r, 'list'),
  }),
  route({
    name: 'changePoison',
    summary: '`requeue`, `discard` or `export` poisoned tasks',
    method: 'POST',
    path: 'monitor/poison',
    role: 'operator',
    body: Body,
    handle: change,
  }),
]
