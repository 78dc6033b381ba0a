// The Durable engine: instances in memory, one turn at a time each, replayed per batch of messages as on the real host.
// No journal, on purpose: what must survive is in the app's database, and the app starts its instances again.
import { randomUUID } from 'node:crypto'
import { failureDetails, failureReason, stateOf } from './answers.ts'
import * as e from './events.ts'
import { type EngineOptions, EngineRefusal, type Instance, isTerminal, newInstance, type RuntimeStatus } from './instance.ts'
import { Instances } from './instances.ts'
import { orchestrationPayload } from './payload.ts'
import { Queue } from './queue.ts'
import type { TrapCode } from './trap-rules.ts'
import { type Decision, decide, failed, type Outcome, unknownOrchestrator } from './turn.ts'
import { isVersionTaken } from './versions.ts'
import type { Scheduled } from './actions.ts'

const guid = (): string => randomUUID().replaceAll('-', '')

export class Engine {
  readonly instances = new Instances()
  readonly #o: EngineOptions
  readonly #activities: Queue
  readonly #orchestrators: Queue
  readonly #refused = new WeakSet<Instance>()
  #stopped = false

  constructor(options: EngineOptions) {
    this.#o = options
    this.#activities = new Queue(options.maxActivities)
    this.#orchestrators = new Queue(options.maxOrchestrators)
  }

  /** @throws EngineRefusal `active` when an instance of this id is pending, running or suspended; a terminal one is replaced */
  start(name: string, id: string, input: string | null, version?: string): Instance {
    const old = this.instances.get(id)
    if (old && !isTerminal(old.status))
      throw new EngineRefusal('active', `An Orchestration instance with the status ${old.status} already exists.`, old.status)
    if (old) this.trap('trap.id-reuse', name, id, `the ended instance (${old.status}) is replaced`)
    return this.#begin({
      name,
      instanceId: id,
      executionId: randomUUID(),
      input,
      version: version ?? this.#o.versioning.own,
      generation: (old?.generation ?? -1) + 1,
    })
  }

  raise(id: string, name: string, input: string): void {
    this.#deliver(this.live(id), e.eventRaised(this.#now(), name, input))
  }

  terminate(id: string, reason: string | null): void {
    this.#deliver(this.live(id), e.executionTerminated(this.#now(), reason))
  }

  /** @throws EngineRefusal `state` when it is suspended already */
  suspend(id: string, reason: string | null): void {
    const instance = this.live(id)
    if (instance.status === 'Suspended') throw this.#wrongState('suspend', instance)
    this.#deliver(instance, e.executionSuspended(this.#now(), reason))
  }

  /** @throws EngineRefusal `state` when it is not suspended */
  resume(id: string, reason: string | null): void {
    const instance = this.live(id)
    if (instance.status !== 'Suspended') throw this.#wrongState('resume', instance)
    this.#deliver(instance, e.executionResumed(this.#now(), reason))
  }

  /** Resolves when the instance has ended. */
  ended(instance: Instance): Promise<void> {
    return isTerminal(instance.status) ? Promise.resolve() : new Promise((resolve) => instance.waiting.push(resolve))
  }

  /** Removes an instance and disarms what it still waits for; false when it was not there. */
  purge(id: string): boolean {
    const instance = this.instances.get(id)
    if (!instance) return false
    if (!isTerminal(instance.status)) this.trap('trap.purge-live', instance.name, id, `purged while ${instance.status}`)
    this.#disarm(instance)
    return this.instances.delete(id)
  }

  /** Nothing new is dispatched; timers are disarmed. */
  stop(): void {
    this.#stopped = true
    for (const instance of this.instances.all()) this.#disarm(instance)
  }

  #wrongState(verb: string, { id, status }: Instance): EngineRefusal {
    return new EngineRefusal(
      'state',
      `Cannot ${verb} the orchestration instance ${id} because instance is in the ${status} state.`,
      status,
    )
  }

  /** @throws EngineRefusal `unknown` or `terminal` */
  live(id: string): Instance {
    const instance = this.instances.get(id)
    if (!instance) throw new EngineRefusal('unknown', `No instance with ID '${id}' was found.`)
    if (isTerminal(instance.status)) throw new EngineRefusal('terminal', `The instance is ${instance.status}.`, instance.status)
    return instance
  }

  /** Reports a broken rule; true: what broke it must fail. */
  trap(code: TrapCode, fn: string, id: string, detail: string): boolean {
    return this.#o.onTrap?.(code, fn, id, detail) ?? false
  }

  #begin(start: e.Start): Instance {
    const instance = newInstance(start, this.#o.now())
    const old = this.instances.put(instance)
    // A child may take the id of an instance that still runs: that one is replaced (recorded).
    if (old) this.#disarm(old)
    this.#deliver(instance, e.executionStarted(this.#now(), start))
    return instance
  }

  #deliver(instance: Instance, event: e.HistoryEvent): void {
    instance.pending.push(event)
    this.#wake(instance)
  }

  #wake(instance: Instance): void {
    if (instance.busy || instance.pending.length === 0 || this.#stopped) return
    if (!isVersionTaken(this.#o.versioning, instance.version)) return this.#refuse(instance)
    instance.busy = true
    void this.#orchestrators.run(async () => {
      await this.#turn(instance).catch((error: Error) => this.#end(instance, failed(instance.name, error.message)))
      instance.busy = false
      if (!isTerminal(instance.status)) this.#wake(instance)
    })
  }

  /** Nothing of it is run: its messages wait, or it fails. Not recorded: how the real host words the failure. */
  #refuse(instance: Instance): void {
    const { own, match, failure } = this.#o.versioning
    if (failure === 'Fail') {
      const text = `The orchestration has the version '${instance.version}', and this host runs '${own}' (${match}).`
      return this.#end(instance, failed(instance.name, text))
    }
    if (this.#refused.has(instance)) return
    this.#refused.add(instance)
    this.#o.onOtherVersion?.(instance)
  }

  /** One episode: marker, new messages, user code, decisions, marker; continueAsNew goes on in the same episode, as recorded. */
  async #turn(instance: Instance): Promise<void> {
    const wanted = this.#o.batchSize?.(instance.pending.length) ?? this.#o.maxBatch
    const batch = instance.pending.splice(0, Math.max(1, Math.min(wanted, this.#o.maxBatch)))
    instance.history.beginEpisode()
    instance.history.add(e.orchestratorStarted(this.#now()))
    for (const event of batch) instance.history.add(event)
    const terminated = batch.find((event) => event.EventType === e.EventType.ExecutionTerminated)
    if (!this.#o.orchestrators().some((known) => known.toLowerCase() === instance.name.toLowerCase()))
      return this.#end(instance, unknownOrchestrator(instance.name, this.#o.orchestrators()))
    if (instance.status === 'Pending') this.#set(instance, 'Running')
    for (;;) {
      const { executionId } = instance
      const answer = await this.#o.runOrchestrator(instance.name, instance.id, orchestrationPayload(instance))
      // Replaced by a new start, or purged, while user code ran: its decisions are void.
      if (!this.instances.isCurrent(instance) || instance.executionId !== executionId || this.#stopped) return
      instance.history.markPlayed()
      instance.turns++
      const state = stateOf(answer)
      instance.actions = state.actions[0] ?? []
      if (terminated) return this.#end(instance, { status: 'Terminated', output: terminated.Input ?? null })
      this.#followSuspension(instance, batch)
      const decision = decide(instance, state, this.#o)
      const broken = decision.findings.filter((f) => this.trap(f.code, instance.name, instance.id, f.detail))
      const outcome = broken[0] ? failed(instance.name, `${broken[0].code}: ${broken[0].detail}`) : decision.outcome
      // Each replay sets it anew; one that fails its instance is not kept.
      instance.customStatus = outcome?.output?.includes('The UTF-16 size') ? null : (state.customStatus ?? instance.carriedStatus)
      this.#record(instance, decision)
      if (outcome) return this.#end(instance, outcome)
      if (!decision.continueAsNew) return
      this.#continueAsNew(instance, decision.continueAsNew)
    }
  }

  /** The suspend reason stands as output until the instance ends (recorded). */
  #followSuspension(instance: Instance, batch: readonly e.HistoryEvent[]): void {
    for (const { EventType: type, Reason } of batch) {
      if (type === e.EventType.ExecutionSuspended) instance.output = Reason ?? null
      if (type === e.EventType.ExecutionSuspended) this.#set(instance, 'Suspended')
      if (type === e.EventType.ExecutionResumed) this.#set(instance, 'Running')
    }
  }

  #record(instance: Instance, { scheduled, open, cancelled, outcome, findings }: Decision): void {
    const stuck = findings.some((f) => f.code === 'trap.unknown-function')
    const children = new Map<number, string>()
    for (const s of stuck ? [] : scheduled) {
      const childId = s.instanceId ?? `${instance.executionId}:${s.id}`
      children.set(s.id, childId)
      instance.history.add(this.#scheduledEvent(s, childId))
    }
    instance.scheduled += scheduled.length
    if (outcome) return
    instance.history.add(e.orchestratorCompleted(this.#now()))
    instance.updatedAt = this.#o.now()
    for (const id of cancelled) this.#disarm(instance, id)
    // What names an unknown function leaves the real instance Running for ever, with none of it started.
    for (const s of stuck ? [] : scheduled) if (open.has(s.id)) this.#dispatch(instance, s, children.get(s.id) ?? '')
  }

  #scheduledEvent(s: Scheduled, instanceId: string): e.HistoryEvent {
    const name = s.name ?? ''
    if (s.kind === 'task') return e.taskScheduled(this.#now(), s.id, name)
    if (s.kind === 'timer') return e.timerCreated(this.#now(), s.id, s.fireAt ?? '')
    return e.childCreated(this.#now(), s.id, name, s.version ?? this.#o.versioning.own, instanceId)
  }

  #dispatch(instance: Instance, what: Scheduled, childId: string): void {
    const { executionId, id, name } = instance
    if (what.kind === 'timer') return this.#arm(instance, what)
    const input = what.input === undefined || what.input === null ? null : JSON.stringify(what.input)
    if (what.kind === 'task') {
      void this.#activities.run(() => this.#runActivity(instance, what.name ?? '', what.id, input))
      return
    }
    const parent = { name, instanceId: id, executionId, taskId: what.id }
    const version = what.version ?? this.#o.versioning.own
    this.#begin({ name: what.name ?? '', instanceId: childId, executionId: guid(), input, version, parent, generation: null })
  }

  #arm(instance: Instance, { id, fireAt = '' }: Scheduled): void {
    const created = this.#now()
    const disarm = this.#o.setTimer(Date.parse(fireAt), () => {
      instance.timers.delete(id)
      this.#deliver(instance, e.timerFired(created, id, fireAt))
    })
    instance.timers.set(id, disarm)
  }

  async #runActivity(instance: Instance, name: string, id: number, input: string | null): Promise<void> {
    const { executionId } = instance
    const current = (): boolean =>
      instance.executionId === executionId && !isTerminal(instance.status) && this.instances.isCurrent(instance)
    if (!current() || this.#stopped) return
    const answer = await this.#o.runActivity(name, instance.id, input)
    if (!current() || this.#stopped) return
    const result = answer.ok && answer.value !== undefined && answer.value !== null ? JSON.stringify(answer.value) : null
    this.#deliver(
      instance,
      answer.ok
        ? e.taskCompleted(this.#now(), id, result)
        : e.taskFailed(this.#now(), id, failureReason(name, answer), failureDetails(answer)),
    )
  }

  /** A new execution: history and createdTime start again, customStatus stays, late messages are carried over. */
  #continueAsNew(instance: Instance, { input, carried }: NonNullable<Decision['continueAsNew']>): void {
    this.#o.onExecutionEnd?.(instance)
    this.#disarm(instance)
    const { id, name, version, parent } = instance
    instance.executionId = guid()
    instance.input = input === undefined ? null : JSON.stringify(input)
    instance.history = new e.History()
    instance.scheduled = 0
    instance.turns = 0
    instance.carriedStatus = instance.customStatus
    instance.createdAt = this.#o.now()
    const start = { instanceId: id, executionId: instance.executionId, name, version, input: instance.input, parent }
    instance.history.add(e.orchestratorStarted(this.#now()))
    instance.history.add(e.executionStarted(this.#now(), { ...start, generation: null }))
    for (const event of carried) instance.history.add({ ...event, IsPlayed: false })
    instance.history.add(e.orchestratorCompleted(this.#now()))
  }

  #end(instance: Instance, outcome: Outcome): void {
    if (isTerminal(instance.status)) return
    const { status, output } = outcome
    instance.history.add(e.executionCompleted(this.#now(), status, output))
    instance.history.add(e.orchestratorCompleted(this.#now()))
    this.#o.onExecutionEnd?.(instance)
    this.#disarm(instance)
    instance.output = output
    instance.pending = []
    this.#set(instance, status)
    this.instances.ended(instance)
    for (const resolve of instance.waiting.splice(0)) resolve()
    this.#tellParent(instance)
  }

  #tellParent({ parent, status, output }: Instance): void {
    const waiting = parent && this.instances.get(parent.instanceId)
    if (!waiting || waiting.executionId !== parent.executionId || isTerminal(waiting.status)) return
    const event =
      status === 'Completed'
        ? e.childCompleted(this.#now(), parent.taskId, output)
        : e.childFailed(this.#now(), parent.taskId, status === 'Failed' ? String(JSON.parse(output ?? '""')) : (output ?? ''))
    this.#deliver(waiting, event)
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

  #now(): string {
    return e.timeText(this.#o.now())
  }
}
