// What one replay of user code decides for its instance: pure, from state and history to events to write and what happens next.
import { type OrchestratorState, refusedAction, type Scheduled } from './actions.ts'
import { customStatusProblem } from './answers.ts'
import type { HistoryEvent } from './events.ts'
import type { Instance } from './instance.ts'
import { findTraps } from './find-traps.ts'
import type { Finding } from './trap-rules.ts'
import { walk } from './walker.ts'

export interface Outcome {
  readonly status: 'Completed' | 'Failed' | 'Terminated'
  /** JSON text; the plain reason of a termination. */
  readonly output: string | null
}

export interface Decision {
  /** To write into the history, in order. */
  readonly scheduled: readonly Scheduled[]
  /** Of these, what has to be started now. */
  readonly open: ReadonlySet<number>
  readonly cancelled: ReadonlySet<number>
  readonly outcome?: Outcome
  readonly continueAsNew?: { readonly input: unknown; readonly carried: readonly HistoryEvent[] }
  readonly findings: readonly Finding[]
}

const NOTHING = { scheduled: [], open: new Set<number>(), cancelled: new Set<number>() }

export interface TurnLimits {
  readonly maxActions: number
  readonly orchestrators: () => readonly string[]
  readonly hasActivity: (name: string) => boolean
}

/** Reads what user code answered and walks it over the history. */
export function decide(instance: Instance, state: OrchestratorState, limits: TurnLimits): Decision {
  const actions = state.actions[0] ?? []
  const fail = (text: string): Decision => ({ ...NOTHING, findings: [], outcome: failed(instance.name, text) })
  const refused = refusedAction(actions)
  if (refused) return fail(`${refused} is not supported by the local host`)
  if (actions.length > limits.maxActions) return fail(tooManyActions(limits.maxActions))
  const tooLarge = customStatusProblem(state.customStatus)
  if (tooLarge) return fail(tooLarge)
  const walked = walk(actions, instance.history.events)
  const { open, cancelled, carried, continueAsNew, nonDeterminism } = walked
  if (nonDeterminism) {
    const { instead, message } = nonDeterminism
    const output = { status: 'Failed' as const, output: JSON.stringify(message) }
    const findings = [{ code: 'trap.nondeterminism' as const, detail: message }]
    return { ...NOTHING, scheduled: instead ? [instead] : [], outcome: output, findings }
  }
  const fresh = walked.scheduled.slice(instance.scheduled)
  const ancestors = [instance.id, instance.parent?.instanceId]
  const own = fresh.find((s) => s.instanceId !== undefined && ancestors.includes(s.instanceId))
  if (own) return fail(`The child '${own.name}' has the ID of the orchestration itself or of its parent: '${own.instanceId}'.`)
  const findings = findTraps({ instance, state, walked, fresh, limits })
  const done = open.size === 0
  const step = { scheduled: fresh, open, cancelled, findings }
  if (done && continueAsNew) return { ...step, continueAsNew: { input: continueAsNew.input, carried } }
  if (done && state.error !== undefined) return { ...step, outcome: failed(instance.name, state.error) }
  if (done && state.isDone && !continueAsNew) {
    const output = state.output === undefined ? null : JSON.stringify(state.output)
    return { ...step, outcome: { status: 'Completed', output } }
  }
  return step
}

export const failed = (name: string, text: string): Outcome => ({
  status: 'Failed',
  output: JSON.stringify(`Orchestrator function '${name}' failed: ${text}`),
})

const tooManyActions = (limit: number): string =>
  `Maximum amount of orchestration actions (${limit.toLocaleString('en-US')}) has been reached. This value can be configured in host.json file as MaxOrchestrationActions.`

/** The sentence for a start of something that is not a loaded orchestrator. */
export function unknownOrchestrator(name: string, known: readonly string[]): Outcome {
  const list =
    known.length === 0
      ? 'No orchestrator functions are currently registered!'
      : `The following are the known orchestrator functions: ${known.map((k) => `'${k}'`).join(', ')}.`
  return failed(
    name,
    `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: ${list}`,
  )
}
