// The host process: started by the launcher, stopped by it, and drained by itself when the launcher is gone.
import { createLog } from './log.ts'
import { startHost } from './host.ts'

/** What the launcher hands over. */
export interface HostOrder {
  readonly folder: string
  readonly port: number
  readonly host?: string
  readonly graceMs?: number
  readonly seed?: number
}
export type HostMessage =
  | { readonly ready: { readonly url: string; readonly functions: readonly string[]; readonly workerPid: number } }
  | { readonly failed: string }

const order = JSON.parse(process.argv[2] ?? '{}') as HostOrder
const log = createLog(process.env['LHOST_VERBOSE'] === '1')
const tell = (message: HostMessage): void => void (process.connected && process.send?.(message))

try {
  const host = await startHost({ ...order, log })
  let stopping = false
  const stop = async (): Promise<void> => {
    // A second signal ends at once.
    if (stopping) process.exit(1)
    stopping = true
    const cut = await host.stop()
    for (const name of cut) log('warning', `cut off while running: ${name}`)
    process.exit(0)
  }
  process.on('message', () => void stop())
  process.on('disconnect', () => void stop())
  process.on('SIGTERM', () => void stop())
  // Ctrl-C reaches the whole foreground group; the launcher decides the order.
  process.on('SIGINT', () => undefined)
  tell({ ready: { url: host.url, functions: host.functions.names, workerPid: host.workerPid ?? 0 } })
} catch (error) {
  tell({ failed: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}
