// The trace of an activity or timer: the one that its job carries, else the host's.
import { inTrace } from '../telemetry/spans.ts'

/** What an invocation says of its trace, as `@azure/functions` hands it over. */
export interface HostTrace {
  readonly traceParent?: string | undefined
}

interface Carried {
  readonly jobId: string
  readonly attempt: number
  readonly trace?: string | undefined
}

/** Runs the activity of a job in the job's trace. */
export const inJobTrace = <T>(name: string, host: HostTrace | undefined, input: Carried, work: () => Promise<T>): Promise<T> =>
  inTrace(
    name,
    {
      carried: input.trace,
      host: host?.traceParent,
      attributes: { 'lamplighter.job_id': input.jobId, 'lamplighter.attempt': input.attempt },
    },
    work,
  )

/** Runs a timer in the host's trace. */
export const inTimerTrace = <T>(name: string, host: HostTrace | undefined, work: () => Promise<T>): Promise<T> =>
  inTrace(name, { host: host?.traceParent }, work)
