// Schedules: every instance looks what is due, one of them takes it, and a run that was taken and not ended is taken up again.
import { endScheduleRun, listDueSchedules, listLostRuns, type ScheduleRow, takeSchedule } from '../db/schedule-functions.ts'
import { only } from '../db/sql-function.ts'
import { AppError } from '../rules/errors.ts'
import type { InstanceDeps } from './deps.ts'
import { planDue } from './due-times.ts'
import { jobTypeOf, submitJob } from './submit.ts'

const LIMIT = 100
/** Whoever took a run submits it at once; after this long it has died. */
const LOST_SECONDS = 60

type Scheduled = Pick<ScheduleRow, 'schedule_id' | 'job_type' | 'parameters' | 'time_zone'>

/** One pass; safe when several run at once. @returns number of due times that this one took */
export async function runSchedules(deps: InstanceDeps): Promise<number> {
  let taken = 0
  for (const schedule of await listDueSchedules(deps.db, deps.now(), LIMIT)) {
    if (deps.stopping.aborted) return taken
    try {
      if (await takeOne(deps, schedule)) taken++
    } catch (error) {
      deps.log.error('schedule.failed', { schedule_id: schedule.schedule_id, error })
    }
  }
  for (const { schedule, due_at } of await listLostRuns(deps.db, LOST_SECONDS, LIMIT)) await submitRun(deps, schedule, due_at)
  return taken
}

async function takeOne(deps: InstanceDeps, schedule: ScheduleRow): Promise<boolean> {
  const { schedule_id, next_due_at: expected, missed: rule } = schedule
  if (expected === null) return false
  const { run, missed, next } = planDue(schedule, rule, expected, deps.now())
  const { take_schedule: mine } = only(await takeSchedule(deps.db, { schedule_id, expected, run, missed, next_due_at: next }))
  if (!mine) return false
  if (missed.length > 0) deps.log.warn('schedule.missed', { schedule_id, times: missed.length })
  if (run !== null) await submitRun(deps, schedule, run)
  return true
}

/** Submits the job of a due time: asked again for the same one, it is the same attempt of the job. */
async function submitRun(deps: InstanceDeps, schedule: Scheduled, due: Date): Promise<void> {
  const { schedule_id } = schedule
  const end = { schedule_id, due_at: due, job_id: null, attempt: null, error_code: null, error_details: null }
  try {
    const job = jobTypeOf(deps, schedule.job_type)
    const { job_id, attempt } = await submitJob(deps, {
      job,
      parameters: job.parameters.parse(parametersAt(schedule, due)),
      metadata: { schedule_id, due_at: due.toISOString() },
      caller: `schedule:${schedule_id}`,
      requestId: null,
      idempotencyKey: `schedule:${schedule_id}:${due.toISOString()}`,
      force: true,
    })
    await endScheduleRun(deps.db, { ...end, status: 'submitted', job_id, attempt })
    deps.log.info('schedule.submitted', { schedule_id, due_at: due.toISOString(), job_id, attempt })
  } catch (error) {
    // Left as it is: the next pass takes it up.
    if (error instanceof AppError && error.retryable) return deps.log.warn('schedule.delayed', { schedule_id, error })
    const [code, message] = error instanceof AppError ? [error.code, error.message] : ['INVALID_PARAMETERS', String(error)]
    await endScheduleRun(deps.db, { ...end, status: 'refused', error_code: code, error_details: message })
    deps.log.warn('schedule.refused', { schedule_id, due_at: due.toISOString(), code })
  }
}

/** `{due}` in any text becomes the due time (RFC 3339, UTC), `{date}` its day in the schedule's zone: so runs can be jobs of their own. */
export function parametersAt({ parameters, time_zone }: Pick<Scheduled, 'parameters' | 'time_zone'>, due: Date): unknown {
  const date = new Intl.DateTimeFormat('en-CA', {
    timeZone: time_zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).format(due)
  const filled = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll('{due}', due.toISOString()).replaceAll('{date}', date)
    if (Array.isArray(value)) return value.map(filled)
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v)]))
    return value
  }
  return filled(parameters)
}
