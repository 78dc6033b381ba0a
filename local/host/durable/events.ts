// History events of the Durable extension: numbers, members and their order, as recorded from the real host. The codec of §history.

export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventRaised: 15,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const
export type EventTypeNumber = (typeof EventType)[keyof typeof EventType]

/** One event on the wire. Result and Input are JSON texts. */
export interface HistoryEvent {
  EventType: EventTypeNumber
  EventId: number
  IsPlayed: boolean
  Timestamp: string
  Name?: string
  Input?: string | null
  Result?: string | null
  Reason?: string
  Details?: string
  TaskScheduledId?: number
  TimerId?: number
  FireAt?: string
  OrchestrationStatus?: string
  OrchestrationInstance?: { InstanceId: string; ExecutionId: string }
  [member: string]: unknown
}

const T = EventType
/** Events that stay unplayed for ever; all others are played once they were handed to user code. */
const NEVER_PLAYED = new Set<EventTypeNumber>([T.OrchestratorStarted, T.OrchestratorCompleted, T.TaskScheduled, T.TimerCreated])

const tail = (EventId: number, Timestamp: string): { EventId: number; IsPlayed: false; Timestamp: string } => ({
  EventId,
  IsPlayed: false,
  Timestamp,
})

export const orchestratorStarted = (at: string): HistoryEvent => ({ EventType: T.OrchestratorStarted, ...tail(-1, at) })
export const orchestratorCompleted = (at: string): HistoryEvent => ({ EventType: T.OrchestratorCompleted, ...tail(-1, at) })

export function executionStarted(
  at: string,
  start: { instanceId: string; executionId: string; name: string; version: string | null; input: string | null },
): HistoryEvent {
  return {
    OrchestrationInstance: { InstanceId: start.instanceId, ExecutionId: start.executionId },
    EventType: T.ExecutionStarted,
    ParentInstance: null,
    Name: start.name,
    Version: start.version,
    Input: start.input,
    Tags: null,
    Correlation: null,
    ParentTraceContext: null,
    ScheduledStartTime: null,
    Generation: 0,
    GenerateNewTrace: false,
    ...tail(-1, at),
  }
}

export const executionCompleted = (at: string, status: string, result: string | null): HistoryEvent => ({
  EventType: T.ExecutionCompleted,
  OrchestrationStatus: status,
  Result: result,
  FailureDetails: null,
  ...tail(-1, at),
})
export const executionTerminated = (at: string, reason: string): HistoryEvent => ({
  EventType: T.ExecutionTerminated,
  Input: reason,
  ...tail(-1, at),
})
export const taskScheduled = (at: string, id: number, name: string): HistoryEvent => ({
  EventType: T.TaskScheduled,
  Name: name,
  Version: '',
  Input: null,
  ParentTraceContext: null,
  Tags: null,
  ...tail(id, at),
})
export const taskCompleted = (at: string, id: number, result: string | null): HistoryEvent => ({
  EventType: T.TaskCompleted,
  TaskScheduledId: id,
  Result: result,
  ...tail(-1, at),
})
export const taskFailed = (at: string, id: number, reason: string, details: string): HistoryEvent => ({
  EventType: T.TaskFailed,
  TaskScheduledId: id,
  Reason: reason,
  Details: details,
  FailureDetails: null,
  ...tail(-1, at),
})
export const timerCreated = (at: string, id: number, fireAt: string): HistoryEvent => ({
  EventType: T.TimerCreated,
  FireAt: fireAt,
  ...tail(id, at),
})
/** Its Timestamp is the timer's creation; the time that code sees is the next OrchestratorStarted. */
export const timerFired = (createdAt: string, id: number, fireAt: string): HistoryEvent => ({
  EventType: T.TimerFired,
  TimerId: id,
  FireAt: fireAt,
  ...tail(-1, createdAt),
})
export const eventRaised = (at: string, name: string, input: string): HistoryEvent => ({
  EventType: T.EventRaised,
  Name: name,
  Input: input,
  ...tail(-1, at),
})
export const executionSuspended = (at: string, reason: string): HistoryEvent => ({
  EventType: T.ExecutionSuspended,
  Reason: reason,
  ...tail(-1, at),
})
export const executionResumed = (at: string, reason: string): HistoryEvent => ({
  EventType: T.ExecutionResumed,
  Reason: reason,
  ...tail(-1, at),
})

/** A history that serializes each event once more after it was played, and never again. */
export class History {
  readonly events: HistoryEvent[] = []
  readonly #texts: string[] = []
  #played = 0

  add(event: HistoryEvent): void {
    this.events.push(event)
    this.#texts.push(JSON.stringify(event))
  }

  /** Everything so far was handed to user code. */
  markPlayed(): void {
    for (; this.#played < this.events.length; this.#played++) {
      const event = this.events[this.#played] as HistoryEvent
      if (NEVER_PLAYED.has(event.EventType)) continue
      event.IsPlayed = true
      this.#texts[this.#played] = JSON.stringify(event)
    }
  }

  json(): string {
    return `[${this.#texts.join(',')}]`
  }
}
