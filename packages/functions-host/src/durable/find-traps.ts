// Finds broken rules in what one replay decided. Pure: reporting is elsewhere.
import { type Action, ActionType, type OrchestratorState, type Scheduled } from './actions.ts'
import { EventType } from './events.ts'
import { secretIn } from './secrets.ts'
import type { Instance } from './instance.ts'
import type { Finding, TrapCode } from './trap-rules.ts'
import type { Walk } from './walker.ts'

const LARGE = 1024
const MANY_ACTIONS = 1000
const MANY_EVENTS = 2500

export interface TurnFacts {
  readonly instance: Instance
  readonly state: OrchestratorState
  readonly walked: Omit<Walk, 'nonDeterminism'>
  /** Scheduled by this turn. */
  readonly fresh: readonly Scheduled[]
  readonly limits: { readonly orchestrators: () => readonly string[]; readonly hasActivity: (name: string) => boolean }
}

export function findTraps(facts: TurnFacts): Finding[] {
  const { instance, state, walked, fresh, limits } = facts
  const found: Finding[] = []
  const add = (code: TrapCode, detail: string | undefined | false): void => void (detail && found.push({ code, detail }))
  const known = (s: Scheduled): boolean =>
    s.kind === 'timer' ||
    (s.kind === 'task'
      ? limits.hasActivity(s.name ?? '')
      : limits.orchestrators().some((o) => o.toLowerCase() === s.name?.toLowerCase()))
  const unknown = fresh.find((s) => !known(s))
  add(
    'trap.unknown-function',
    unknown &&
      `The function '${unknown.name}' doesn't exist, is disabled, or is not ${unknown.kind === 'task' ? 'an activity' : 'an orchestrator'} function.`,
  )
  add(
    'trap.retry-in-compound',
    walked.rejectedInCompound[0] && `'${walked.rejectedInCompound[0]}' failed for good inside a compound`,
  )
  add('trap.reused-task', state.reusedTask && 'one task stands in two compounds')
  add('trap.retry-timeout', state.actions[0]?.some(hasRetryTimeout) && 'retryTimeoutInMilliseconds is set')
  add('trap.empty-error', state.threw && !state.error && 'what was thrown has no message')
  const over = state.isDone || state.error !== undefined
  add('trap.open-tasks', over && walked.open.size > 0 && `${walked.open.size} tasks are open at the end`)
  add(
    'trap.event-lost',
    (walked.continueAsNew || over) && walked.unclaimed[0] && `event '${walked.unclaimed[0]}' was never awaited`,
  )
  const events = instance.history.events.length
  const actions = state.actions[0]?.length ?? 0
  add(
    'trap.history-size',
    (actions > MANY_ACTIONS || events > MANY_EVENTS) && `${actions} actions, ${events} events in one execution`,
  )
  add(
    'trap.timestamp-key',
    instance.turns === 1 && instance.input?.includes('"Timestamp":') && 'the input has a property Timestamp',
  )
  return [...found, ...payloadFindings(facts)]
}

function hasRetryTimeout(action: Action): boolean {
  return action.retryOptions?.retryTimeoutInMilliseconds !== undefined || (action.compoundActions ?? []).some(hasRetryTimeout)
}

/** Texts that travel because of this turn: inputs, the newest results, error. */
function payloadFindings({ instance, state, walked, fresh }: TurnFacts): Finding[] {
  const found: Finding[] = []
  const inputs = fresh
    .filter((s) => s.kind !== 'timer')
    .map((s) => [`input of '${s.name}'`, JSON.stringify(s.input) ?? ''] as const)
  const results = newResults(instance).map((text) => ['a result', text] as const)
  const first =
    instance.turns === 1 && instance.input !== null && instance.input !== '""' ? [['the input', instance.input] as const] : []
  const next = walked.continueAsNew ? [['input of continueAsNew', JSON.stringify(walked.continueAsNew.input) ?? ''] as const] : []
  for (const [what, text] of [...first, ...inputs, ...results, ...next]) {
    if (text.startsWith('"')) found.push({ code: 'trap.bare-string', detail: `${what} is a bare string` })
    if (text.length > LARGE) found.push({ code: 'trap.payload-size', detail: `${what} has ${text.length} characters` })
    const secret = secretIn(text)
    if (secret) found.push({ code: 'trap.secret-text', detail: `${what} holds '${secret}'` })
  }
  const secret = state.error && secretIn(state.error)
  if (secret) found.push({ code: 'trap.secret-text', detail: `the error text holds '${secret}'` })
  return found
}

/** Results of activities and children that came with the last batch. */
function newResults({ history: { events } }: Instance): string[] {
  const from = events.findLastIndex((e) => e.EventType === EventType.OrchestratorStarted)
  return events.slice(from).flatMap((e) => (e.Result && (e.TaskScheduledId ?? -1) >= 0 ? [e.Result] : []))
}

/** True when one task's action stands in two places: only visible before it is serialized. */
export function reusesTask(actions: readonly Action[]): boolean {
  const seen = new Set<Action>()
  const repeated = (action: Action): boolean => {
    if (action.actionType !== ActionType.WhenAll && action.actionType !== ActionType.WhenAny)
      return seen.size === seen.add(action).size
    return (action.compoundActions ?? []).some(repeated)
  }
  return actions.some(repeated)
}

/** What an execution costs: replays and megabytes that the real host would carry for it. */
export function executionCost(instance: Instance, maxActivities: number): Record<string, number> {
  const { events } = instance.history
  const count = (...types: number[]): number => events.filter((e) => types.includes(e.EventType)).length
  const completions = count(
    EventType.TaskCompleted,
    EventType.TaskFailed,
    EventType.SubOrchestrationInstanceCompleted,
    EventType.SubOrchestrationInstanceFailed,
  )
  const bytes = instance.history.size
  const replays = Math.ceil(completions / Math.min(32, maxActivities)) + count(EventType.EventRaised, EventType.TimerFired)
  return {
    events: events.length,
    actions: instance.actions.length,
    bytes,
    projected_replays: replays,
    projected_mb: Math.round((replays * bytes) / 2e4) / 100,
  }
}
