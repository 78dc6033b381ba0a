// The worker process: loads the app, runs invocations, ends when its host is gone.
import { injectCoreModule } from './core-module.ts'
import { invoke } from './invoke.ts'
import { loadApp } from './load-app.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

const send = (message: FromWorker): void => void (process.connected && process.send?.(message))
const log = (level: string, category: string, message: string): void => send({ type: 'log', level, category, message })
const state = injectCoreModule(log)

// The host decides when to stop: these only reach the app's own listeners.
process.on('SIGTERM', () => undefined)
process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit(0))
process.on('message', (message: ToWorker) => {
  if (message.type === 'invoke') void invoke(state, message.request, log).then(send)
  else void terminate()
})

async function terminate(): Promise<void> {
  for (const hook of state.hooks.appTerminate) await hook({ hookData: {} })
  process.exit(0)
}

loadApp(process.argv[2] ?? '.', state).then(
  () => send({ type: 'loaded', functions: [...state.functions.values()].map((f) => f.metadata) }),
  (error: Error) => {
    send({ type: 'loadFailed', message: error.message })
    process.disconnect()
  },
)
