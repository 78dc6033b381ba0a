// Compares what was scheduled before with what the current replay schedules; the sentences are the Durable framework's.
import type { Scheduled } from './actions.ts'
import { EventType, type HistoryEvent } from './events.ts'

export interface NonDeterminism {
  readonly message: string
  /** What the replay scheduled instead under the same id, if anything. */
  readonly instead: Scheduled | undefined
}

const CHANGED = 'Was a change made to the orchestrator code after this instance had already started running?'
const KINDS = {
  task: { article: 'an', noun: 'activity task', id: 'ID' },
  child: { article: 'a', noun: 'sub-orchestration', id: 'ID' },
  timer: { article: 'a', noun: 'timer', id: 'number' },
} as const
const SCHEDULED: Partial<Record<number, Scheduled['kind']>> = {
  [EventType.TaskScheduled]: 'task',
  [EventType.SubOrchestrationInstanceCreated]: 'child',
  [EventType.TimerCreated]: 'timer',
}

/** Each scheduled event of the history must meet an action of the same id, kind and name. */
export function findNonDeterminism(
  scheduled: readonly Scheduled[],
  history: readonly HistoryEvent[],
): NonDeterminism | undefined {
  for (const event of history) {
    const kind = SCHEDULED[event.EventType]
    if (!kind) continue
    const now = scheduled[event.EventId]
    if (now?.kind === kind && (now.name ?? '').toLowerCase() === (event.Name ?? '').toLowerCase()) continue
    return { message: `Non-Deterministic workflow detected: ${sentence(kind, event, now)}`, instead: now }
  }
  return undefined
}

function sentence(kind: Scheduled['kind'], event: HistoryEvent, now: Scheduled | undefined): string {
  const { article, noun, id } = KINDS[kind]
  const before = `A previous execution of this orchestration scheduled ${article} ${noun} with sequence`
  if (!now) {
    const name = kind === 'timer' ? '' : ` and name '${event.Name}' (version '${event.Version ?? ''}')`
    return `${before} ${id} ${event.EventId}${name}, but the current replay execution hasn't (yet?) scheduled this task. ${CHANGED}`
  }
  const named = (name: string | undefined): string => (name === undefined ? '' : ` named '${name}'`)
  const instead = `${KINDS[now.kind].article} ${KINDS[now.kind].noun}${named(now.name)}`
  return `${before} number ${event.EventId}${named(event.Name)}, but the current orchestration replay instead scheduled ${instead} with this sequence number.  ${CHANGED}`
}
