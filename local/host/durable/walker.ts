// The action walker: (actions, history) → what is scheduled, what is open, whether all is finished. Pure and synchronous.
// It replays the extension's own orchestration: starts action k, waits until it is finished, ignores its failure, then k + 1.
import { type Action, ActionType, type RetryPolicy } from './actions.ts'
import { EventType, type HistoryEvent } from './events.ts'

export interface Scheduled {
  readonly id: number
  readonly kind: 'task' | 'timer'
  readonly name?: string
  readonly input?: unknown
  readonly fireAt?: string
}

export interface Walk {
  /** Everything that was ever scheduled, by id from 0. */
  readonly scheduled: readonly Scheduled[]
  /** Ids without an answer yet: while there are any, an execution neither completes nor continues as new. */
  readonly open: ReadonlySet<number>
  /** Timers that were cancelled: nothing fires for them. */
  readonly cancelled: ReadonlySet<number>
  readonly continueAsNew: { readonly input: unknown } | undefined
  /** The sentence of a history that these actions cannot have produced. */
  readonly nonDeterminism: string | undefined
}

const SIX_DAYS = 6 * 86_400_000
const THREE_DAYS = 3 * 86_400_000

/** Walks the whole history with the current actions. */
export function walk(actions: readonly Action[], history: readonly HistoryEvent[]): Walk {
  const walker = new Walker(actions)
  for (const event of history) walker.see(event)
  return { ...walker.result(), nonDeterminism: compare(walker.scheduled, history) }
}

class Walker {
  readonly scheduled: Scheduled[] = []
  readonly #actions: readonly Action[]
  readonly #open = new Map<number, (event: HistoryEvent) => void>()
  readonly #cancelled = new Set<number>()
  /** Several waits for one name: the newest gets the next event (a stack). */
  readonly #waits = new Map<string, (() => void)[]>()
  /** Events nobody waited for yet, by name, first in first out. */
  readonly #unclaimed = new Map<string, number>()
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
        this.#answer(event.TaskScheduledId, event)
        return
      case EventType.TimerFired:
        this.#answer(event.TimerId, event)
        return
      case EventType.EventRaised:
        this.#raised(String(event.Name).toLowerCase())
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
    if (action) this.#start(action, () => this.#advance())
  }

  #start(action: Action, done: () => void): void {
    switch (action.actionType) {
      case ActionType.CallActivity:
        this.#schedule({ kind: 'task', name: action.functionName ?? '', input: action.input }, done)
        return
      case ActionType.CallActivityWithRetry:
        this.#attempt(action, action.retryOptions as RetryPolicy, 1, this.#now, done)
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
  #compound(action: Action, done: () => void): void {
    const children = action.compoundActions ?? []
    let missing = action.actionType === ActionType.WhenAll ? children.length : 1
    for (const child of children) {
      this.#start(child, () => {
        if (--missing === 0) done()
      })
    }
  }

  #schedule(what: Omit<Scheduled, 'id'>, done: (event: HistoryEvent) => void): number {
    const id = this.scheduled.length
    this.scheduled.push({ id, ...what })
    this.#open.set(id, done)
    return id
  }

  #attempt(action: Action, policy: RetryPolicy, attempt: number, started: number, done: () => void): void {
    this.#schedule({ kind: 'task', name: action.functionName ?? '', input: action.input }, (event) => {
      if (event.EventType === EventType.TaskCompleted) done()
      // One dummy timer follows the last attempt, due at once.
      else if (attempt >= policy.maxNumberOfAttempts) this.#schedule({ kind: 'timer', fireAt: iso(this.#now) }, done)
      // Past its retry timeout the extension schedules nothing and the instance stays Running for ever (recorded).
      else if (this.#now - started < (policy.retryTimeoutInMilliseconds ?? Infinity)) {
        this.#schedule({ kind: 'timer', fireAt: iso(this.#now + retryDelay(policy, attempt)) }, () =>
          this.#attempt(action, policy, attempt + 1, started, done),
        )
      }
    })
  }

  #timer(action: Action, done: () => void): void {
    const fireAt = Date.parse(action.fireAt ?? '')
    // Above six days: pieces of three days and a rest, one id each.
    const piece = fireAt - this.#now > SIX_DAYS ? this.#now + THREE_DAYS : fireAt
    const id = this.#schedule({ kind: 'timer', fireAt: iso(piece) }, piece === fireAt ? done : () => this.#timer(action, done))
    if (!action.isCanceled) return
    this.#open.delete(id)
    this.#cancelled.add(id)
    done()
  }

  #wait(name: string, done: () => void): void {
    const buffered = this.#unclaimed.get(name) ?? 0
    if (buffered > 0) {
      this.#unclaimed.set(name, buffered - 1)
      done()
    } else this.#waits.set(name, [...(this.#waits.get(name) ?? []), done])
  }
}

const iso = (at: number): string => new Date(at).toISOString()

/** first · coefficient^(attempt - 1), at most max (default 6 days). */
function retryDelay(policy: RetryPolicy, attempt: number): number {
  return Math.min(
    policy.firstRetryIntervalInMilliseconds * (policy.backoffCoefficient ?? 1) ** (attempt - 1),
    policy.maxRetryIntervalInMilliseconds ?? SIX_DAYS,
  )
}

/** Each scheduled event of the history must meet an action of the same id, kind and name. */
function compare(scheduled: readonly Scheduled[], history: readonly HistoryEvent[]): string | undefined {
  for (const event of history) {
    if (event.EventType !== EventType.TaskScheduled && event.EventType !== EventType.TimerCreated) continue
    const now = scheduled[event.EventId]
    const before = event.EventType === EventType.TimerCreated ? 'timer' : `task ${event.Name}`
    const found = now === undefined ? 'nothing' : now.kind === 'timer' ? 'timer' : `task ${now.name}`
    if (before.toLowerCase() !== found.toLowerCase())
      return `Non-Deterministic workflow detected: id ${event.EventId} was ${before} and is now ${found}.`
  }
  return undefined
}
