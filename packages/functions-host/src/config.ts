// host.json, local.settings.json and the environment, as far as this host follows them.
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import stripJsonComments from 'strip-json-comments'
import type { Versioning } from './durable/versions.ts'
import { unknownKeys } from './host-keys.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface HostConfig {
  readonly routePrefix: string
  readonly functionTimeoutMs: number
  readonly hubName: string
  readonly versioning: Versioning
  readonly maxActivities: number
  readonly maxOrchestrators: number
  readonly maxActions: number
  readonly maxBatch: number
  /** More requests than this at once wait. */
  readonly maxConcurrentRequests: number
  /** More requests than this, waiting ones included, are answered 429. */
  readonly maxOutstandingRequests: number
  /** Put into every answer that has none of that name. */
  readonly customHeaders: Readonly<Record<string, string>>
  /** Level per category prefix, e.g. `Function.hello` or `default`. */
  readonly logLevels: Readonly<Record<string, string>>
  /** Settings that this host knows and does not follow: sentences for the log. */
  readonly warnings: readonly string[]
}

interface VersionKeys {
  defaultVersion?: string
  versionMatchStrategy?: string
  versionFailureStrategy?: string
}

interface HostJson {
  version?: string
  functionTimeout?: string
  logging?: { logLevel?: Record<string, string> }
  extensions?: {
    http?: {
      routePrefix?: string
      maxConcurrentRequests?: number
      maxOutstandingRequests?: number
      customHeaders?: Record<string, string>
    }
    durableTask?: VersionKeys & {
      hubName?: string
      maxConcurrentActivityFunctions?: number
      maxConcurrentOrchestratorFunctions?: number
      maxOrchestrationActions?: number
      storageProvider?: { type?: string; controlQueueBatchSize?: number }
    }
  }
}

export interface LocalSettings {
  readonly values: Readonly<Record<string, string>>
  readonly port: number | undefined
  readonly hasCors: boolean
}

/** @throws Error naming the file when it is broken or encrypted; without a file there are no settings */
export function readLocalSettings(folder: string): LocalSettings {
  const path = join(folder, 'local.settings.json')
  if (!existsSync(path)) return { values: {}, port: undefined, hasCors: false }
  const json = readJson(path) as {
    IsEncrypted?: boolean
    Values?: Record<string, unknown>
    Host?: { LocalHttpPort?: number; CORS?: string }
  }
  if (json.IsEncrypted === true) throw new Error(`${path} is encrypted. Decrypt it with: func settings decrypt`)
  const values = Object.fromEntries(Object.entries(json.Values ?? {}).map(([k, v]) => [k, String(v)]))
  return { values, port: json.Host?.LocalHttpPort, hasCors: json.Host?.CORS !== undefined }
}

/** @throws Error naming the file and what is wrong with it */
export function readHostConfig(folder: string, env: Env): HostConfig {
  const path = join(folder, 'host.json')
  const json = overridden(readJson(path) as HostJson, env)
  if (json.version !== '2.0') throw new Error(`${path} has version ${JSON.stringify(json.version)}; only "2.0" is supported.`)
  const { http, durableTask: durable } = json.extensions ?? {}
  const cores = availableParallelism()
  return {
    routePrefix: (http?.routePrefix ?? 'api').replaceAll(/^\/+|\/+$/g, ''),
    functionTimeoutMs: timespanMs(json.functionTimeout ?? '00:30:00'),
    hubName: resolveSetting(durable?.hubName ?? 'TestHubName', env),
    versioning: versioningOf(durable),
    maxActivities: durable?.maxConcurrentActivityFunctions ?? 10 * cores,
    maxOrchestrators: durable?.maxConcurrentOrchestratorFunctions ?? 10 * cores,
    maxActions: durable?.maxOrchestrationActions ?? 100_000,
    maxBatch: durable?.storageProvider?.controlQueueBatchSize ?? 32,
    maxConcurrentRequests: limit(http?.maxConcurrentRequests),
    maxOutstandingRequests: limit(http?.maxOutstandingRequests),
    customHeaders: http?.customHeaders ?? {},
    logLevels: json.logging?.logLevel ?? {},
    warnings: [...unknownKeys(json), ...providerWarning(durable?.storageProvider?.type)],
  }
}

/** Names of strategies compare without case; without them the extension takes CurrentOrOlder and Reject. */
function versioningOf({ defaultVersion, versionMatchStrategy, versionFailureStrategy }: VersionKeys = {}): Versioning {
  return {
    own: defaultVersion ?? null,
    match: oneOf(['CurrentOrOlder', 'Strict', 'None'], versionMatchStrategy, 'versionMatchStrategy'),
    failure: oneOf(['Reject', 'Fail'], versionFailureStrategy, 'versionFailureStrategy'),
  }
}

function oneOf<T extends string>(known: readonly [T, ...T[]], given: string | undefined, key: string): T {
  if (given === undefined) return known[0]
  const found = known.find((word) => word.toLowerCase() === given.toLowerCase())
  if (found === undefined) throw new Error(`host.json has ${key} "${given}". Known: ${known.join(', ')}.`)
  return found
}

/** The storage provider decides limits and orders of messages: this host has those of Azure Storage alone. */
function providerWarning(type = 'AzureStorage'): string[] {
  if (type.toLowerCase() === 'azurestorage') return []
  const detail = `host.json asks for the Durable storage provider '${type}'; this host behaves like 'azureStorage' and keeps instances in memory.`
  return [`${detail} On Azure '${type}' is used.`]
}

const limit = (n: number | undefined): number => (n === undefined || n < 0 ? Number.POSITIVE_INFINITY : n)

function readJson(path: string): unknown {
  try {
    // Both files may carry comments and a byte order mark, as the tools of Azure write them.
    return JSON.parse(stripJsonComments(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''), { trailingCommas: true }))
  } catch (cause) {
    throw new Error(`${path} cannot be read as JSON: ${cause instanceof Error ? cause.message : 'unknown'}`, { cause })
  }
}

/** `AzureFunctionsJobHost__a__b=value` stands for `{a: {b: value}}`; names compare without case. */
function overridden(json: HostJson, env: Env): HostJson {
  const root = structuredClone(json) as Record<string, unknown>
  for (const [name, value] of Object.entries(env)) {
    const path = /^AzureFunctionsJobHost__(.+)$/i.exec(name)?.[1]?.split('__')
    const last = path?.pop()
    if (!path || !last || value === undefined) continue
    let node = root
    for (const part of path) {
      const key = sameKey(node, part)
      if (typeof node[key] !== 'object' || node[key] === null) node[key] = {}
      node = node[key] as Record<string, unknown>
    }
    node[sameKey(node, last)] = /^-?\d+$/.test(value) ? Number(value) : value
  }
  return root as HostJson
}

const sameKey = (node: object, part: string): string =>
  Object.keys(node).find((k) => k.toLowerCase() === part.toLowerCase()) ?? part

/** `%NAME%` from the environment. @throws Error `'%NAME%' does not resolve to a value.` */
export function resolveSetting(text: string, env: Env): string {
  return text.replaceAll(/%([^%]+)%/g, (whole, name: string) => {
    const value = env[name]
    if (value === undefined) throw new Error(`'${whole}' does not resolve to a value.`)
    return value
  })
}

/** `AzureWebJobs.<name>.Disabled`, with dots or underscores, is true or 1. */
export function isDisabled(name: string, env: Env): boolean {
  const value = env[`AzureWebJobs.${name}.Disabled`] ?? env[`AzureWebJobs_${name}_Disabled`] ?? ''
  return value.toLowerCase() === 'true' || value === '1'
}

/** `hh:mm:ss`, `d.hh:mm:ss`, or -1 for no limit. */
function timespanMs(text: string): number {
  const match = /^(?:(\d+)\.)?(\d+):(\d\d):(\d\d)$/.exec(text)
  if (!match) return text === '-1' ? 2 ** 31 - 1 : 1_800_000
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
}
