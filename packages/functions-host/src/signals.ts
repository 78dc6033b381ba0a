// One drain for all ways to be told to stop; a second signal ends at once.
import type { Host } from './host.ts'
import type { Log } from './log.ts'

/** Exit 0 after the drain, 1 at a second call; what was cut off is named. */
export function drainOnSignals(host: Host, log: Log, signals: readonly NodeJS.Signals[]): () => void {
  let stopping = false
  const stop = async (): Promise<void> => {
    if (stopping) process.exit(1)
    stopping = true
    for (const { functionId, instanceId } of await host.stop())
      log('warning', `cut off while running: ${functionId}${instanceId ? ` (${instanceId})` : ''}`)
    process.exit(0)
  }
  for (const signal of signals) process.on(signal, () => void stop())
  return () => void stop()
}
