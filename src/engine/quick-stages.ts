// How fast this process did the stages of a job type the last time: it decides what is done at once, and by how many. Never more than a hint.
import type { AnyJob } from '../define/define-job.ts'
import { LEAST_CLAIM, MOST_CLAIM, nextClaimSize } from '../rules/claim-size.ts'
import type { Deps } from './deps.ts'
import { perProcess } from './per-process.ts'

/** A stage that will probably take no longer, from the first claim to the closure, is quick. */
const QUICK_MS = 250
/** What a worker should have to do, for its activity to be worth it. */
const WORKER_MS = 50
/** Stages of all job types together. */
const MOST = 1000

/** So many tasks took one worker so long. */
interface Pace {
  readonly tasks: number
  readonly ms: number
}
/** The last pace of each size: 1 to 3 tasks, 4 to 15, 16 to 63 …: what one task costs says little of a hundred, for most of it is asking and recording. */
type Paces = (Pace | undefined)[]
const sizeOf = (tasks: number): number => Math.floor(Math.log2(Math.max(1, tasks)) / 2)
const seen = perProcess<Paces>(MOST)

const nameOf = (job: AnyJob, stageNo: number): string => `${job.name}/${stageNo}`
const pacesOf = (deps: Deps, job: AnyJob, stageNo: number): Paces => seen(deps).get(nameOf(job, stageNo)) ?? []

/** Keeps it for stages of its size. @param pace ms: infinite when the only worker did not come to the stage's end */
export function notePace(deps: Deps, job: AnyJob, stageNo: number, pace: Pace): void {
  const paces = pacesOf(deps, job, stageNo)
  paces[sizeOf(pace.tasks)] = pace
  seen(deps).set(nameOf(job, stageNo), paces)
}

/** What was seen of stages of that size, else of the next smaller, else of the next larger ones. */
function paceOf(paces: Paces, tasks: number): Pace | undefined {
  const size = sizeOf(tasks)
  return paces[size] ?? paces.slice(0, size).findLast((p) => p) ?? paces.find((p) => p)
}

/** Milliseconds that one worker will probably take for so many tasks; infinite where nothing is known. */
function probableMs(deps: Deps, job: AnyJob, stageNo: number, tasks: number): number {
  const pace = paceOf(pacesOf(deps, job, stageNo), tasks)
  return pace ? pace.ms * Math.max(1, tasks / pace.tasks) : Number.POSITIVE_INFINITY
}

/** Is it one claim of quick tasks that will probably be done in a moment? */
export const isQuick = (deps: Deps, job: AnyJob, stageNo: number, tasks: number): boolean =>
  tasks <= MOST_CLAIM && probableMs(deps, job, stageNo, tasks) <= QUICK_MS

/** Workers for so many tasks that each of them has something to do. */
export const usefulWorkers = (deps: Deps, job: AnyJob, stageNo: number, tasks: number): number =>
  Math.max(1, Math.ceil(probableMs(deps, job, stageNo, tasks) / WORKER_MS))

/** The first claim of a worker in this process: its share, when that is done as quickly as a later claim would be. */
export function firstClaim(deps: Deps, job: AnyJob, stageNo: number, share: number): number {
  const pace = paceOf(pacesOf(deps, job, stageNo), share)
  if (!pace) return LEAST_CLAIM
  return Math.max(LEAST_CLAIM, Math.min(share, nextClaimSize({ claimed: pace.tasks, failed: 0, ms: pace.ms })))
}
