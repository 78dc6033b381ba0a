// host.json and the environment, as far as this host follows them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface HostConfig {
  readonly routePrefix: string
  readonly functionTimeoutMs: number
  readonly hubName: string
  readonly defaultVersion: string | null
  readonly maxActivities: number
  readonly maxOrchestrators: number
  readonly maxBatch: number
}

interface HostJson {
  version?: string
  functionTimeout?: string
  extensions?: {
    http?: { routePrefix?: string }
    durableTask?: {
      hubName?: string
      defaultVersion?: string
      maxConcurrentActivityFunctions?: number
      maxConcurrentOrchestratorFunctions?: number
      storageProvider?: { controlQueueBatchSize?: number }
    }
  }
}

/** @throws Error naming the file and what is wrong with it */
export function readHostConfig(folder: string, env: Readonly<Record<string, string | undefined>>): HostConfig {
  const path = join(folder, 'host.json')
  let json: HostJson
  try {
    json = JSON.parse(readFileSync(path, 'utf8')) as HostJson
  } catch (cause) {
    throw new Error(`${path} cannot be read as JSON: ${cause instanceof Error ? cause.message : 'unknown'}`, { cause })
  }
  if (json.version !== '2.0') throw new Error(`${path} has version ${JSON.stringify(json.version)}; only "2.0" is supported.`)
  const durable = json.extensions?.durableTask
  return {
    routePrefix: (json.extensions?.http?.routePrefix ?? 'api').replaceAll(/^\/+|\/+$/g, ''),
    functionTimeoutMs: timespanMs(json.functionTimeout ?? '00:30:00'),
    hubName: resolveSetting(durable?.hubName ?? 'TestHubName', env),
    defaultVersion: durable?.defaultVersion ?? null,
    maxActivities: durable?.maxConcurrentActivityFunctions ?? 20,
    maxOrchestrators: durable?.maxConcurrentOrchestratorFunctions ?? 20,
    maxBatch: durable?.storageProvider?.controlQueueBatchSize ?? 32,
  }
}

/** `%NAME%` from the environment. */
export function resolveSetting(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replaceAll(/%([^%]+)%/g, (whole, name: string) => {
    const value = env[name]
    if (value === undefined) throw new Error(`'${whole}' does not resolve to a value.`)
    return value
  })
}

/** `hh:mm:ss`, `d.hh:mm:ss`, or -1 for no limit. */
function timespanMs(text: string): number {
  const match = /^(?:(\d+)\.)?(\d+):(\d\d):(\d\d)$/.exec(text)
  if (!match) return text === '-1' ? 2 ** 31 - 1 : 1_800_000
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
}
