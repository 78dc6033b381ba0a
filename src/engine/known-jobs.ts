// Type and parameters of jobs that this process has just met: the id is their hash, so that what is known stays true.
import type { JobRow } from '../db/reading.ts'
import type { Deps } from './deps.ts'
import { perProcess } from './per-process.ts'

export type KnownJob = Pick<JobRow, 'job_type' | 'parameters'>

/** Parameters are 16 KB at most. */
const MOST = 256

const known = perProcess<KnownJob>(MOST)

/** Keeps what a worker of this process will need of the job, so that it need not ask. Status and attempt are never kept. */
export function rememberJob(deps: Deps, jobId: string, { job_type, parameters }: KnownJob): void {
  known(deps).set(jobId, { job_type, parameters })
}

interface StageOf {
  readonly job_id: string
  readonly stage_no: number
}
const nameOf = ({ job_id, stage_no }: StageOf): string => `${job_id}/${stage_no}`

/** Of stages that this process asked workers for: ready tasks for each of them. */
const shares = perProcess<number>(MOST)

/** Keeps how many tasks are there for each worker that is asked for. */
export function rememberShare(deps: Deps, stage: StageOf, tasks: number): void {
  shares(deps).set(nameOf(stage), tasks)
}

/** 0 where another process asked. */
export const shareOf = (deps: Deps, stage: StageOf): number => shares(deps).get(nameOf(stage)) ?? 0

/** Attempts that this process has submitted and not begun yet. */
const submitted = perProcess<number>(MOST)

/** Keeps what a job is, and that nobody has begun with it. Call it before its instance is started. */
export function rememberSubmitted(deps: Deps, jobId: string, attempt: number, job: KnownJob): void {
  rememberJob(deps, jobId, job)
  submitted(deps).set(jobId, attempt)
}

/** Has this process submitted it, and is this the first turn? True once. */
export function takeSubmitted(deps: Deps, jobId: string, attempt: number): boolean {
  const jobs = submitted(deps)
  const isFirst = jobs.get(jobId) === attempt
  jobs.delete(jobId)
  return isFirst
}

export const knownJob = (deps: Deps, jobId: string): KnownJob | undefined => known(deps).get(jobId)
