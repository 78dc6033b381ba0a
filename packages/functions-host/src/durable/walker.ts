// The action walker: (actions, history) → what is scheduled, what is open, whether all is finished. Pure and synchronous.
// It replays the extension's own orchestration: starts action k, waits until it is finished, ignores its failure, then k + 1.
import { type Action, ActionType, type RetryPolicy, type Scheduled } from './actions.ts'
import { findNonDeterminism, type NonDeterminism } from './determinism.ts'
import { EventType, type HistoryEvent, timeText } from './events.ts'

export interface Walk {
  /** Everything that was ever scheduled, by id from 0. */
  readonly scheduled: readonly Scheduled[]
  /** Ids without an answer yet: while there are any, an execution neither completes nor continues as new. */
  readonly open: ReadonlySet<number>
  /** Timers that were cancelled: nothing fires for them. */
  readonly cancelled: ReadonlySet<number>
  readonly continueAsNew: { readonly input: unknown } | undefined
  /** External events that came after continueAsNew: the next execution gets them. */
  readonly carried: readonly HistoryEvent[]
  /** Names of external events that nobody has waited for. */
  readonly unclaimed: readonly string[]
  /** Names of functions whose call with retry failed for good inside a compound (trap). */
  readonly rejectedInCompound: readonly string[]
  /** What these actions cannot have produced. */
  readonly nonDeterminism: NonDeterminism | undefined
}

const SIX_DAYS = 6 * 86_400_000
const THREE_DAYS = 3 * 86_400_000
type Done = (event?: HistoryEvent) => void

/** Walks the whole history with the current actions. */
export function walk(actions: readonly Action[], history: readonly HistoryEvent[]): Walk {
  const walker = new Walker(actions)
  for (const event of history) walker.see(event)
  return { ...walker.result(), nonDeterminism: findNonDeterminism(walker.scheduled, history) }
}

class Walker {
  readonly scheduled: Scheduled[] = []
  readonly #actions: readonly Action[]
  readonly #open = new Map<number, Done>()
  readonly #cancelled = new Set<number>()
  /** Several waits for one name: the newest gets the next event (a stack). */
  readonly #waits = new Map<string, Done[]>()
  /** Events nobody waited for yet, by name, first in first out. */
  readonly #unclaimed = new Map<string, number>()
  readonly #carried: HistoryEvent[] = []
  readonly #rejected: string[] = []
  #now = 0
  #next = 0
  #continueAsNew: { input: unknown } | undefined
  #held: HistoryEvent[] | undefined

  constructor(actions: readonly Action[]) {
    this.#actions = actions
  }

  result(): Omit<Walk, 'nonDeterminism'> {
    return {
      scheduled: this.scheduled,
      open: new Set(this.#open.keys()),
      cancelled: this.#cancelled,
      continueAsNew: this.#continueAsNew,
      carried: this.#carried,
      unclaimed: [...this.#unclaimed].filter(([, n]) => n > 0).map(([name]) => name),
      rejectedInCompound: this.#rejected,
    }
  }

  /** While suspended, events are held back; on resume they come in order. */
  see(event: HistoryEvent): void {
    if (event.EventType === EventType.ExecutionSuspended) this.#held ??= []
    else if (event.EventType === EventType.ExecutionResumed) {
      const held = this.#held ?? []
      this.#held = undefined
      for (const late of held) this.#apply(late)
    } else if (this.#held && event.EventType !== EventType.OrchestratorStarted) this.#held.push(event)
    else this.#apply(event)
  }

  #apply(event: HistoryEvent): void {
    switch (event.EventType) {
      case EventType.OrchestratorStarted:
        this.#now = Date.parse(event.Timestamp)
        return
      case EventType.ExecutionStarted:
        this.#advance()
        return
      case EventType.TaskCompleted:
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceCompleted:
      case EventType.SubOrchestrationInstanceFailed:
        this.#answer(event.TaskScheduledId, event)
        return
      case EventType.TimerFired:
        this.#answer(event.TimerId, event)
        return
      case EventType.EventRaised:
        if (this.#continueAsNew) this.#carried.push(event)
        else this.#raised(String(event.Name).toLowerCase())
        return
      default:
    }
  }

  #answer(id: number | undefined, event: HistoryEvent): void {
    const done = this.#open.get(id ?? -1)
    if (!done) return
    this.#open.delete(id ?? -1)
    done(event)
  }

  #raised(name: string): void {
    const waiting = this.#waits.get(name)?.pop()
    if (waiting) waiting()
    else this.#unclaimed.set(name, (this.#unclaimed.get(name) ?? 0) + 1)
  }

  /** Starts the next action; goes on with the one after it when it is finished. */
  #advance(): void {
    const action = this.#actions[this.#next++]
    if (action) this.#start(action, () => this.#advance(), false)
  }

  #start(action: Action, done: Done, inCompound: boolean): void {
    switch (action.actionType) {
      case ActionType.CallActivity:
      case ActionType.CallSubOrchestrator:
        this.#call(action, done)
        return
      case ActionType.CallActivityWithRetry:
      case ActionType.CallSubOrchestratorWithRetry:
        this.#attempt({ action, policy: action.retryOptions as RetryPolicy, started: this.#now, done, inCompound }, 1)
        return
      case ActionType.CreateTimer:
        this.#timer(action, done)
        return
      case ActionType.WaitForExternalEvent:
        this.#wait(String(action.externalEventName).toLowerCase(), done)
        return
      case ActionType.ContinueAsNew:
        this.#continueAsNew = { input: action.input }
        return
      default:
        this.#compound(action, done)
    }
  }

  /** WhenAll is finished when all children are, even after one failed; WhenAny when the first is. Children start left to right. */
  #compound(action: Action, done: Done): void {
    const children = action.compoundActions ?? []
    let missing = action.actionType === ActionType.WhenAll ? children.length : 1
    const finished = (): void => void (--missing === 0 && done())
    for (const child of children) this.#start(child, finished, true)
  }

  #schedule(what: Omit<Scheduled, 'id'>, done: Done): number {
    const id = this.scheduled.length
    this.scheduled.push({ id, ...what })
    this.#open.set(id, done)
    return id
  }

  #call(action: Action, done: Done): void {
    const activity = action.actionType === ActionType.CallActivity || action.actionType === ActionType.CallActivityWithRetry
    const { functionName: name = '', input, instanceId, version } = action
    this.#schedule({ kind: activity ? 'task' : 'child', name, input, instanceId, version }, done)
  }

  #attempt(
    retry: { action: Action; policy: RetryPolicy; started: number; done: Done; inCompound: boolean },
    attempt: number,
  ): void {
    const { action, policy, started, done } = retry
    this.#call(action, (event) => {
      if (event?.EventType !== EventType.TaskFailed && event?.EventType !== EventType.SubOrchestrationInstanceFailed) done()
      else if (attempt >= policy.maxNumberOfAttempts) {
        if (retry.inCompound) this.#rejected.push(action.functionName ?? '')
        // One dummy timer follows the last attempt, due at once.
        this.#schedule({ kind: 'timer', fireAt: timeText(this.#now) }, done)
      }
      // Past its retry timeout the extension schedules nothing and the instance stays Running for ever (recorded).
      else if (this.#now - started < (policy.retryTimeoutInMilliseconds ?? Infinity)) {
        this.#schedule({ kind: 'timer', fireAt: timeText(this.#now + retryDelay(policy, attempt)) }, () =>
          this.#attempt(retry, attempt + 1),
        )
      }
    })
  }

  #timer(action: Action, done: Done): void {
    const fireAt = Date.parse(action.fireAt ?? '')
    // Above six days: pieces of three days and a rest, one id each.
    const piece = fireAt - this.#now > SIX_DAYS ? this.#now + THREE_DAYS : fireAt
    const id = this.#schedule(
      { kind: 'timer', fireAt: timeText(piece) },
      piece === fireAt ? done : () => this.#timer(action, done),
    )
    if (!action.isCanceled) return
    this.#open.delete(id)
    this.#cancelled.add(id)
    done()
  }

  #wait(name: string, done: Done): void {
    const buffered = this.#unclaimed.get(name) ?? 0
    if (buffered > 0) {
      this.#unclaimed.set(name, buffered - 1)
      done()
    } else this.#waits.set(name, [...(this.#waits.get(name) ?? []), done])
  }
}

/** first · coefficient^(attempt - 1), at most max (default 6 days). */
function retryDelay(policy: RetryPolicy, attempt: number): number {
  return Math.min(
    policy.firstRetryIntervalInMilliseconds * (policy.backoffCoefficient ?? 1) ** (attempt - 1),
    policy.maxRetryIntervalInMilliseconds ?? SIX_DAYS,
  )
}
