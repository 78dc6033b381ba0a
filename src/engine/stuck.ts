// Jobs that stand still: told again while they do, so that an alert stays on, but not at every pass.
import { findJob } from '../db/reading.ts'
import type { Deps } from './deps.ts'

/** A living job has a turn at least each minute, or a lease that is renewed: five without either is no pause any more. */
const STUCK_MS = 300_000
/** Shorter than the window of the alert. */
const AGAIN_MS = 600_000

/** By job, when it was told last; per process, since the timer runs in one at a time. */
const told = new Map<string, number>()

/**
 * Says so when nothing of the job moved for five minutes.
 * @param movedAt when its row was last touched
 */
export async function tellStuck(
  deps: Deps,
  { job_id, reason, movedAt }: { readonly job_id: string; readonly reason: string; readonly movedAt: Date },
  runtime_status: string | null,
): Promise<void> {
  const now = deps.now().getTime()
  for (const [id, at] of told) if (now - at >= AGAIN_MS) told.delete(id)
  const idle = now - movedAt.getTime()
  if (idle < STUCK_MS || told.has(job_id)) return
  told.set(job_id, now)
  const stage = (await findJob(deps.db, job_id))?.stage
  deps.log.warn('job.stuck', { job_id, stage, reason, idle_seconds: Math.round(idle / 1000), runtime_status })
}
