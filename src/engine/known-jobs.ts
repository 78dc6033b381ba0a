// Type and parameters of jobs that this process has just met: the id is their hash, so that what is known stays true.
import { LRUCache } from 'lru-cache'
import type { JobRow } from '../db/reading.ts'
import type { Deps } from './deps.ts'

export type KnownJob = Pick<JobRow, 'job_type' | 'parameters'>

/** Parameters are 16 KB at most. */
const MOST = 256

const known = new WeakMap<Deps['process'], LRUCache<string, KnownJob>>()

/** Keeps what a worker of this process will need of the job, so that it need not ask. Status and attempt are never kept. */
export function rememberJob(deps: Deps, jobId: string, { job_type, parameters }: KnownJob): void {
  let jobs = known.get(deps.process)
  if (!jobs) known.set(deps.process, (jobs = new LRUCache({ max: MOST })))
  jobs.set(jobId, { job_type, parameters })
}

export const knownJob = (deps: Deps, jobId: string): KnownJob | undefined => known.get(deps.process)?.get(jobId)
