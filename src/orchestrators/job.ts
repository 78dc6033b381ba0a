// The only orchestrator: asks what the job needs, fans out, fans in, asks again. Postgres decides; this only wakes.
import type { OrchestrationHandler, Task } from 'durable-functions'
import type { RunReport, Step } from '../models/steps.ts'
import { asReports, asStep, callsOf } from './call.ts'

/** One execution stays below these, so that its history (sent at every replay) stays small. */
const MAX_TURNS = 100
const MAX_ACTIVITIES = 250
/** Each `again` is a minute of planning: a plan of more than 16 hours has lost its way. */
const MAX_AGAIN = 1000
const MAX_WAIT_SECONDS = 60

export const job: OrchestrationHandler = function* (context): Generator<Task, unknown, unknown> {
  const calls = callsOf(context)
  const { jobId, attempt, trace } = calls.input
  const own = { jobId, attempt, ...(trace === undefined ? {} : { trace }) }
  let { idle = 0, again = 0, step: known } = calls.input
  let activities = 0
  for (let turn = 0; turn < MAX_TURNS && activities < MAX_ACTIVITIES; turn++) {
    // The last one out of a stage has asked already.
    const step: Step = known ?? asStep(yield calls.advance(own))
    if (!known) activities++
    known = undefined
    again = step.kind === 'again' ? again + 1 : 0
    if (again > MAX_AGAIN) throw new Error(`Planning of job ${jobId} did not end within ${MAX_AGAIN} turns.`)
    if (step.kind === 'done') {
      if (step.attempt === attempt) return { status: step.status, attempt }
      // A newer attempt was started while this instance was still there: its start found "already exists", so this one goes on with it.
      return calls.again({ ...own, attempt: step.attempt })
    }
    if (step.kind === 'wait') yield calls.sleep(lesser(step.seconds, MAX_WAIT_SECONDS))
    if (step.kind === 'run') {
      calls.status(step)
      const workers = lesser(step.workers, MAX_ACTIVITIES)
      if (activities + workers > MAX_ACTIVITIES && activities > 1) {
        known = step
        break
      }
      activities += workers
      let reports: readonly RunReport[] = []
      try {
        reports = asReports(yield calls.run({ ...own, stage: step.stage }, workers))
      } catch {
        // A worker that died came back all the same: Postgres knows what it finished, and the next turn decides.
        reports = []
        calls.log('job.worker_lost', { job_id: jobId, attempt, stage: step.stage })
      }
      known = reports.find((r) => r.next)?.next
      idle = known || reports.some((r) => r.claimed > 0) ? 0 : idle + 1
      if (idle > 0) yield calls.sleep(lesser(2 ** idle, MAX_WAIT_SECONDS))
    }
  }
  calls.log('job.continued', { job_id: jobId, attempt, activities })
  return calls.again({ ...own, idle, again, ...(known ? { step: known } : {}) })
}

// Math is not at hand in an orchestrator (lint), because Math.random would break replays.
function lesser(a: number, b: number): number {
  return a < b ? a : b
}
