// What host.json asks of the extension bundle, and whether every bundle of its range has it: an older one would run the app by half.
import * as z from 'zod'
import type { Line } from './finding.ts'

const HostJson = z.looseObject({
  extensionBundle: z.looseObject({ version: z.string() }).optional(),
  extensions: z
    .looseObject({
      http: z.looseObject({ routePrefix: z.string().optional() }).optional(),
      durableTask: z.looseObject({ defaultVersion: z.string().optional(), tracing: z.unknown().optional() }).optional(),
    })
    .optional(),
})
type HostJson = z.infer<typeof HostJson>

/** Feature, whether host.json uses it, and the first bundle that has it. */
const FEATURES: readonly (readonly [feature: string, used: (host: HostJson) => boolean, since: string])[] = [
  ['versioning (defaultVersion)', (h) => h.extensions?.durableTask?.defaultVersion !== undefined, '4.30.0'],
  ['tracing V2', (h) => h.extensions?.durableTask?.tracing !== undefined, '4.24.1'],
  ['properties of exceptions', () => true, '4.37.1'],
]

/** @param env settings that override host.json are named */
export function hostJsonLines(text: string, env: Readonly<Record<string, string | undefined>>): Line[] {
  const parsed = HostJson.safeParse(json(text))
  if (!parsed.success)
    return [
      { name: 'host.json', status: 'failed', detail: 'It is not the JSON object that the host reads.', remediation: RESTORE },
    ]
  const overrides = Object.keys(env).filter((name) => name.startsWith('AzureFunctionsJobHost__'))
  return [bundleLine(parsed.data), prefixLine(parsed.data), overridesLine(overrides)]
}
const RESTORE = 'Take host.json of this release again.'

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function bundleLine(host: HostJson): Line {
  const name = 'extension bundle'
  const range = host.extensionBundle?.version
  const lowest = /^\[(\d+\.\d+\.\d+),\s*\d+\.\d+\.\d+\)$/.exec(range ?? '')?.[1]
  if (lowest === undefined)
    return { name, status: 'failed', detail: `${range ?? 'No range'} is not one like [4.37.1, 5.0.0).`, remediation: RESTORE }
  const lacking = FEATURES.filter(([, used, since]) => used(host) && isOlder(lowest, since))
  if (lacking.length === 0) return { name, status: 'ok', detail: `${range}: each bundle of it has what is used` }
  const said = lacking.map(([feature, , since]) => `${feature} needs ${since}`).join(', ')
  return { name, status: 'failed', detail: `${range} allows bundles that lack what is used: ${said}.`, remediation: RESTORE }
}

/** Both as three numbers. */
function isOlder(a: string, b: string): boolean {
  const [x, y] = [a, b].map((v) => v.split('.').map(Number)) as [number[], number[]]
  const at = x.findIndex((part, i) => part !== y[i])
  return at >= 0 && (x[at] ?? 0) < (y[at] ?? 0)
}

const prefixLine = (host: HostJson): Line => {
  const prefix = host.extensions?.http?.routePrefix ?? 'api'
  if (prefix === 'api') return { name: 'routes', status: 'ok', detail: 'below /api' }
  return {
    name: 'routes',
    status: 'failed',
    detail: `routePrefix is "${prefix}"; links are made for "api".`,
    remediation: RESTORE,
  }
}

const overridesLine = (names: readonly string[]): Line => ({
  name: 'host.json overrides',
  status: 'ok',
  detail: names.length === 0 ? 'none' : names.join(', '),
})
