// Packages of the exporters: optional, loaded by name when TELEMETRY asks for them. The build takes along those that package.json names.

/** Both targets need the SDK. */
const SDK = ['@opentelemetry/sdk-trace-base', '@opentelemetry/sdk-metrics', '@opentelemetry/resources'] as const

export const TELEMETRY_PACKAGES = {
  appinsights: ['@azure/monitor-opentelemetry-exporter', ...SDK],
  otlp: ['@opentelemetry/exporter-trace-otlp-proto', '@opentelemetry/exporter-metrics-otlp-proto', ...SDK],
} as const
export type TelemetryTarget = keyof typeof TELEMETRY_PACKAGES

/** What brings them. */
export const installCommand = (target: TelemetryTarget): string => `npm install ${TELEMETRY_PACKAGES[target].join(' ')}`

/** A loaded package: its exports by name. */
export type Module = Readonly<Record<string, unknown>>
export type Load = (name: string) => Promise<Module>

/** What the build makes of the packages of a target: a file beside the app's. */
export const bundleName = (target: TelemetryTarget): string => `telemetry-${target}.js`

/** By a name that no bundler sees through: what is not there is a warning, and no failed build. */
export const loadPackage: Load = async (name) => {
  const module = (await import(name.startsWith('./') ? new URL(name, import.meta.url).href : name)) as Module & {
    readonly default?: Module
  }
  // CommonJS: not every export is found without running it.
  return { ...module.default, ...module }
}

export class PackagesMissing extends Error {
  readonly missing: readonly string[]
  constructor(missing: readonly string[]) {
    super(`not installed: ${missing.join(', ')}`)
    this.name = 'PackagesMissing'
    this.missing = missing
  }
}

/**
 * From the file of the build, or package by package where there is none.
 * @throws PackagesMissing naming all that are not installed; whatever else a package throws when it is loaded
 */
export async function loadPackages(target: TelemetryTarget, load: Load): Promise<Module> {
  const built = await loadIfThere(load, `./${bundleName(target)}`)
  if (built) return built
  const missing: string[] = []
  let all: Module = {}
  for (const name of TELEMETRY_PACKAGES[target]) {
    const module = await loadIfThere(load, name)
    if (module) all = { ...all, ...module }
    else missing.push(name)
  }
  if (missing.length > 0) throw new PackagesMissing(missing)
  return all
}

async function loadIfThere(load: Load, name: string): Promise<Module | undefined> {
  try {
    return await load(name)
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
