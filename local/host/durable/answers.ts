// Answers of user code, as the engine reads them.
import { OUT_OF_PROC_MARK, type OrchestratorState } from './actions.ts'

/** Answer of user code: a value, or what it threw. */
export type CodeAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly stack?: string | undefined }

const MAX_CUSTOM_STATUS = 16 * 1024

/** The state that an orchestrator answered, or that travels in the text of its exception. */
export function stateOf(answer: CodeAnswer): OrchestratorState {
  if (answer.ok) return answer.value as OrchestratorState
  const mark = answer.message.indexOf(OUT_OF_PROC_MARK)
  if (mark < 0) return { isDone: false, actions: [], error: answer.message }
  return JSON.parse(answer.message.slice(mark + OUT_OF_PROC_MARK.length)) as OrchestratorState
}

/** The extension's sentence for a custom status above 16 KB (UTF-16), or undefined. */
export function customStatusProblem(status: unknown): string | undefined {
  const bytes = status === null ? 0 : JSON.stringify(status).length * 2
  if (bytes <= MAX_CUSTOM_STATUS) return undefined
  return `The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload size is ${Math.round(bytes / 1024)} KB.`
}

/** Details of a TaskFailed event: a .NET exception as JSON; apps must not parse it. */
export function failureDetails(answer: { message: string; stack?: string | undefined }): string {
  return JSON.stringify({ ClassName: 'System.Exception', Message: ` ${answer.message}`, StackTraceString: answer.stack ?? null })
}
