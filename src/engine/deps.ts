// What the engine needs from outside: the composition root hands it in, and so do tests. Nothing in here reaches for a global.
import type { AnyJob, Log } from '../define/define-job.ts'
import type { Pool } from '../db/pool.ts'
import type { BlobStore } from '../models/blob-store.ts'
import type { OutputRecords } from '../models/raster-output.ts'
import type { WebhookSender } from '../models/webhook-message.ts'
import type { CatalogueRecords } from '../models/stac-record.ts'
import type { DependencyName } from '../rules/dependencies.ts'
import type { Instances } from './instances.ts'

/** Circuit breakers of this process. */
export interface Breakers {
  /**
   * Runs what needs the dependencies.
   * @throws AppError `DEPENDENCY_OPEN` without running it while one of them is known to be down
   */
  run<T>(names: readonly DependencyName[], work: () => Promise<T>): Promise<T>
}

/** Who this process is: its claims are given back when it is dead. */
export interface ProcessIdentity {
  /** 16 hex digits, new with each process. */
  readonly id: string
  /** The place where it runs: the next process of the same place knows that this one is gone. */
  readonly name: string
}

/** Bounds and periods that operators set. */
export interface EngineSettings {
  readonly leaseSeconds: number
  readonly breakerCooldownSeconds: number
  readonly retentionDays: number
  readonly retentionDaysFailed: number
  readonly maxJobsPerCaller: number
  readonly maxTasksPerCaller: number
}

export interface Deps {
  readonly db: Pool
  readonly blobs: BlobStore
  readonly outputs: OutputRecords
  readonly catalogue: CatalogueRecords
  readonly breakers: Breakers
  /** Sends what webhooks are told. */
  readonly webhooks: WebhookSender
  readonly log: Log
  readonly settings: EngineSettings
  readonly now: () => Date
  readonly random: () => number
  readonly process: ProcessIdentity
  /** Fires on SIGTERM: long tasks stop, workers hand back. */
  readonly stopping: AbortSignal
  /** The registry: the engine never names a job type. */
  jobType(name: string): AnyJob | undefined
  readonly jobTypes: readonly AnyJob[]
}

/** For what starts, asks and ends instances: the client comes with the binding of an invocation. */
export interface InstanceDeps extends Deps {
  readonly instances: Instances
}
