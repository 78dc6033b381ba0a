// The worker process: ends when its host is gone.
import type { FromWorker, ToWorker } from './protocol.ts'
import { startWorkerCore } from './worker-core.ts'

const send = (message: FromWorker): void => {
  if (process.connected) process.send?.(message)
  // What cannot be loaded ends by itself when the message has left.
  if (message.type === 'loadFailed') process.disconnect()
  if (message.type === 'terminated') process.exit(0)
}

// The host decides when to stop: these only reach the app's own listeners.
process.on('SIGTERM', () => undefined)
process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit(0))
process.on('message', startWorkerCore(process.argv[2] ?? '.', send) as (message: unknown) => void)
process.on('unhandledRejection', (error) => {
  // As the real worker: the process ends, and another one takes its place.
  console.error('Unhandled rejection:', error)
  process.exit(1)
})
export type { ToWorker }
