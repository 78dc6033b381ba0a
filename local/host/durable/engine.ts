// The Durable engine: instances in memory, one turn at a time each, replayed per batch of messages as on the real host.
// No journal, on purpose: what must survive is in the app's database, and the app starts its instances again.
import { randomUUID } from 'node:crypto'
import { type OrchestratorState, refusedAction } from './actions.ts'
import { customStatusProblem, failureDetails, stateOf } from './answers.ts'
import * as e from './events.ts'
import { type EngineOptions, EngineRefusal, type Instance, isTerminal, type RuntimeStatus } from './instance.ts'
import { Queue } from './queue.ts'
import { type Scheduled, walk } from './walker.ts'

const KEPT_TERMINAL = 10_000
/** Ended instances whose history can still be looked at; of older ones only the status row stays. */
const KEPT_HISTORIES = 100

export class Engine {
  readonly #o: EngineOptions
  readonly #instances = new Map<string, Instance>()
  readonly #activities: Queue
  readonly #orchestrators: Queue
  readonly #ended: Instance[] = []
  #stopped = false

  constructor(options: EngineOptions) {
    this.#o = options
    this.#activities = new Queue(options.maxActivities)
    this.#orchestrators = new Queue(options.maxOrchestrators)
  }

  get(id: string): Instance | undefined {
    return this.#instances.get(id)
  }

  list(): Instance[] {
    return [...this.#instances.values()]
  }

  /** @throws EngineRefusal `active` when an instance of this id is pending, running or suspended; a terminal one is replaced */
  start(name: string, id: string, input: string | null, version?: string): Instance {
    const old = this.#instances.get(id)
    if (old && !isTerminal(old.status))
      throw new EngineRefusal('active', `An Orchestration instance with the status ${old.status} already exists.`, old.status)
    this.#instances.delete(id)
    const now = this.#o.now()
    const instance: Instance = {
      id,
      name,
      executionId: randomUUID(),
      status: 'Pending',
      input,
      customStatus: null,
      output: null,
      createdAt: now,
      updatedAt: now,
      history: new e.History(),
      actions: [],
      pending: [],
      held: [],
      busy: false,
      scheduled: 0,
      timers: new Map(),
    }
    this.#instances.set(id, instance)
    this.#forgetOld()
    instance.pending.push(this.#started(instance, version ?? this.#o.defaultVersion))
    this.#wake(instance)
    return instance
  }

  raise(id: string, name: string, input: string): void {
    this.#deliver(this.#live(id), e.eventRaised(this.#iso(), name, input))
  }

  terminate(id: string, reason: string): void {
    const instance = this.#live(id)
    // Cuts through: what is pending or held is dropped.
    instance.history.add(e.executionTerminated(this.#iso(), reason))
    this.#end(instance, 'Terminated', reason)
  }

  suspend(id: string, reason: string): void {
    const instance = this.#live(id)
    if (instance.status === 'Suspended') throw new EngineRefusal('state', 'The instance is suspended.', instance.status)
    instance.history.add(e.executionSuspended(this.#iso(), reason))
    this.#set(instance, 'Suspended')
    instance.output = reason
  }

  resume(id: string, reason: string): void {
    const instance = this.#live(id)
    if (instance.status !== 'Suspended') throw new EngineRefusal('state', 'The instance is not suspended.', instance.status)
    instance.history.add(e.executionResumed(this.#iso(), reason))
    this.#set(instance, 'Running')
    instance.output = null
    instance.pending.push(...instance.held.splice(0))
    this.#wake(instance)
  }

  /** True when it was there. @throws EngineRefusal `state` while it is not terminal */
  purge(id: string): boolean {
    const instance = this.#instances.get(id)
    if (!instance) return false
    if (!isTerminal(instance.status)) {
      throw new EngineRefusal(
        'state',
        `Only orchestrations in a terminal state can be purged, but instance '${id}' is in the ${instance.status} state.`,
        instance.status,
      )
    }
    return this.#instances.delete(id)
  }

  /** Nothing new is dispatched; timers are disarmed. */
  stop(): void {
    this.#stopped = true
    for (const instance of this.#instances.values()) this.#disarm(instance)
  }

  #live(id: string): Instance {
    const instance = this.#instances.get(id)
    if (!instance) throw new EngineRefusal('unknown', `No instance with ID '${id}' was found.`)
    if (isTerminal(instance.status)) throw new EngineRefusal('terminal', `The instance is ${instance.status}.`, instance.status)
    return instance
  }

  #started(instance: Instance, version: string | null): e.HistoryEvent {
    return e.executionStarted(this.#iso(), {
      instanceId: instance.id,
      executionId: instance.executionId,
      name: instance.name,
      version,
      input: instance.input,
    })
  }

  #deliver(instance: Instance, event: e.HistoryEvent): void {
    if (instance.status === 'Suspended') instance.held.push(event)
    else {
      instance.pending.push(event)
      this.#wake(instance)
    }
  }

  #wake(instance: Instance): void {
    if (instance.busy || instance.pending.length === 0 || this.#stopped) return
    instance.busy = true
    void this.#orchestrators.run(async () => {
      await this.#turn(instance).catch((error: Error) => this.#end(instance, 'Failed', error.message))
      instance.busy = false
      if (!isTerminal(instance.status)) this.#wake(instance)
    })
  }

  async #turn(instance: Instance): Promise<void> {
    const { executionId } = instance
    const wanted = this.#o.batchSize?.(instance.pending.length) ?? this.#o.maxBatch
    const batch = instance.pending.splice(0, Math.max(1, Math.min(wanted, this.#o.maxBatch)))
    const first = instance.history.events.length === 0
    instance.history.add(e.orchestratorStarted(this.#iso()))
    for (const event of batch) instance.history.add(event)
    if (instance.status === 'Pending') this.#set(instance, 'Running')
    if (!this.#o.hasOrchestrator(instance.name)) {
      this.#end(
        instance,
        'Failed',
        `Orchestrator function '${instance.name}' failed: The function '${instance.name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: No orchestrator functions are currently registered under this name!`,
      )
      return
    }
    const answer = await this.#o.runOrchestrator(instance.name, this.#payload(instance, !first))
    // Terminated, or replaced by a new start, while user code ran: its decisions are void.
    if (isTerminal(instance.status) || instance.executionId !== executionId) return
    instance.history.markPlayed()
    this.#decide(instance, stateOf(answer))
  }

  #decide(instance: Instance, state: OrchestratorState): void {
    const actions = state.actions[0] ?? []
    instance.actions = actions
    if (state.customStatus !== undefined && state.customStatus !== null) instance.customStatus = state.customStatus
    const fail = (text: string): void => this.#end(instance, 'Failed', `Orchestrator function '${instance.name}' failed: ${text}`)
    const refused = refusedAction(actions)
    if (refused) return fail(`${refused} is not supported by the local host`)
    const tooLarge = customStatusProblem(instance.customStatus)
    if (tooLarge) return fail(tooLarge)
    const { scheduled, open, cancelled, continueAsNew, nonDeterminism } = walk(actions, instance.history.events)
    if (nonDeterminism) return this.#end(instance, 'Failed', nonDeterminism)
    const unknown = scheduled.find((s) => s.kind === 'task' && !this.#o.hasActivity(s.name ?? ''))
    // The real instance would stay Running for ever; here it ends by name.
    if (unknown) return fail(`The function '${unknown.name}' doesn't exist, is disabled, or is not an activity function.`)
    const fresh = scheduled.slice(instance.scheduled)
    instance.scheduled = scheduled.length
    for (const s of fresh) {
      instance.history.add(
        s.kind === 'task' ? e.taskScheduled(this.#iso(), s.id, s.name ?? '') : e.timerCreated(this.#iso(), s.id, s.fireAt ?? ''),
      )
    }
    instance.history.add(e.orchestratorCompleted(this.#iso()))
    instance.updatedAt = this.#o.now()
    for (const id of cancelled) this.#disarm(instance, id)
    if (open.size === 0 && continueAsNew) this.#restart(instance, continueAsNew.input)
    else if (open.size === 0 && state.error !== undefined) fail(state.error)
    else if (open.size === 0 && state.isDone && !continueAsNew) this.#end(instance, 'Completed', state.output ?? null)
    else for (const s of fresh) if (open.has(s.id)) this.#dispatch(instance, s)
  }

  #dispatch(instance: Instance, what: Scheduled): void {
    const { executionId } = instance
    const current = (): boolean =>
      instance.executionId === executionId && !isTerminal(instance.status) && this.#instances.get(instance.id) === instance
    if (what.kind === 'timer') {
      const created = this.#iso()
      const disarm = this.#o.setTimer(Date.parse(what.fireAt ?? ''), () => {
        instance.timers.delete(what.id)
        if (current()) this.#deliver(instance, e.timerFired(created, what.id, what.fireAt ?? ''))
      })
      instance.timers.set(what.id, disarm)
      return
    }
    void this.#activities.run(async () => {
      if (!current() || this.#stopped) return
      const name = what.name ?? ''
      const answer = await this.#o.runActivity(name, instance.id, what.input)
      if (!current()) return
      this.#deliver(
        instance,
        answer.ok
          ? e.taskCompleted(
              this.#iso(),
              what.id,
              answer.value === undefined || answer.value === null ? null : JSON.stringify(answer.value),
            )
          : e.taskFailed(this.#iso(), what.id, `Activity function '${name}' failed:  ${answer.message}`, failureDetails(answer)),
      )
    })
  }

  /** continueAsNew: a new execution; history and createdTime start again, customStatus stays, late messages are carried over. */
  #restart(instance: Instance, input: unknown): void {
    this.#o.onExecutionEnd?.(instance)
    const late = instance.pending.filter((event) => event.EventType === e.EventType.EventRaised)
    this.#disarm(instance)
    instance.executionId = randomUUID().replaceAll('-', '')
    instance.input = input === undefined ? null : JSON.stringify(input)
    instance.history = new e.History()
    instance.scheduled = 0
    instance.createdAt = this.#o.now()
    instance.pending = [this.#started(instance, this.#o.defaultVersion), ...late]
  }

  #end(instance: Instance, status: RuntimeStatus, output: unknown): void {
    this.#disarm(instance)
    instance.history.add(e.executionCompleted(this.#iso(), status, output === null ? null : JSON.stringify(output)))
    this.#o.onExecutionEnd?.(instance)
    this.#ended.push(instance)
    if (this.#ended.length > KEPT_HISTORIES) this.#forgetHistory(this.#ended.shift())
    instance.output = output
    instance.pending = []
    instance.held = []
    this.#set(instance, status)
  }

  #set(instance: Instance, status: RuntimeStatus): void {
    instance.status = status
    instance.updatedAt = this.#o.now()
  }

  #disarm(instance: Instance, id?: number): void {
    for (const [timer, disarm] of instance.timers) {
      if (id !== undefined && timer !== id) continue
      disarm()
      instance.timers.delete(timer)
    }
  }

  #payload(instance: Instance, isReplaying: boolean): string {
    // The history is joined from texts; the rest is small.
    const rest = JSON.stringify({
      input: instance.input === null ? null : JSON.parse(instance.input),
      instanceId: instance.id,
      isReplaying,
      parentInstanceId: null,
      upperSchemaVersion: 1,
      upperSchemaVersionNew: 3,
      longRunningTimerIntervalDuration: '3.00:00:00',
      maximumShortTimerDuration: '6.00:00:00',
      defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
    })
    return `{"history":${instance.history.json()},${rest.slice(1)}`
  }

  #forgetHistory(instance: Instance | undefined): void {
    if (!instance) return
    instance.history = new e.History()
    instance.actions = []
  }

  /** The newest 10,000 terminal rows stay. */
  #forgetOld(): void {
    if (this.#instances.size <= KEPT_TERMINAL) return
    for (const [id, instance] of this.#instances) {
      if (!isTerminal(instance.status)) continue
      this.#instances.delete(id)
      return
    }
  }

  #iso(): string {
    return new Date(this.#o.now()).toISOString()
  }
}
