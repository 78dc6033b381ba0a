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
/** A time as the extension writes it: zeros at the end of the fraction are cut. */
export const timeText = (at: number): string =>
  new Date(at).toISOString().replace(/\.?0*Z$/, (end) => (end.startsWith('.') ? 'Z' : end.replace(/0+Z$/, 'Z')))

type Members = Record<string, unknown>

/** Member order as recorded; EventId is -1 except for what was scheduled. */
const event = (EventType: EventTypeNumber, Timestamp: string, members: Members = {}, EventId = -1): HistoryEvent => ({
  EventType,
  ...members,
  EventId,
  IsPlayed: false,
  Timestamp,
})

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
  const instance = (of: { instanceId: string; executionId: string }) => ({
    InstanceId: of.instanceId,
    ExecutionId: of.executionId,
  })
  const { parent, name: Name, version: Version, input: Input, generation: Generation } = start
  const ParentInstance = parent
    ? { Name: parent.name, OrchestrationInstance: instance(parent), TaskScheduleId: parent.taskId, Version: null }
    : null
  const none = { Tags: null, Correlation: null, ParentTraceContext: null, ScheduledStartTime: null }
  const members = { ParentInstance, Name, Version, Input, ...none, Generation, GenerateNewTrace: false }
  return { OrchestrationInstance: instance(start), ...event(T.ExecutionStarted, at, members) }
}

type Text = string | null
const NO_INPUT = { Input: null, ParentTraceContext: null, Tags: null }

export const orchestratorStarted = (at: string) => event(T.OrchestratorStarted, at)
export const orchestratorCompleted = (at: string) => event(T.OrchestratorCompleted, at)
export const executionCompleted = (at: string, OrchestrationStatus: string, Result: Text) =>
  event(T.ExecutionCompleted, at, { OrchestrationStatus, Result, FailureDetails: null })
export const executionTerminated = (at: string, Input: Text) => event(T.ExecutionTerminated, at, { Input })
export const executionSuspended = (at: string, Reason: Text) => event(T.ExecutionSuspended, at, { Reason })
export const executionResumed = (at: string, Reason: Text) => event(T.ExecutionResumed, at, { Reason })
export const taskScheduled = (at: string, id: number, Name: string) =>
  event(T.TaskScheduled, at, { Name, Version: '', ...NO_INPUT }, id)
export const taskCompleted = (at: string, TaskScheduledId: number, Result: Text) =>
  event(T.TaskCompleted, at, { TaskScheduledId, Result })
export const taskFailed = (at: string, TaskScheduledId: number, Reason: string, Details: string) =>
  event(T.TaskFailed, at, { TaskScheduledId, Reason, Details, FailureDetails: null })
export const timerCreated = (at: string, id: number, FireAt: string) => event(T.TimerCreated, at, { FireAt }, id)
/** Its Timestamp is the timer's creation; the time that code sees is the next OrchestratorStarted. */
export const timerFired = (createdAt: string, TimerId: number, FireAt: string) =>
  event(T.TimerFired, createdAt, { TimerId, FireAt })
export const childCreated = (at: string, id: number, Name: string, Version: Text, InstanceId: string) =>
  event(T.SubOrchestrationInstanceCreated, at, { Name, Version, InstanceId, Input: null, ClientSpanId: null, Tags: null }, id)
export const childCompleted = (at: string, TaskScheduledId: number, Result: Text) =>
  event(T.SubOrchestrationInstanceCompleted, at, { TaskScheduledId, Result })
export const childFailed = (at: string, TaskScheduledId: number, Reason: string) =>
  event(T.SubOrchestrationInstanceFailed, at, {
    TaskScheduledId,
    Reason,
    // The inner exception: without what the outer one says before it (recorded).
    Details: `Message: ${Reason.replace(/^Orchestrator function '[^']*' failed: /, '')}`,
    FailureDetails: null,
  })
export const eventRaised = (at: string, Name: string, Input: string) =>
  event(T.EventRaised, at, { Name, Input, ParentTraceContext: null })

/** A history that serializes each event once more after it was played, and never again. */
export class History {
  readonly events: HistoryEvent[] = []
  #texts: string[] = []
  #fresh = 0

  /** What is added from here on is handed to user code in this episode. */
  beginEpisode(): void {
    this.#fresh = this.events.length
  }

  add(event: HistoryEvent): void {
    this.events.push(event)
    this.#texts.push(JSON.stringify(event))
  }

  /**
   * What this episode handed to user code was played, except its marker (DurableTask.Core, TaskOrchestrationExecutor). What user code adds
   * stays unplayed for ever: the next episode reads it from storage. So the OrchestratorCompleted that opens a continued generation is played.
   */
  markPlayed(): void {
    for (; this.#fresh < this.events.length; this.#fresh++) {
      const event = this.events[this.#fresh] as HistoryEvent
      if (event.EventType === T.OrchestratorStarted) continue
      event.IsPlayed = true
      this.#texts[this.#fresh] = JSON.stringify(event)
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
