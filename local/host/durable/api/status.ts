// The status document of an instance, with the extension's field names and second precision.
import type { HistoryEvent } from '../events.ts'
import { EventType } from '../events.ts'
import type { Instance } from '../instance.ts'

const NAMES = new Map(Object.entries(EventType).map(([name, number]) => [number, name]))
const seconds = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
const parse = (text: string | null | undefined): unknown => {
  try {
    return text === null || text === undefined ? null : JSON.parse(text)
  } catch {
    return text
  }
}

export interface StatusOptions {
  readonly showInput: boolean
  readonly showHistory: boolean
  readonly showHistoryOutput: boolean
}

export function statusDocument(i: Instance, options: StatusOptions): Record<string, unknown> {
  return {
    name: i.name,
    instanceId: i.id,
    runtimeStatus: i.status,
    input: options.showInput ? parse(i.input) : null,
    customStatus: i.customStatus,
    output: i.output,
    createdTime: seconds(i.createdAt),
    lastUpdatedTime: seconds(i.updatedAt),
    ...(options.showHistory ? { historyEvents: historyRows(i.history.events, options.showHistoryOutput) } : {}),
  }
}

/** Markers are removed, scheduled rows folded into their completions, EventId and IsPlayed dropped. */
function historyRows(events: readonly HistoryEvent[], showOutput: boolean): Record<string, unknown>[] {
  const scheduled = new Map(events.filter((e) => e.EventType === EventType.TaskScheduled).map((e) => [e.EventId, e]))
  const answered = new Set(events.map((e) => e.TaskScheduledId).filter((id) => id !== undefined))
  const rows: Record<string, unknown>[] = []
  for (const event of events) {
    const {
      EventType: type,
      EventId,
      IsPlayed: _p,
      TaskScheduledId,
      TimerId: _t,
      OrchestrationInstance: _o,
      ParentInstance: _i,
      Name,
      Version: _v,
      Tags: _g,
      ...rest
    } = event
    if (type === EventType.OrchestratorStarted || type === EventType.OrchestratorCompleted) continue
    if (type === EventType.TaskScheduled && answered.has(EventId)) continue
    const row: Record<string, unknown> = { EventType: NAMES.get(type), ...rest }
    if ('Result' in row) {
      if (showOutput) row['Result'] = parse(event.Result)
      else delete row['Result']
    }
    const start = TaskScheduledId === undefined ? undefined : scheduled.get(TaskScheduledId)
    if (start)
      Object.assign(row, { ScheduledTime: start.Timestamp.replace('Z', '+00:00'), FunctionName: start.Name, Input: null })
    if (type === EventType.ExecutionStarted) row['FunctionName'] = Name
    else if (Name !== undefined) row['Name'] = Name
    rows.push(row)
  }
  return rows
}
