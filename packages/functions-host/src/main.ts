// The host process: started by the launcher, stopped by it, and drained by itself when the launcher is gone.
import { createLog, type LogFormat } from './log.ts'
import { type HostOptions, startHost } from './host.ts'
import { drainOnSignals } from './signals.ts'

/** What the launcher hands over. */
export type HostOrder = Omit<HostOptions, 'log' | 'env' | 'output' | 'onReplay' | 'onWorker'>
export type HostMessage =
  | { readonly ready: { readonly url: string; readonly functions: readonly string[] } }
  | { readonly worker: number }
  | { readonly failed: string }

const order = JSON.parse(process.argv[2] ?? '{}') as HostOrder
const format = (process.env['LHOST_LOG_FORMAT'] as LogFormat | undefined) ?? 'func'
const log = createLog(process.env['LHOST_VERBOSE'] === '1', undefined, format)
const tell = (message: HostMessage): void => void (process.connected && process.send?.(message))

try {
  const host = await startHost({ ...order, log, onWorker: (pid) => tell({ worker: pid ?? 0 }) })
  const stop = drainOnSignals(host, log, ['SIGTERM'])
  process.on('message', stop)
  process.on('disconnect', stop)
  // Ctrl-C reaches the whole foreground group; the launcher decides the order.
  process.on('SIGINT', () => undefined)
  tell({ ready: { url: host.url, functions: host.functions.names } })
} catch (error) {
  tell({ failed: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}
