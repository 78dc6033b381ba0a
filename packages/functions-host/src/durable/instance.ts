// What an instance is, what the engine needs from outside, and how it refuses.
import type { Action } from './actions.ts'
import type { CodeAnswer } from './answers.ts'
import { History, type HistoryEvent, type Parent, type Start } from './events.ts'
import type { Versioning } from './versions.ts'
import type { TrapCode } from './trap-rules.ts'

export type RuntimeStatus = 'Pending' | 'Running' | 'Suspended' | 'Completed' | 'Failed' | 'Terminated'

/** The outside of the engine: user code, clock, randomness, limits. */
export interface EngineOptions {
  readonly runOrchestrator: (name: string, instanceId: string, payload: string) => Promise<CodeAnswer>
  /** `input` is JSON text, or null. */
  readonly runActivity: (name: string, instanceId: string, input: string | null) => Promise<CodeAnswer>
  readonly orchestrators: () => readonly string[]
  readonly hasActivity: (name: string) => boolean
  readonly now: () => number
  readonly setTimer: (at: number, fire: () => void) => () => void
  readonly maxActivities: number
  readonly maxOrchestrators: number
  /** More actions than this fail an orchestration. */
  readonly maxActions: number
  /** Messages of one batch: at most this many, or what `batchSize` draws. */
  readonly maxBatch: number
  readonly batchSize?: (available: number) => number
  readonly versioning: Versioning
  /** Told once of an instance that waits, because it is of a version that this host does not run. */
  readonly onOtherVersion?: (instance: Instance) => void
  /** A rule for app code was broken; true: fail this orchestration for it. */
  readonly onTrap?: (code: TrapCode, fn: string, instanceId: string, detail: string) => boolean
  /** Called before history is dropped: at continueAsNew and at the end. */
  readonly onExecutionEnd?: (instance: Instance) => void
}

export interface Instance {
  readonly id: string
  readonly name: string
  readonly version: string | null
  readonly parent: Parent | undefined
  executionId: string
  status: RuntimeStatus
  /** JSON text, or null. */
  input: string | null
  customStatus: unknown
  /** Of the execution before continueAsNew. */
  carriedStatus: unknown
  /** How often this id was started by a client before; children have none. */
  readonly generation: number | null
  /** JSON text or, of reasons, plain text. */
  output: string | null
  createdAt: number
  updatedAt: number
  history: History
  /** Actions of the last replay. */
  actions: readonly Action[]
  pending: HistoryEvent[]
  busy: boolean
  /** Turns of this execution so far. */
  turns: number
  /** Ids handed out by the walker so far. */
  scheduled: number
  timers: Map<number, () => void>
  /** Called once when it has ended. */
  waiting: (() => void)[]
}

export function newInstance(
  { instanceId: id, name, version, parent, executionId, input, generation }: Start,
  now: number,
): Instance {
  const fresh = {
    history: new History(),
    actions: [],
    pending: [],
    busy: false,
    turns: 0,
    scheduled: 0,
    timers: new Map(),
    waiting: [],
  }
  const identity = { id, name, version, parent, executionId, input, generation, createdAt: now, updatedAt: now }
  return { ...identity, status: 'Pending', customStatus: null, carriedStatus: null, output: null, ...fresh }
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
