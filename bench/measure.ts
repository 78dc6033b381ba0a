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

const CALLS = 15
/** Milliseconds that a call takes over HTTP on this machine, median of 15 after one that warms; with the answer read to its end. */
export async function callMs(url: string): Promise<{ ms: number; body: { next?: string } }> {
  const times: number[] = []
  let body: { next?: string } = {}
  for (let i = 0; i <= CALLS; i++) {
    const started = performance.now()
    const answer = await fetch(url)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text.slice(0, 300)}`)
    if (i > 0) times.push(performance.now() - started)
    body = JSON.parse(text) as { next?: string }
  }
  return { ms: median(times), body }
}

export const callRow = (measure: string, ms: number): Row => ({
  measure,
  figure: `${ms.toFixed(0)} ms`,
  goal: '≤ 50 ms',
  met: ms <= 50,
})

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
