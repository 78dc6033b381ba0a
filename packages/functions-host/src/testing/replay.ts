// An app's orchestrator through the real SDK, one replay at a time.
import { createRequire } from 'node:module'

interface SdkOrchestrator {
  listen(): (trigger: unknown, context: object) => Promise<unknown>
}
// The SDK has no public way to run an orchestrator without a host; its class is what the registration wraps.
const { Orchestrator } = createRequire(import.meta.url)('durable-functions/lib/src/orchestrations/Orchestrator.js') as {
  Orchestrator: new (fn: unknown) => SdkOrchestrator
}

/**
 * One replay through the SDK that the app has: payload → state.
 * @param handler what was given to `df.app.orchestration`
 * @param log takes what the orchestrator logs, at every replay
 */
export function replay(handler: unknown, log: (line: string) => void = () => undefined): (payload: string) => Promise<unknown> {
  return async (payload) => {
    const state = await new Orchestrator(handler).listen()(JSON.parse(payload), { log, df: undefined })
    // As it travels from the worker: times are texts.
    return JSON.parse(JSON.stringify(state)) as unknown
  }
}
