// History events of the Durable extension: numbers, members and their order, as recorded from the real host. The codec of §history.

export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
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
  Version?: string | null
  Input?: string | null
  Result?: string | null
  Reason?: string | null
  Details?: string
  TaskScheduledId?: number
  TimerId?: number
  FireAt?: string
  OrchestrationStatus?: string
  InstanceId?: string
  OrchestrationInstance?: { InstanceId: string; ExecutionId: string }
  [member: string]: unknown
}

const T = EventType
/** Events that stay unplayed for ever; all others are played once they were handed to user code. */
const NEVER_PLAYED = new Set<EventTypeNumber>([
  T.OrchestratorStarted,
  T.OrchestratorCompleted,
  T.TaskScheduled,
  T.TimerCreated,
  T.SubOrchestrationInstanceCreated,
])

/** A time as the extension writes it: zeros at the end of the fraction are cut. */
export const timeText = (at: number): string =>
  new Date(at).toISOString().replace(/\.?0*Z$/, (end) => (end.startsWith('.') ? 'Z' : end.replace(/0+Z$/, 'Z')))

const tail = (EventId: number, Timestamp: string): { EventId: number; IsPlayed: false; Timestamp: string } => ({
  EventId,
  IsPlayed: false,
  Timestamp,
})

export const orchestratorStarted = (at: string): HistoryEvent => ({ EventType: T.OrchestratorStarted, ...tail(-1, at) })
export const orchestratorCompleted = (at: string): HistoryEvent => ({ EventType: T.OrchestratorCompleted, ...tail(-1, at) })

/** The orchestration that waits for a child. */
export interface Parent {
  readonly name: string
  readonly instanceId: string
  readonly executionId: string
  readonly taskId: number
}

export interface Start {
  readonly instanceId: string
  readonly executionId: string
  readonly name: string
  readonly version: string | null
  readonly input: string | null
  readonly parent?: Parent | undefined
  /** How often a client started this id before; children and continued executions have none. */
  readonly generation: number | null
}

export function executionStarted(at: string, start: Start): HistoryEvent {
  const { parent } = start
  return {
    OrchestrationInstance: { InstanceId: start.instanceId, ExecutionId: start.executionId },
    EventType: T.ExecutionStarted,
    ParentInstance: parent
      ? {
          Name: parent.name,
          OrchestrationInstance: { InstanceId: parent.instanceId, ExecutionId: parent.executionId },
          TaskScheduleId: parent.taskId,
          Version: null,
        }
      : null,
    Name: start.name,
    Version: start.version,
    Input: start.input,
    Tags: null,
    Correlation: null,
    ParentTraceContext: null,
    ScheduledStartTime: null,
    Generation: start.generation,
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
export const executionTerminated = (at: string, reason: string | null): HistoryEvent => ({
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
export const childCreated = (
  at: string,
  id: number,
  child: { name: string; version: string | null; instanceId: string },
): HistoryEvent => ({
  EventType: T.SubOrchestrationInstanceCreated,
  Name: child.name,
  Version: child.version,
  InstanceId: child.instanceId,
  Input: null,
  ClientSpanId: null,
  Tags: null,
  ...tail(id, at),
})
export const childCompleted = (at: string, id: number, result: string | null): HistoryEvent => ({
  EventType: T.SubOrchestrationInstanceCompleted,
  TaskScheduledId: id,
  Result: result,
  ...tail(-1, at),
})
export const childFailed = (at: string, id: number, reason: string): HistoryEvent => ({
  EventType: T.SubOrchestrationInstanceFailed,
  TaskScheduledId: id,
  Reason: reason,
  Details: `Message: ${reason}`,
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
  ParentTraceContext: null,
  ...tail(-1, at),
})
export const executionSuspended = (at: string, reason: string | null): HistoryEvent => ({
  EventType: T.ExecutionSuspended,
  Reason: reason,
  ...tail(-1, at),
})
export const executionResumed = (at: string, reason: string | null): HistoryEvent => ({
  EventType: T.ExecutionResumed,
  Reason: reason,
  ...tail(-1, at),
})

/** A history that serializes each event once more after it was played, and never again. */
export class History {
  readonly events: HistoryEvent[] = []
  #texts: string[] = []
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

  /** The id of an activity that was scheduled twice, or undefined. */
  doubledTask(): number | undefined {
    const ids = this.events.filter((e) => e.EventType === T.TaskScheduled).map((e) => e.EventId)
    return ids.find((id, i) => ids.indexOf(id) !== i)
  }

  /** Characters of its texts. */
  get size(): number {
    return this.#texts.reduce((sum, text) => sum + text.length, 0)
  }

  /** No replay comes any more. */
  forgetTexts(): void {
    this.#texts = []
  }

  json(): string {
    return `[${this.#texts.join(',')}]`
  }
}
