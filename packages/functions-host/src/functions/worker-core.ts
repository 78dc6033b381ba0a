// What a worker does, wherever it runs: loads the app, runs invocations, calls the hooks.
import { injectCoreModule } from './core-module.ts'
import { invoke } from './invoke.ts'
import { loadApp } from './load-app.ts'
import type { FromWorker, InvocationRequest, Running, ToWorker } from './protocol.ts'

const SAMPLE_MS = 250
const BLOCKED_MS = 1000

/** Loads the app and tells; answers with the receiver of the host's messages. */
export function startWorkerCore(folder: string, send: (message: FromWorker) => void): (message: ToWorker) => void {
  const log = (level: string, category: string, message: string, invocationId?: string): void => {
    const line = { level, category, message, hookData: {} }
    // Hooks may rewrite a line before it leaves.
    for (const hook of state.hooks.log) hook(line)
    send({ type: 'log', level: line.level, category, message: line.message, ...(invocationId ? { invocationId } : {}) })
  }
  const state = injectCoreModule(log)
  loadApp(folder, state, (message) => log('warning', 'system', message)).then(
    ({ httpUri }) =>
      send({ type: 'loaded', functions: [...state.functions.values()].map((f) => f.metadata), ...(httpUri ? { httpUri } : {}) }),
    (error: Error) => send({ type: 'loadFailed', message: error.message }),
  )
  const started = watchLoop(send)
  return (message) => {
    if (message.type === 'invoke') void invoke(state, message.request, log).then(send).then(started(message.request))
    else void terminate()
  }

  async function terminate(): Promise<void> {
    for (const hook of state.hooks.appTerminate) await hook({ hookData: {} })
    send({ type: 'terminated' })
  }
}

/** Tells when the event loop stood still for more than a second, and what ran meanwhile; answers with the marker of a start. */
function watchLoop(send: (message: FromWorker) => void): (request: InvocationRequest) => () => void {
  let last = performance.now()
  const running = new Map<string, Running>()
  const ended = new Set<string>()
  setInterval(() => {
    const ms = Math.round(performance.now() - last)
    last = performance.now()
    if (ms > BLOCKED_MS) send({ type: 'blocked', ms, running: [...running.values()] })
    for (const id of ended) running.delete(id)
    ended.clear()
  }, SAMPLE_MS).unref()
  return ({ invocationId, functionId, triggerMetadata }) => {
    running.set(invocationId, { functionId, instanceId: triggerMetadata['instanceId']?.string ?? '' })
    return () => void ended.add(invocationId)
  }
}
