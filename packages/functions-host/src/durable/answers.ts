// Answers of user code, as the engine reads them.
import { hideSecrets } from './secrets.ts'
import { OUT_OF_PROC_MARK, type OrchestratorState } from './actions.ts'

/** Answer of user code: a value, or what it threw. */
export type CodeAnswer =
  | { readonly ok: true; readonly value: unknown; readonly reusedTask?: boolean }
  | { readonly ok: false; readonly message: string; readonly stack?: string | undefined; readonly workerDied?: boolean }

const MAX_CUSTOM_STATUS = 16 * 1024

/** The state that an orchestrator answered, or that travels in the text of its exception. */
export function stateOf(answer: CodeAnswer): OrchestratorState {
  if (answer.ok) return { ...(answer.value as OrchestratorState), ...(answer.reusedTask ? { reusedTask: true } : {}) }
  const message = hideSecrets(answer.message)
  const mark = message.indexOf(OUT_OF_PROC_MARK)
  if (mark < 0) return { isDone: false, threw: true, actions: [], error: message }
  try {
    return { ...(JSON.parse(message.slice(mark + OUT_OF_PROC_MARK.length)) as OrchestratorState), threw: true }
  } catch {
    // What the host rewrote is no JSON any more: the state is lost, and the error with it (recorded).
    return { isDone: false, threw: true, actions: [], error: message.slice(0, mark) }
  }
}

/** The extension's sentence for a custom status above 16 KB (UTF-16), or undefined. */
export function customStatusProblem(status: unknown): string | undefined {
  const bytes = status === null || status === undefined ? 0 : JSON.stringify(status).length * 2
  if (bytes <= MAX_CUSTOM_STATUS) return undefined
  return `The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload size is ${Math.floor(bytes / 1024)} KB.`
}

/** Two spaces before what user code threw, one before what happened to its worker (recorded). */
export const failureReason = (name: string, { message, workerDied }: { message: string; workerDied?: boolean }): string =>
  `Activity function '${name}' failed:${workerDied ? ' ' : '  '}${message}`

/** Details of a TaskFailed event: a .NET exception as JSON; apps must not parse it. */
export function failureDetails(answer: { message: string; stack?: string | undefined }): string {
  return JSON.stringify({ ClassName: 'System.Exception', Message: ` ${answer.message}`, StackTraceString: answer.stack ?? null })
}
