// Poisoned tasks: whose every claim ended with a dead worker. Shown by job type and stage; requeued, given up or exported.
import * as z from 'zod'
import { discardPoison } from '../db/job-functions.ts'
import { groupPoison, listFailedTasks, type PoisonGroup } from '../db/reading-failures.ts'
import { only } from '../db/sql-function.ts'
import { AppError } from '../rules/errors.ts'
import { JobId } from '../models/names.ts'
import type { Resources } from '../platform/resources.ts'
import { readingOf, withoutEmptyCut } from './pages.ts'
import { ACTIONS, Reason } from './job-actions.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'

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

async function change({ body, caller, r, instances }: PoisonCall): Promise<Answer> {
  if (body.action === 'export') return exported(r, body.job_id)
  const { reason } = body
  if (reason === undefined)
    throw new AppError('INVALID_PARAMETERS', 'Invalid input: reason: is needed', {
      issues: [{ path: 'reason', message: 'is needed' }],
    })
  const order = { reason, actor: caller.name, error_code: 'POISON' }
  let requeued = 0
  let discarded = 0
  const refused: { job_id: string; code: string; message: string }[] = []
  for (const job_id of jobsOf(await groupPoison(r.db), body.job_id)) {
    try {
      if (body.action === 'requeue') requeued += (await ACTIONS.retry.run(r, instances, job_id, order)).tasks
      else discarded += only(await discardPoison(r.db, { job_id, reason, actor: caller.name })).discard_poison
    } catch (error) {
      // A job that still runs keeps its poisoned tasks until it has ended.
      if (!(error instanceof AppError) || error.status >= 500) throw error
      refused.push({ job_id, code: error.code, message: error.message })
    }
  }
  return report(r, body.action, { requeued, discarded, refused })
}

const jobsOf = (groups: readonly PoisonGroup[], only_?: string): string[] =>
  [...new Set(groups.flatMap((g) => g.jobs))].filter((id) => only_ === undefined || id === only_)

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
    summary: 'requeue, discard or export poisoned tasks',
    method: 'POST',
    path: 'monitor/poison',
    role: 'operator',
    body: Body,
    handle: change,
  }),
]
