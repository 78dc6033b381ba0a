// The only composition root: pool, blob store, log and clock, built once per process on first use.
import { openPool, type Pool } from '../db/pool.ts'
import type { AnyJob, Log } from '../engine/define-job.ts'
import { jobs } from '../jobs/index.gen.ts'
import type { BlobStore } from '../models/blob-store.ts'
import { openBlobStore } from '../storage/blob-store.ts'
import { allowedContainers, type Config, readConfig } from './config.ts'
import { createLog } from './log.ts'

/** What activities, timers and HTTP functions work with. */
export interface Resources {
  readonly db: Pool
  readonly blobs: BlobStore
  readonly log: Log
  readonly config: Config
  readonly now: () => Date
  readonly random: () => number
  /** Fires on SIGTERM: long tasks stop, workers hand back. */
  readonly stopping: AbortSignal
  jobType(name: string): AnyJob | undefined
  readonly jobTypes: readonly AnyJob[]
}

let current: Resources | undefined

/** @throws AppError `CONFIG_INVALID`, at every call until the settings are right */
export function resources(): Resources {
  current ??= build(process.env)
  return current
}

function build(env: NodeJS.ProcessEnv): Resources {
  const config = readConfig(env)
  const byName = new Map(jobs.map((j) => [j.name, j]))
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  return {
    db: openPool({ connectionString: config.DATABASE_URL, max: config.PG_POOL_MAX }),
    blobs: openBlobStore({
      connectionString: config.DATA_STORAGE ?? (config.DATA_STORAGE_URL ? undefined : config.AzureWebJobsStorage),
      accountUrl: config.DATA_STORAGE_URL,
      allowed: allowedContainers(config),
    }),
    log: createLog(config.LOG_LEVEL),
    config,
    now: () => new Date(),
    random: Math.random,
    stopping: stop.signal,
    jobType: (name) => byName.get(name),
    jobTypes: jobs,
  }
}
