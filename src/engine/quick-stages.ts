// Stages that this process saw done in a moment: the activity that plans such a stage does it too. Never more than a hint.
import { LRUCache } from 'lru-cache'
import type { AnyJob } from '../define/define-job.ts'
import type { Deps } from './deps.ts'

/** A stage of one claim that took no longer, from the activity's begin to the closure, is quick. */
const QUICK_MS = 250
/** Stages of all job types together. */
const MOST = 1000

const seen = new WeakMap<Deps['process'], LRUCache<string, boolean>>()

const nameOf = (job: AnyJob, stageNo: number): string => `${job.name}/${stageNo}`

/** The only worker of a stage of one claim took so many milliseconds; undefined: it did not come to the stage's end. */
export function noteStage(deps: Deps, job: AnyJob, stageNo: number, ms: number | undefined): void {
  let stages = seen.get(deps.process)
  if (!stages) seen.set(deps.process, (stages = new LRUCache({ max: MOST })))
  stages.set(nameOf(job, stageNo), ms !== undefined && ms <= QUICK_MS)
}

/** Was the stage quick when this process did it the last time? */
export const wasQuick = (deps: Deps, job: AnyJob, stageNo: number): boolean =>
  seen.get(deps.process)?.get(nameOf(job, stageNo)) === true
