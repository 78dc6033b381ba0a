// What an orchestrator function is called with: one JSON text with the members and their order as recorded.
import type { Instance } from './instance.ts'

export function orchestrationPayload(instance: Instance): string {
  // The history is joined from texts that were made once, the input is one already; the rest is small.
  const rest = JSON.stringify({
    instanceId: instance.id,
    isReplaying: instance.turns > 0,
    parentInstanceId: instance.parent?.instanceId ?? null,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: '3.00:00:00',
    maximumShortTimerDuration: '6.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  })
  return `{"history":${instance.history.json()},"input":${instance.input ?? 'null'},${rest.slice(1)}`
}
