// The status document of an instance, with the extension's field names and second precision.
import type { HistoryEvent } from '../events.ts'
import { EventType } from '../events.ts'
import type { Instance } from '../instance.ts'

const NAMES = new Map(Object.entries(EventType).map(([name, number]) => [number, name]))
const seconds = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
/** JSON text → value; text that is no JSON (a reason) is given as a string. Numbers keep every digit. */
export const textValue = (text: string | null | undefined): unknown => {
  if (text === null || text === undefined) return null
  try {
    return JSON.parse(text, exactly as (this: unknown, key: string, value: unknown) => unknown)
  } catch {
    return text
  }
}

function exactly(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined || String(value) === context.source) return value
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context.source)
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
    input: options.showInput ? textValue(i.input) : null,
    customStatus: i.customStatus,
    output: textValue(i.output),
    createdTime: seconds(i.createdAt),
    lastUpdatedTime: seconds(i.updatedAt),
    ...(options.showHistory ? { historyEvents: historyRows(i.history.events, options) } : {}),
  }
}

const MARKERS = new Set<number>([EventType.OrchestratorStarted, EventType.OrchestratorCompleted])
/** Folded into their completions; timers are not. */
const SCHEDULED = new Set<number>([EventType.TaskScheduled, EventType.SubOrchestrationInstanceCreated])
/** Members that the extension takes out of every row, and more of an ExecutionStarted. */
const HIDDEN = ['EventType', 'EventId', 'IsPlayed', 'TaskScheduledId', 'TimerId', 'Version']
const HIDDEN_START = [...HIDDEN, 'OrchestrationInstance', 'ParentInstance', 'Name', 'Tags']

/** Markers are removed, scheduled rows folded into their completions. */
function historyRows(events: readonly HistoryEvent[], options: StatusOptions): Record<string, unknown>[] {
  const scheduled = new Map(events.filter((e) => SCHEDULED.has(e.EventType)).map((e) => [e.EventId, e]))
  const answered = new Set(events.map((e) => e.TaskScheduledId).filter((id) => id !== undefined))
  const shown = events.filter((e) => !MARKERS.has(e.EventType) && !(SCHEDULED.has(e.EventType) && answered.has(e.EventId)))
  return shown.map((event) => row(event, scheduled.get(event.TaskScheduledId ?? -1), options))
}

function row(event: HistoryEvent, start: HistoryEvent | undefined, options: StatusOptions): Record<string, unknown> {
  const hidden = event.EventType === EventType.ExecutionStarted ? HIDDEN_START : HIDDEN
  const members = Object.entries(event).filter(
    ([name]) =>
      !hidden.includes(name) && (name !== 'Result' || options.showHistoryOutput) && (name !== 'Input' || options.showInput),
  )
  const shown: Record<string, unknown> = { EventType: NAMES.get(event.EventType), ...Object.fromEntries(members) }
  if ('Result' in shown) shown['Result'] = textValue(event.Result)
  if (event.EventType === EventType.ExecutionStarted) shown['FunctionName'] = event.Name
  if (!start) return shown
  shown['ScheduledTime'] = start.Timestamp.replace('Z', '+00:00')
  return { ...shown, FunctionName: start.Name, ...(options.showInput ? { Input: null } : {}) }
}
