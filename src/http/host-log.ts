// Every function but the orchestrator runs inside the log of its invocation, so that warnings and errors reach the host with their level.
import type * as functions from '@azure/functions'
import { runningFunction } from '../platform/log.ts'

export function keepLogLevels(app: typeof functions.app): void {
  app.hook.preInvocation((hook) => {
    const { functionHandler, invocationContext } = hook
    // An orchestrator is replayed, and logs by itself.
    if (invocationContext.options.trigger.type === 'orchestrationTrigger') return
    hook.functionHandler = (...inputs: unknown[]): unknown =>
      runningFunction.run(invocationContext, () => (functionHandler as (...given: unknown[]) => unknown)(...inputs))
  })
}
