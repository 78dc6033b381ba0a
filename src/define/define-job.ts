// How a job type is declared: one file, full inference, no registration by hand.
import * as z from 'zod'
import { type BlobStore } from '../models/blob-store.ts'
import type { OutputRecords } from '../models/raster-output.ts'
import type { CatalogueRecords } from '../models/stac-record.ts'
import { SnakeName } from '../models/names.ts'
import type { Slots } from '../models/slots.ts'
import type { OnTaskFailure, StageWeight } from '../models/words.ts'
import type { DependencyName } from '../rules/dependencies.ts'
import type { LogEvent } from '../rules/log-events.ts'
import { type Backoff, DEFAULT_BACKOFF } from '../rules/retry.ts'

/** A JSON object that a plan hands to its tasks. */
export type TaskParameters = Readonly<Record<string, unknown>>

/** What a plan yields. `source` names the predecessor's key in the stage before; default: the same key. */
export interface PlannedTask<T extends TaskParameters = TaskParameters> {
  readonly key: string
  readonly parameters?: T
  readonly source?: string
}

/** One completed task of an earlier stage. */
export interface TaskResult<R> {
  readonly key: string
  readonly result: R
}

/** Structured log: an event of the registry and fields. */
export interface Log {
  info(event: LogEvent, fields?: Record<string, unknown>): void
  warn(event: LogEvent, fields?: Record<string, unknown>): void
  error(event: LogEvent, fields?: Record<string, unknown>): void
}

/** What plans and tasks log with: events of their own, dotted, beside those of the registry. */
export interface JobLog {
  info(event: `${string}.${string}`, fields?: Record<string, unknown>): void
  warn(event: `${string}.${string}`, fields?: Record<string, unknown>): void
  error(event: `${string}.${string}`, fields?: Record<string, unknown>): void
}

/** What a plan may use. */
export interface PlanContext<P> {
  readonly jobId: string
  readonly attempt: number
  readonly parameters: P
  readonly blobs: BlobStore
  readonly log: JobLog
  readonly signal: AbortSignal
  /** Completed tasks of an earlier stage in order, streamed; its type is that stage's result. */
  previous<S extends AnyStage>(stage: S): AsyncIterable<TaskResult<ResultOf<S>>>
}

/** What one try of a task may use. */
export interface TaskContext<P, Before> {
  readonly jobId: string
  readonly attempt: number
  /** The number of this try, from 1. */
  readonly claim: number
  readonly parameters: P
  readonly blobs: BlobStore
  /** Records of the files that this job type writes. */
  readonly outputs: OutputRecords
  readonly catalogue: CatalogueRecords
  readonly log: JobLog
  /** Fires on cancel, pause, lost lease, timeout and shutdown. */
  readonly signal: AbortSignal
  readonly now: () => Date
  /**
   * The result of the task that this one descends from; one query per claimed batch.
   * @throws AppError `PREDECESSOR_MISSING`, or `PREDECESSOR_FAILED`, which records this task as skipped
   */
  predecessor(): Promise<Before>
  /** Completed tasks of an earlier stage in order, streamed: for tasks that gather. */
  previous<S extends AnyStage>(stage: S): AsyncIterable<TaskResult<ResultOf<S>>>
  /** Tasks per second of a stage of this job type, over its runs that closed last; undefined when there is none. */
  recentRate(stageName: string): Promise<number | undefined>
  /** For long tasks: 0 … 1 and a short note, stored with the next heartbeat. */
  progress(fraction: number, note?: string): void
}

export interface RunningTask<T extends TaskParameters> {
  readonly key: string
  readonly taskNo: number
  readonly parameters: T
}

/** Stage options with the reason for each default in docs/architecture.md. */
export interface StageOptions {
  readonly weight?: StageWeight
  /** `runTasks` activities at once: 4 for light stages (claimed faster than 16), 16 for heavy ones; at most 250. */
  readonly maxParallel?: number
  /** Tasks at once inside a light worker. */
  readonly taskConcurrency?: number
  readonly maxClaims?: number
  readonly backoff?: Partial<Backoff>
  readonly timeoutMs?: number
  readonly onTaskFailure?: OnTaskFailure
  /** Places for tasks of this stage in this process: one is taken before a task is claimed, so that no claim waits for one. */
  readonly slots?: Slots
  /** Outside systems without which its tasks cannot run: while one is down, they wait unclaimed. */
  readonly dependsOn?: readonly DependencyName[]
}

export interface StageSpec<P, T extends TaskParameters, R, B extends AnyStage | undefined> extends StageOptions {
  readonly name: string
  /** The job's parameter schema, so that `plan` and `run` are typed. */
  readonly parameters: z.ZodType<P>
  readonly result: z.ZodType<R>
  /** The stage before, when `ctx.predecessor()` is used. */
  readonly after?: B
  /** Must yield the same tasks in the same order when asked again: planning resumes behind what is stored. */
  plan(context: PlanContext<P>): AsyncIterable<PlannedTask<T>> | Iterable<PlannedTask<T>>
  run(task: RunningTask<T>, context: TaskContext<P, ResultOf<B>>): Promise<R> | R
  /** Small JSON for the stage record, from the completed results. */
  summarize?(results: AsyncIterable<TaskResult<R>>, context: { parameters: P; blobs: BlobStore }): Promise<unknown>
}

/** A declared stage with every option filled in. */
export interface Stage<P, T extends TaskParameters, R, B extends AnyStage | undefined> extends StageSpec<P, T, R, B> {
  readonly weight: StageWeight
  readonly maxParallel: number
  readonly taskConcurrency: number
  readonly maxClaims: number
  readonly backoff: Backoff
  readonly timeoutMs: number
  readonly onTaskFailure: OnTaskFailure
  readonly dependsOn: readonly DependencyName[]
}

// oxlint-disable-next-line typescript/no-explicit-any -- the only way to say "some stage": its parameters are in both variances
export type AnyStage = Stage<any, any, any, any>
export type ResultOf<S> = S extends { result: z.ZodType<infer R> } ? R : never

/**
 * Declares a stage. Options that are not given get the defaults.
 * @throws Error at import when the name is no snake_case name or an option is out of range
 */
export function defineStage<P, T extends TaskParameters, R, B extends AnyStage | undefined = undefined>(
  spec: StageSpec<P, T, R, B>,
): Stage<P, T, R, B> {
  SnakeName.parse(spec.name)
  if (RESERVED_JOB_NAMES.includes(spec.name))
    throw new Error(`${spec.name}: is the name of an action on jobs; give the job type another name`)
  const weight = spec.weight ?? 'light'
  const stage = {
    taskConcurrency: 8,
    maxClaims: 4,
    timeoutMs: 300_000,
    onTaskFailure: 'fail' as const,
    dependsOn: [],
    ...spec,
    weight,
    maxParallel: spec.maxParallel ?? (weight === 'light' ? 4 : 16),
    backoff: { ...DEFAULT_BACKOFF, ...spec.backoff },
  }
  z.object({
    maxParallel: z.int().min(1).max(250),
    taskConcurrency: z.int().min(1).max(1000),
    maxClaims: z.int().min(1).max(100),
    timeoutMs: z.int().min(1).max(1_740_000),
  }).parse(stage)
  return stage
}

/** One task that failed for good. */
export interface FailedTask {
  readonly key: string
  readonly code: string
  /** Cut at 300 characters. */
  readonly details: string
}

/** One closed stage as `result` sees it. */
export interface StageReport {
  readonly stage: number
  readonly name: string
  readonly outcome: string
  readonly expected: number
  readonly completed: number
  readonly failed: number
  readonly skipped: number
  readonly summary: unknown
}

export interface ResultContext<P> {
  readonly jobId: string
  readonly attempt: number
  readonly parameters: P
  readonly stages: readonly StageReport[]
  readonly secondsRunning: number
  /** Failed tasks of a stage in order, streamed. */
  failed(stage: AnyStage): AsyncIterable<FailedTask>
  previous<S extends AnyStage>(stage: S): AsyncIterable<TaskResult<ResultOf<S>>>
}

/** What a job type may ask before a job row exists. */
export interface AcceptContext {
  readonly jobId: string
  readonly blobs: BlobStore
  readonly outputs: OutputRecords
}

export interface JobSpec<P> {
  readonly name: string
  readonly description: string
  readonly parameters: z.ZodType<P>
  readonly stages: readonly AnyStage[]
  readonly onTaskFailure?: OnTaskFailure
  /** Checks the outside world before a job row exists; throws AppError to refuse. */
  accept?(parameters: NoInfer<P>, context: AcceptContext): Promise<void>
  /** The job's result; default: the summaries by stage name. */
  result?(context: ResultContext<NoInfer<P>>): Promise<unknown>
}

export type Job<P> = JobSpec<P>
// oxlint-disable-next-line typescript/no-explicit-any -- as AnyStage
export type AnyJob = Job<any>

/** True only when a stage takes exactly the job's parameters. */
type StageOf<P, S> = S extends { parameters: z.ZodType<infer Q> } ? ([P] extends [Q] ? S : never) : never

/** What is done to jobs at `jobs/{job_id}/…`: a job type of such a name would read as one of them. */
export const RESERVED_JOB_NAMES: readonly string[] = ['cancel', 'pause', 'resume', 'retry', 'rerun', 'status', 'submit']

/**
 * Declares a job type. The file's name must be the job's name; `npm run gen` puts it into the registry.
 * @throws Error at import when it is called like an action, when a name repeats or `after` is not the stage before
 */
export function defineJob<P, const S extends readonly AnyStage[]>(
  spec: Omit<JobSpec<P>, 'stages'> & { readonly stages: S & { [K in keyof S]: StageOf<P, S[K]> } },
): Job<P> {
  SnakeName.parse(spec.name)
  if (RESERVED_JOB_NAMES.includes(spec.name))
    throw new Error(`${spec.name}: is the name of an action on jobs; give the job type another name`)
  const stages: readonly AnyStage[] = spec.stages
  if (stages.length === 0) throw new Error(`${spec.name}: a job type needs at least one stage`)
  for (const [i, stage] of stages.entries()) {
    if (stages.findIndex((s) => s.name === stage.name) !== i) throw new Error(`${spec.name}: two stages are called ${stage.name}`)
    if (stage.after && stage.after !== stages[i - 1])
      throw new Error(`${spec.name}: ${stage.name} comes after ${stage.after.name}, but stands elsewhere`)
  }
  return spec
}

/** The stage that stands at a number, from 1. */
export function stageAt(job: AnyJob, stageNo: number): AnyStage | undefined {
  return job.stages[stageNo - 1]
}
