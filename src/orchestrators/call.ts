// The one place that touches the durable SDK's context, so that another major version changes this file alone.
import * as df from 'durable-functions'
import type { OrchestrationContext, Task } from 'durable-functions'
import type { advanceJob } from '../activities/advance-job.ts'
import type { runTasks } from '../activities/run-tasks.ts'
import { redact } from '../rules/redact.ts'
import type { LogEvent } from '../rules/log-events.ts'
import type { JobCustomStatus, JobInput, RunInput, RunReport, Step, StepInput } from '../models/steps.ts'

/** Activities by name; types only, so that a rename is a compile error. */
interface Activities {
  advanceJob: typeof advanceJob
  runTasks: typeof runTasks
}
const nameOf = <N extends keyof Activities>(name: N): N => name

/** What the orchestrator may do. Each call gives a task to be yielded once, and never again (trap: reused tasks shift ids). */
export interface Calls {
  readonly input: JobInput
  advance(input: StepInput): Task
  /** So many workers for a stage, side by side. */
  run(input: Omit<RunInput, 'alone'>, workers: number): Task
  sleep(seconds: number): Task
  status(status: JobCustomStatus): void
  again(input: JobInput): void
  /** One line for an event, however often the orchestrator is replayed over it; the host adds time and level. */
  log(event: LogEvent, fields: Readonly<Record<string, string | number>>): void
}

// Only advanceJob is retried, one call per yield: a retried call inside Task.all shifts the ids of its siblings.
const whenDatabaseIsBack = new df.RetryOptions(2000, 10)
whenDatabaseIsBack.backoffCoefficient = 2
whenDatabaseIsBack.maxRetryIntervalInMilliseconds = 60_000

export function callsOf(context: OrchestrationContext): Calls {
  return {
    input: context.df.getInput<JobInput>(),
    advance: (input) => context.df.callActivityWithRetry(nameOf('advanceJob'), whenDatabaseIsBack, input),
    run: (input, workers) => {
      const one: RunInput = workers === 1 ? { ...input, alone: true } : input
      return context.df.Task.all(Array.from({ length: workers }, () => context.df.callActivity(nameOf('runTasks'), one)))
    },
    sleep: (seconds) => {
      const until = context.df.currentUtcDateTime
      return context.df.createTimer(new (until.constructor as DateConstructor)(until.getTime() + seconds * 1000))
    },
    status: ({ stage, name, done, total, percent, eta }) =>
      context.df.setCustomStatus({ stage, name, done, total, percent, eta }),
    again: (input) => context.df.continueAsNew(input),
    log: (event, fields) => {
      if (!context.df.isReplaying) context.log(redact(JSON.stringify({ level: 'info', event, ...fields })))
    },
  }
}

/** The yielded value of `advance`. */
export const asStep = (value: unknown): Step => value as Step
/** The yielded value of `run`. */
export const asReports = (value: unknown): readonly RunReport[] => value as readonly RunReport[]
