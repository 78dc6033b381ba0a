// What a worker does, wherever it runs: loads the app, runs invocations, calls the hooks.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { injectCoreModule } from './core-module.ts'
import { invoke } from './invoke.ts'
import { loadApp } from './load-app.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

const SAMPLE_MS = 1000
const BLOCKED_MS = 1000

/** Loads the app and tells; answers with the receiver of the host's messages. */
export function startWorkerCore(folder: string, send: (message: FromWorker) => void): (message: ToWorker) => void {
  const log = (level: string, category: string, message: string, invocationId?: string): void =>
    send({ type: 'log', level, category, message, ...(invocationId ? { invocationId } : {}) })
  const state = injectCoreModule(log)
  loadApp(folder, state).then(
    ({ httpUri }) =>
      send({ type: 'loaded', functions: [...state.functions.values()].map((f) => f.metadata), ...(httpUri ? { httpUri } : {}) }),
    (error: Error) => send({ type: 'loadFailed', message: error.message }),
  )
  watchLoop(send)
  return (message) => {
    if (message.type === 'invoke') void invoke(state, message.request, log).then(send)
    else void terminate()
  }

  async function terminate(): Promise<void> {
    for (const hook of state.hooks.appTerminate) await hook({ hookData: {} })
    send({ type: 'terminated' })
  }
}

/** Tells when the event loop stood still for more than a second. */
function watchLoop(send: (message: FromWorker) => void): void {
  const delay = monitorEventLoopDelay({ resolution: 100 })
  delay.enable()
  setInterval(() => {
    const ms = Math.round(delay.max / 1e6)
    if (ms > BLOCKED_MS) send({ type: 'blocked', ms })
    delay.reset()
  }, SAMPLE_MS).unref()
}
