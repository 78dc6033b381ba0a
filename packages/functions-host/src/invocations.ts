// Calls of orchestrators, activities and timers in the worker: what each gets as input, and how its answer is read.
import type { CodeAnswer } from './durable/answers.ts'
import type { InvocationAnswer, InvocationOptions, WorkerChannel } from './functions/channel.ts'
import type { Functions } from './functions/functions.ts'
import { type Duration, type RetryOptions, type TypedData, valueOf } from './functions/protocol.ts'
import type { TimerInput } from './functions/timers.ts'

export interface InvocationDeps {
  readonly functions: Functions
  readonly channel: WorkerChannel
  readonly timeoutMs: number
  /** The durable client's input. */
  readonly clientPayload: () => string
  readonly isStopping: () => boolean
}

export class Invocations {
  readonly #d: InvocationDeps

  constructor(deps: InvocationDeps) {
    this.#d = deps
  }

  async orchestrator(name: string, instanceId: string, payload: string): Promise<CodeAnswer> {
    for (;;) {
      const answer = await this.#invoke(name, { string: payload }, {}, { instanceId })
      if (answer.ok) return { ok: true, value: valueOf(answer.returnValue), ...(answer.reusedTask ? { reusedTask: true } : {}) }
      // Died with its worker: dispatched again, replays are free of effects.
      if (!answer.workerDied || this.#d.isStopping()) return answer
    }
  }

  /** @param input JSON text, or null for none */
  async activity(name: string, instanceId: string, input: string | null): Promise<CodeAnswer> {
    const metadata = { instanceId: { string: instanceId } }
    const answer = await this.#invoke(name, ...activityData(input, metadata), { instanceId })
    return answer.ok ? { ok: true, value: valueOf(answer.returnValue) } : answer
  }

  /** Runs with the function's retry policy. @throws Error of the last try */
  async timer(name: string, input: TimerInput): Promise<void> {
    const retry = this.#d.functions.get(name)?.metadata.retryOptions
    const maxRetryCount = retry?.maxRetryCount ?? 0
    for (let retryCount = 0; ; retryCount++) {
      const data = { json: JSON.stringify(input) }
      const metadata = { TimerTrigger: { string: clock(new Date()) } }
      const retryContext = retry ? { retryContext: { retryCount, maxRetryCount } } : {}
      const answer = await this.#invoke(
        name,
        data,
        metadata,
        { reason: `Timer fired at ${metadata.TimerTrigger.string}`, isTimer: true },
        retryContext,
      )
      if (answer.ok) return
      if (this.#d.isStopping() || (maxRetryCount !== -1 && retryCount >= maxRetryCount)) throw new Error(answer.message)
      await new Promise((resolve) => setTimeout(resolve, retryDelay(retry, retryCount)))
    }
  }

  /** The durable client's input for each of a function's bindings of that type. */
  clientInputs(name: string): { name: string; data: TypedData }[] {
    return this.#d.functions
      .bindingsOf(name, 'durableclient')
      .map((binding) => ({ name: binding, data: { string: this.#d.clientPayload() } }))
  }

  #invoke(
    name: string,
    data: TypedData | undefined,
    metadata: Record<string, TypedData>,
    options: Omit<InvocationOptions, 'timeoutMs'>,
    more: object = {},
  ): Promise<InvocationAnswer> {
    const { functions, channel, timeoutMs } = this.#d
    const binding = functions.triggerName(name)
    const inputData = [{ name: binding, data: data ?? {} }, ...this.clientInputs(name)]
    const triggerMetadata = data?.string === undefined ? metadata : { ...metadata, [binding]: data }
    return channel.invoke(name, { inputData, triggerMetadata, ...more }, { timeoutMs, ...options })
  }
}

/** An activity's data and metadata: objects also put their members there; `true` arrives as the text `True` (recorded). */
function activityData(
  input: string | null,
  metadata: Record<string, TypedData>,
): [TypedData | undefined, Record<string, TypedData>] {
  if (input === null) return [undefined, metadata]
  const value: unknown = JSON.parse(input)
  const text = typeof value === 'string' ? value : typeof value === 'boolean' ? (value ? 'True' : 'False') : input
  const members =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, memberData(v)]))
      : {}
  return [{ string: text }, { ...metadata, data: { json: input }, ...members }]
}

const memberData = (value: unknown): TypedData =>
  typeof value === 'string'
    ? { string: value }
    : typeof value === 'object'
      ? { json: JSON.stringify(value) }
      : { string: JSON.stringify(value) }

/** `11/23/2026 21:02:07` */
const clock = (at: Date): string => {
  const [date = '', time = ''] = at.toISOString().split('T')
  const [year, month, day] = date.split('-')
  return `${month}/${day}/${year} ${time.slice(0, 8)}`
}

function retryDelay(retry: RetryOptions | undefined, count: number): number {
  const ms = (duration: Duration | undefined, otherwise: number): number =>
    duration === undefined ? otherwise : typeof duration === 'number' ? duration : Number(duration.seconds ?? 0) * 1000
  const first = ms(retry?.delayInterval ?? retry?.minimumInterval, 1000)
  return retry?.retryStrategy === 'exponentialBackoff' ? Math.min(first * 2 ** count, ms(retry.maximumInterval, 60_000)) : first
}
