// What an orchestrator answers: its actions since the start, one per yield. Numbers as in the SDK's replay schema 3.

export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  WhenAny: 11,
  WhenAll: 12,
} as const

export interface RetryPolicy {
  readonly firstRetryIntervalInMilliseconds: number
  readonly maxNumberOfAttempts: number
  readonly backoffCoefficient?: number
  readonly maxRetryIntervalInMilliseconds?: number
  readonly retryTimeoutInMilliseconds?: number
}

export interface Action {
  readonly actionType: number
  readonly functionName?: string
  /** Of a child; without one it is made of the execution and the sequence id. */
  readonly instanceId?: string
  readonly version?: string
  readonly input?: unknown
  readonly retryOptions?: RetryPolicy
  readonly fireAt?: string
  readonly isCanceled?: boolean
  readonly externalEventName?: string
  readonly compoundActions?: readonly Action[]
}

/** What the walker makes of an action: an activity, a child or a timer with an id of its own. */
export interface Scheduled {
  readonly id: number
  readonly kind: 'task' | 'child' | 'timer'
  readonly name?: string
  readonly input?: unknown
  /** Of a child, when the action names one. */
  readonly instanceId?: string | undefined
  readonly version?: string | undefined
  readonly fireAt?: string
}

/** An orchestrator's answer. A failing one throws; its state is the JSON behind the mark in the message. */
export interface OrchestratorState {
  readonly isDone: boolean
  readonly actions: readonly (readonly Action[])[]
  readonly output?: unknown
  readonly error?: string
  readonly customStatus?: unknown
  /** User code threw. */
  readonly threw?: boolean
  /** Its actions, before they were serialized, held one task twice (found by the worker). */
  readonly reusedTask?: boolean
}

export const OUT_OF_PROC_MARK = '\n\n$OutOfProcData$:'

/** Actions that this host refuses, by their API's name. */
const REFUSED: Record<number, string> = {
  7: 'callEntity',
  8: 'callHttp',
  9: 'signalEntity',
  10: 'scheduledSignalEntity',
  13: 'lock',
  14: 'unlock',
}

/** The name of the first action (at any depth) that is not supported, or undefined. */
export function refusedAction(actions: readonly Action[]): string | undefined {
  for (const action of actions) {
    const name = REFUSED[action.actionType] ?? refusedAction(action.compoundActions ?? [])
    if (name) return name
  }
  return undefined
}
