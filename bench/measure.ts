// What all measurements share: a row of the table, a host on the built app, a median.
import { type Backends, startHost } from '../local/cloud.ts'
import type { HostProcess } from 'functions-host'
import { freshApp } from '../local/build-app.ts'

export interface Row {
  readonly measure: string
  readonly figure: string
  readonly goal: string
  readonly met: boolean
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
export const whole = (value: number): string => Math.round(value).toLocaleString('en')

export async function withHost<T>(
  backends: Pick<Backends, 'databaseUrl' | 'storage'>,
  run: (url: string, host: HostProcess) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  await freshApp()
  const host = await startHost(backends, {
    port: 0,
    env: { LOG_LEVEL: 'error', AzureFunctionsJobHost__logging__logLevel__Function: 'Warning', ...env },
  })
  try {
    return await run(host.url, host)
  } finally {
    await host.stop()
  }
}
