// The durable client, wrapped once: ids are validated before they reach a URL, and each surprising answer gets its meaning here.
import { AppError } from '../rules/errors.ts'
import { JobId } from '../models/names.ts'
import { ORCHESTRATOR, type StepInput } from '../models/steps.ts'
import { activeTraceparent } from '../telemetry/spans.ts'

/** States in which an instance will go on by itself. */
const ACTIVE = new Set(['Pending', 'Running', 'Suspended', 'ContinuedAsNew'])

/** The Durable status contract, with the extension's own field names. */
export interface InstanceStatus {
  readonly name: string
  readonly instanceId: string
  readonly runtimeStatus: string
  readonly input: unknown
  readonly customStatus: unknown
  readonly output: unknown
  readonly createdTime: string
  readonly lastUpdatedTime: string
  /** When it was asked for; rows as the extension writes them. */
  readonly historyEvents?: unknown
}

export interface Instances {
  /** Starts the job's orchestrator in the active trace; an instance that is active already counts as success. @throws AppError `DURABLE_UNAVAILABLE` */
  start(input: StepInput): Promise<void>
  /** Undefined when Durable does not know the id (purged, task hub lost). @throws AppError `DURABLE_UNAVAILABLE` */
  find(jobId: string): Promise<InstanceStatus | undefined>
  /** Addresses of the extension, each with the key of the host that opens every instance: for this process and operators alone. */
  managementPayload(jobId: string): ManagementPayload
  /** Ids of suspended instances of the job orchestrator: they never ask by themselves whether their job is still there. */
  suspended(): Promise<string[]>
  terminate(jobId: string, reason: string): Promise<void>
  /** Forgets the history of an ended instance; one that is not there is fine. */
  purge(jobId: string): Promise<void>
  suspend(jobId: string, reason: string): Promise<void>
  resume(jobId: string, reason: string): Promise<void>
}

export const isActive = (status: InstanceStatus): boolean => ACTIVE.has(status.runtimeStatus)

/** `sendEventPostUri`, `terminatePostUri`, `purgeHistoryDeleteUri` and their neighbours, as the extension names them. */
export interface ManagementPayload {
  readonly id: string
  readonly statusQueryGetUri: string
}

/** What is used of the durable client that the binding of an invocation gives. */
export interface DurableClient {
  startNew(orchestrator: string, options: { instanceId: string; input: unknown }): Promise<string>
  getStatus(id: string): Promise<ClientStatus | undefined>
  getStatusBy(filter: { runtimeStatus: never[] }): Promise<ClientStatus[]>
  createHttpManagementPayload(id: string): ManagementPayload
  terminate(id: string, reason: string): Promise<void>
  suspend(id: string, reason: string): Promise<void>
  resume(id: string, reason: string): Promise<void>
  purgeInstanceHistory(id: string): Promise<unknown>
}
interface ClientStatus {
  readonly name: string
  readonly instanceId: string
  readonly runtimeStatus: string
  readonly input?: unknown
  readonly customStatus?: unknown
  readonly output?: unknown
  readonly createdTime: unknown
  readonly lastUpdatedTime: unknown
}

export function instancesOf(client: DurableClient): Instances {
  const id = (jobId: string): string => JobId.parse(jobId)
  return {
    start: (input) => startInstance(client, { jobId: id(input.jobId), attempt: input.attempt, ...activeTrace() }),
    find: (jobId) => findInstance(client, id(jobId)),
    managementPayload: (jobId) => client.createHttpManagementPayload(id(jobId)),
    suspended: () => suspendedInstances(client),
    // The SDK puts reasons into URLs as they are.
    terminate: (jobId, reason) => client.terminate(id(jobId), encodeURIComponent(reason)),
    suspend: (jobId, reason) => client.suspend(id(jobId), encodeURIComponent(reason)),
    resume: (jobId, reason) => client.resume(id(jobId), encodeURIComponent(reason)),
    async purge(jobId) {
      await client.purgeInstanceHistory(id(jobId))
    },
  }
}

const activeTrace = (): { trace?: string } => {
  const trace = activeTraceparent()
  return trace === undefined ? {} : { trace }
}

const unavailable = (what: string, cause: unknown): AppError =>
  new AppError('DURABLE_UNAVAILABLE', `The orchestration client could not ${what}.`, { cause })

async function startInstance(client: DurableClient, input: StepInput): Promise<void> {
  try {
    await client.startNew(ORCHESTRATOR, { instanceId: input.jobId, input })
  } catch (error) {
    // 409, on older extensions 500, both with this sentence: an active instance of the same id is what was wanted.
    if (error instanceof Error && /already exists/.test(error.message)) return
    throw unavailable('start the instance', error)
  }
}

async function findInstance(client: DurableClient, id: string): Promise<InstanceStatus | undefined> {
  try {
    const s = await client.getStatus(id)
    if (!s?.instanceId) return undefined
    return {
      name: s.name,
      instanceId: s.instanceId,
      runtimeStatus: s.runtimeStatus,
      input: s.input ?? null,
      customStatus: s.customStatus ?? null,
      output: s.output ?? null,
      createdTime: seconds(s.createdTime),
      lastUpdatedTime: seconds(s.lastUpdatedTime),
    }
  } catch (error) {
    if (error instanceof Error && /\b404\b|not found|No instance/i.test(error.message)) return undefined
    throw unavailable('be asked for the instance', error)
  }
}

async function suspendedInstances(client: DurableClient): Promise<string[]> {
  try {
    const found = await client.getStatusBy({ runtimeStatus: ['Suspended' as never] })
    return found.filter((s) => s.name === ORCHESTRATOR && JobId.safeParse(s.instanceId).success).map((s) => s.instanceId)
  } catch (error) {
    throw unavailable('list suspended instances', error)
  }
}

/** `yyyy-MM-ddTHH:mm:ssZ`, as the extension writes it. The SDK gives a Date or the text. */
function seconds(time: unknown): string {
  const text = typeof time === 'string' ? time : (time as { toISOString(): string }).toISOString()
  return text.replace(/\.\d+Z$/, 'Z')
}
