// Recordings of the real Functions host as data: scenarios with their exchanges, replays per instance, and what is compared.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Action } from '../../src/durable/actions.ts'
import type { HistoryEvent } from '../../src/durable/events.ts'
import { fixture } from './fixture.ts'

const FOLDER = fixture('durable')

export interface RecordedExchange {
  readonly t: string
  readonly polled?: boolean
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers?: Record<string, string | number>
    readonly body?: string
  }
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: unknown }
}
export interface Scenario {
  readonly name: string
  readonly exchanges: readonly RecordedExchange[]
  /** Status document with history at the end, by instance. */
  readonly final: Readonly<Record<string, RecordedExchange>>
}

/** One invocation of an orchestrator: what it was called with and what it answered. */
export interface Replay {
  readonly history: readonly HistoryEvent[]
  readonly actions: readonly Action[]
  readonly isReplaying: boolean
}

export const scenarioNames = (): string[] => readdirSync(`${FOLDER}/http`).map((f) => f.replace(/\.json$/, ''))

export function scenario(name: string): Scenario {
  const { exchanges, final } = JSON.parse(readFileSync(`${FOLDER}/http/${name}.json`, 'utf8')) as Partial<Scenario>
  return { name, exchanges: exchanges ?? [], final: final ?? {} }
}

/** Replays of one instance, in order; undefined when none were recorded. */
export function replaysOf(instance: string): Replay[] | undefined {
  const file = `${FOLDER}/replay/${instance.replaceAll(':', '.')}.ndjson`
  if (!existsSync(file)) return undefined
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines
    .map((line) => JSON.parse(line) as RecordedInvocation)
    .filter((r) => r.kind === 'orchestrationTrigger')
    .map(({ payload, response }) => ({
      history: payload.history,
      isReplaying: payload.isReplaying,
      actions: (response?.returnValue ?? response?.exceptionData)?.actions[0] ?? [],
    }))
}

interface RecordedInvocation {
  readonly kind: string
  readonly payload: { history: HistoryEvent[]; isReplaying: boolean }
  readonly response?: { returnValue?: { actions: Action[][] }; exceptionData?: { actions: Action[][] } }
}

/** Longest history of each execution, in order. */
export function executionsOf(replays: readonly Replay[]): HistoryEvent[][] {
  const byId = new Map<string, HistoryEvent[]>()
  for (const { history } of replays) {
    const start = history.find((e) => e.OrchestrationInstance)
    byId.set(start?.OrchestrationInstance?.ExecutionId ?? '', [...history])
  }
  return [...byId.values()]
}

/** A recorded text that was cut: `begin…<n chars>`. */
const CUT = /^([\s\S]*)…<\d+ chars>$/
/** .NET's account of an exception, which nobody should read. */
const DOTNET = / \n (\{"\$type"|\{"ClassName"|Message: )[\s\S]*$/

/** Takes out what differs from run to run: times, generated ids, addresses, stacks. */
export function normalized(value: unknown): unknown {
  if (typeof value === 'string') return text(value)
  if (Array.isArray(value)) return ordered(value.map(normalized))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !['StackTrace', 'Details'].includes(key) && !(key === 'ExceptionMessage' && isJsonError(value)))
      .map(([key, member]) => [key, normalized(member)]),
  )
}

const COMPLETIONS = new Set([
  'TaskCompleted',
  'TaskFailed',
  'SubOrchestrationInstanceCompleted',
  'SubOrchestrationInstanceFailed',
])

/** Neighbouring completions of a history come in any order on the real host too: here in one. */
function ordered(rows: unknown[]): unknown[] {
  const isCompletion = (row: unknown): boolean => isObject(row) && COMPLETIONS.has(String(row['EventType']))
  for (let from = 0; from < rows.length; from++) {
    let to = from
    while (to < rows.length && isCompletion(rows[to])) to++
    if (to > from + 1)
      rows.splice(from, to - from, ...rows.slice(from, to).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)))
    from = Math.max(from, to - 1)
  }
  return rows
}

/** How a JSON error is worded is the parser's affair. */
const isJsonError = (value: object): boolean => 'ExceptionType' in value && String(value.ExceptionType).includes('JsonReader')

function text(value: string): string {
  const cut = CUT.exec(value)?.[1]
  return (cut ?? value)
    .replace(DOTNET, ' <exception>')
    .replace(/,"StackTrace":"[\s\S]*$/, ' <stack>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)/g, '<time>')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<guid>')
    .replaceAll(/\b[0-9a-f]{32}\b/g, '<guid>')
    .replaceAll(/https?:\/\/(127\.0\.0\.1|localhost):\d+/g, '<origin>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<host>')
    .replaceAll(/code=[\w-]+/g, 'code=<key>')
    .replaceAll(/the status (Pending|Running) already/g, 'the status <active> already')
}

/** Equal, or equal as far as the recorded text was kept. */
export function cutEqually(recorded: unknown, mine: unknown): unknown {
  if (typeof recorded === 'string' && typeof mine === 'string') {
    const kept = CUT.exec(recorded)?.[1]
    return kept !== undefined && mine.startsWith(kept) ? recorded : mine
  }
  if (typeof recorded === 'string' && CUT.test(recorded)) return cutEqually(recorded, JSON.stringify(mine))
  if (Array.isArray(recorded) && Array.isArray(mine)) return mine.map((m, i) => cutEqually(recorded[i], m))
  if (isObject(recorded) && isObject(mine))
    return Object.fromEntries(Object.entries(mine).map(([key, member]) => [key, cutEqually(recorded[key], member)]))
  return mine
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Instances of these scenarios that replays were recorded of; children by `<parent>.<child>`. */
export function recordedInstances(scenarios: readonly string[]): string[] {
  const ids = new Set(scenarios.flatMap((name) => Object.keys(scenario(name).final)))
  return readdirSync(`${FOLDER}/replay`)
    .map((file) => file.replace(/\.ndjson$/, ''))
    .filter((name) => ids.has(name.replace(/\..*/, '')))
}
