// What an instance is, what the engine needs from outside, and how it refuses.
import type { Action } from './actions.ts'
import type { CodeAnswer } from './answers.ts'
import type { History, HistoryEvent } from './events.ts'

export type RuntimeStatus = 'Pending' | 'Running' | 'Suspended' | 'Completed' | 'Failed' | 'Terminated'

/** The outside of the engine: user code, clock, randomness, limits. */
export interface EngineOptions {
  readonly runOrchestrator: (name: string, payload: string) => Promise<CodeAnswer>
  readonly runActivity: (name: string, instanceId: string, input: unknown) => Promise<CodeAnswer>
  readonly hasOrchestrator: (name: string) => boolean
  readonly hasActivity: (name: string) => boolean
  readonly now: () => number
  readonly setTimer: (at: number, fire: () => void) => () => void
  readonly maxActivities: number
  readonly maxOrchestrators: number
  /** Messages of one batch: at most this many, or what `batchSize` draws. */
  readonly maxBatch: number
  readonly batchSize?: (available: number) => number
  readonly defaultVersion: string | null
  /** Called before history is dropped: at continueAsNew and at the end. */
  readonly onExecutionEnd?: (instance: Instance) => void
}

export interface Instance {
  readonly id: string
  readonly name: string
  executionId: string
  status: RuntimeStatus
  input: string | null
  customStatus: unknown
  output: unknown
  createdAt: number
  updatedAt: number
  history: History
  /** Actions of the last replay, for tests. */
  actions: readonly Action[]
  pending: HistoryEvent[]
  held: HistoryEvent[]
  busy: boolean
  scheduled: number
  timers: Map<number, () => void>
}

/** Why a client call was refused; the API turns it into a status code. */
export class EngineRefusal extends Error {
  readonly reason: 'active' | 'unknown' | 'terminal' | 'state'
  readonly status: RuntimeStatus | undefined
  constructor(reason: EngineRefusal['reason'], message: string, status?: RuntimeStatus) {
    super(message)
    this.reason = reason
    this.status = status
  }
}

/** Ended: nothing is delivered any more. */
export const isTerminal = (status: RuntimeStatus): boolean =>
  status === 'Completed' || status === 'Failed' || status === 'Terminated'
