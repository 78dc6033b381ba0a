// Rules that app code must obey on the real host too, found in what one replay decided. Pure: reporting is elsewhere.
import { type Action, ActionType, type OrchestratorState } from './actions.ts'
import { EventType } from './events.ts'
import { secretIn } from './secrets.ts'
import type { Instance } from './instance.ts'
import type { Scheduled, Walk } from './walker.ts'

/** Code → whether `--traps error` fails the orchestration for it, and the rule's sentence. */
export const TRAPS = {
  'trap.reused-task': [true, 'A task that was yielded once must not go into a second Task.any or Task.all: ids drift'],
  'trap.retry-in-compound': [
    true,
    'A call with retry must not fail inside Task.all or Task.any: later ids shift; yield it alone',
  ],
  'trap.retry-timeout': [true, 'Do not set retryTimeoutInMilliseconds: when it passes, the instance stays Running for ever'],
  'trap.bare-string': [true, 'Inputs and outputs are objects, never bare strings: strings are rewritten on the way'],
  'trap.secret-text': [
    true,
    'Do not let secrets travel: the host rewrites such text, and a failing orchestrator loses its error',
  ],
  'trap.nondeterminism': [true, 'Orchestrators take time, ids and waits from context.df only: each replay takes the same way'],
  'trap.empty-error': [true, 'Throw Errors with a message: without one the instance stays Running for ever'],
  'trap.unknown-function': [true, 'Register the function under this name: the real instance stays Running for ever'],
  'trap.open-tasks': [false, 'Cancel timers that lost a race and await every call: the instance ends only after all of them'],
  'trap.payload-size': [false, 'Keep payloads below 1 KB and pass references: the whole history travels at every replay'],
  'trap.history-size': [false, 'Call continueAsNew before an execution has 500 activities: every replay carries all of them'],
  'trap.timestamp-key': [false, 'Do not name a property Timestamp in an input: the SDK turns it into a Date'],
  'trap.event-lost': [false, 'Await external events before the execution ends: what nobody awaited is lost'],
  'trap.replay-log': [false, 'Guard logs by context.df.isReplaying: they repeat at every replay'],
  'trap.id': [
    false,
    'Instance IDs match [A-Za-z0-9_:-]{1,100} and are checked before every client call: URLs take them as they are',
  ],
  'trap.id-reuse': [false, 'A start under the ID of an ended instance replaces it silently: let the database decide'],
  'trap.list-all': [false, 'getStatusAll and getStatusBy load every page: lists come from the database'],
  'trap.purge-live': [false, 'Purge with terminal statuses and a window of creation time: otherwise running instances go too'],
  'trap.blocked-loop': [false, 'CPU work goes to worker threads: a blocked event loop stops every function of the process'],
  'trap.http-throw': [false, 'With streaming always return a response: the real host answers 500 only after 240 s'],
  'worker.death-loop': [false, 'An activity that kills its worker is repeated for ever: count its claims'],
} as const satisfies Record<string, readonly [boolean, string]>
export type TrapCode = keyof typeof TRAPS

export interface Finding {
  readonly code: TrapCode
  readonly detail: string
}

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
