// What all measurements share: a row of the table, a host on the built app, a median.
import { type Backends, startHost } from '../local/cloud.ts'
import type { HostProcess } from 'functions-host'
import { mkdirSync, writeFileSync } from 'node:fs'
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

/** A host that says nothing while it is measured. */
export const QUIET = { LOG_LEVEL: 'error', AzureFunctionsJobHost__logging__logLevel__Function: 'Warning' }

/** Writes `bench/results/<prefix><time>.json`. */
export function writeResults(prefix: string, results: unknown): void {
  mkdirSync('bench/results', { recursive: true })
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '')
  writeFileSync(`bench/results/${prefix}${time}.json`, `${JSON.stringify(results, null, 2)}\n`)
}

export async function withHost<T>(
  backends: Pick<Backends, 'databaseUrl' | 'storage'>,
  run: (url: string, host: HostProcess) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  await freshApp()
  const host = await startHost(backends, {
    port: 0,
    env: { ...QUIET, ...env },
  })
  try {
    return await run(host.url, host)
  } finally {
    await host.stop()
  }
}
