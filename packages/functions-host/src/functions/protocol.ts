// Messages between host and worker process. Bytes travel as they are (serialization: advanced).

/** A value on the wire of the Functions worker: exactly one member. */
export interface TypedData {
  readonly string?: string
  readonly json?: string
  readonly bytes?: Uint8Array
  readonly int?: number
  readonly double?: number
  readonly http?: HttpData
}

export interface HttpData {
  readonly method?: string
  readonly url?: string
  readonly nullableHeaders?: Record<string, { value: string }>
  readonly nullableQuery?: Record<string, { value: string }>
  readonly nullableParams?: Record<string, { value: string }>
  readonly statusCode?: string
  readonly headers?: Record<string, string>
  readonly cookies?: readonly unknown[]
  readonly body?: TypedData | undefined
}

export interface Binding {
  readonly type: string
  readonly direction: string
  readonly name?: string
  readonly methods?: readonly string[]
  readonly authLevel?: string
  readonly route?: string
  readonly schedule?: string
  readonly runOnStartup?: boolean
  readonly useMonitor?: boolean
}

/** What registerFunction was given. */
export interface FunctionMetadata {
  readonly name: string
  readonly bindings: Readonly<Record<string, Binding>>
  readonly retryOptions?: RetryOptions
}

/** Retry policy of a timer function; times in milliseconds or as `{seconds}` durations. */
export interface RetryOptions {
  readonly retryStrategy?: string
  readonly maxRetryCount?: number
  readonly delayInterval?: Duration
  readonly minimumInterval?: Duration
  readonly maximumInterval?: Duration
}
export type Duration = number | { readonly seconds?: number | string; readonly nanos?: number }

export interface InvocationRequest {
  readonly invocationId: string
  readonly functionId: string
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[]
  readonly triggerMetadata: Readonly<Record<string, TypedData>>
  readonly traceContext: { readonly traceParent: string; readonly traceState: string; readonly attributes: object }
  readonly retryContext?: { readonly retryCount: number; readonly maxRetryCount: number }
}

export type ToWorker = { readonly type: 'invoke'; readonly request: InvocationRequest } | { readonly type: 'terminate' }

/** What ran at some moment since the last look. */
export interface Running {
  readonly functionId: string
  readonly instanceId: string
}

export type FromWorker =
  | { readonly type: 'loaded'; readonly functions: readonly FunctionMetadata[]; readonly httpUri?: string }
  | { readonly type: 'terminated' }
  | { readonly type: 'blocked'; readonly ms: number; readonly running: readonly Running[] }
  | { readonly type: 'loadFailed'; readonly message: string }
  | {
      readonly type: 'result'
      readonly invocationId: string
      readonly ok: true
      readonly returnValue: TypedData | null | undefined
      /** The handler returned undefined. */
      readonly empty?: boolean
      /** An orchestrator put one task into two compounds. */
      readonly reusedTask?: boolean
    }
  | {
      readonly type: 'result'
      readonly invocationId: string
      readonly ok: false
      readonly message: string
      readonly stack?: string | undefined
    }
  | {
      readonly type: 'log'
      readonly level: string
      readonly category: string
      readonly message: string
      readonly invocationId?: string
    }

/** The JSON value of a function's return, as the engine stores it. */
export function valueOf(data: TypedData | null | undefined): unknown {
  if (!data) return undefined
  if (data.json !== undefined) return JSON.parse(data.json)
  if (data.bytes !== undefined) return Buffer.from(data.bytes).toString('base64')
  return data.string ?? data.int ?? data.double
}
