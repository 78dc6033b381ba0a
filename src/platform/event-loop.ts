// How late this process's event loop is: what holds it up holds up every request and heartbeat.
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 20
let histogram: ReturnType<typeof monitorEventLoopDelay> | undefined

/** Begins to measure; asked twice, it goes on. */
export function watchEventLoop(): void {
  if (histogram) return
  histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
}

/** Milliseconds beyond the pace of the measurement since the last time that somebody asked. */
export function takeEventLoopLag(): { readonly p99_ms: number; readonly max_ms: number } {
  watchEventLoop()
  const beyond = (nanoseconds: number): number => Math.max(0, Math.round(nanoseconds / 1e6 - RESOLUTION_MS)) || 0
  const lag = { p99_ms: beyond(histogram?.percentile(99) ?? 0), max_ms: beyond(histogram?.max ?? 0) }
  histogram?.reset()
  return lag
}
