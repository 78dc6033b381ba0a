// Traces and metrics to where TELEMETRY says. The app works the same without: nothing waits for it, nothing fails with it.
import { metrics, trace } from '@opentelemetry/api'
import type * as Resources from '@opentelemetry/resources'
import type * as Metrics from '@opentelemetry/sdk-metrics'
import type * as Traces from '@opentelemetry/sdk-trace-base'
import type { Log } from '../define/define-job.ts'
import type { Identity } from './credentials.ts'
import { type GaugeSources, observeGauges } from './gauges.ts'
import { RELEASE } from './release.ts'
import { within } from './shutdown.ts'
import {
  installCommand,
  type Load,
  loadPackage,
  loadPackages,
  type Module,
  PackagesMissing,
  type TelemetryTarget,
} from './telemetry-packages.ts'

export interface TelemetrySettings {
  readonly target: TelemetryTarget | 'none'
  /** APPLICATIONINSIGHTS_CONNECTION_STRING and _AUTHENTICATION_STRING; OTEL_* are read by the SDK itself. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly identity: Identity
  /** Id of the process: instances are told apart by it. */
  readonly instance: string
  readonly gauges: GaugeSources
  readonly log: Pick<Log, 'warn'>
  readonly load?: Load
}

/** Of a process that ends: connections are closed after it, and the platform waits for neither for long. */
const STOP_MS = 1500

/** Sends what is left and stops. */
export type StopTelemetry = () => Promise<void>

/** Registers an SDK. What is missing or wrong is one warning with the way out; the app goes on without. @returns undefined where nothing is sent */
export async function startTelemetry(settings: TelemetrySettings): Promise<StopTelemetry | undefined> {
  const { target, env, identity, instance, gauges, log, load = loadPackage } = settings
  if (target === 'none') return undefined
  try {
    const packages = (await loadPackages(target, load)) as Module & Sdk
    const { spans, figures } = exporters[target](packages, env, identity)
    return register(packages, { spans, figures, env, instance, gauges })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const command = error instanceof PackagesMissing ? { command: installCommand(target) } : {}
    log.warn('telemetry.off', { target, reason, ...command })
    return undefined
  }
}

type Sdk = typeof Traces & typeof Metrics & typeof Resources
interface Exporters {
  readonly spans: Traces.SpanExporter
  readonly figures: Metrics.PushMetricExporter
}
type Constructor = new (options?: object) => unknown

const exporters: Record<TelemetryTarget, (packages: Module, env: TelemetrySettings['env'], identity: Identity) => Exporters> = {
  appinsights(packages, env, identity) {
    const connectionString = env['APPLICATIONINSIGHTS_CONNECTION_STRING']
    if (!connectionString) throw new Error('APPLICATIONINSIGHTS_CONNECTION_STRING is not set')
    // Where the resource takes no keys, the platform's own setting says that the identity is asked for.
    const byIdentity = /\bAuthorization=AAD\b/i.test(env['APPLICATIONINSIGHTS_AUTHENTICATION_STRING'] ?? '')
    const options = { connectionString, ...(byIdentity ? { credential: identity } : {}) }
    return made(packages, 'AzureMonitorTraceExporter', 'AzureMonitorMetricExporter', options)
  },
  otlp: (packages) => made(packages, 'OTLPTraceExporter', 'OTLPMetricExporter'),
}

const made = (packages: Module, spans: string, figures: string, options?: object): Exporters => ({
  spans: new (packages[spans] as Constructor)(options) as Traces.SpanExporter,
  figures: new (packages[figures] as Constructor)(options) as Metrics.PushMetricExporter,
})

function register(
  sdk: Sdk,
  { spans, figures, env, instance, gauges }: Exporters & Pick<TelemetrySettings, 'env' | 'instance' | 'gauges'>,
): StopTelemetry {
  const resource = sdk
    .defaultResource()
    .merge(
      sdk.resourceFromAttributes({
        'service.name': 'lamplighter',
        'service.version': RELEASE.version,
        'service.instance.id': instance,
      }),
    )
    .merge(sdk.detectResources({ detectors: [sdk.envDetector] }))
  // The host's "not sampled" says that the host traces nothing, which is not what TELEMETRY asks for.
  const sampler = env['OTEL_TRACES_SAMPLER'] ? {} : { sampler: new sdk.AlwaysOnSampler() }
  const tracers = new sdk.BasicTracerProvider({ resource, spanProcessors: [new sdk.BatchSpanProcessor(spans)], ...sampler })
  const meters = new sdk.MeterProvider({ resource, readers: [new sdk.PeriodicExportingMetricReader({ exporter: figures })] })
  // An agent that was loaded before the app keeps its own.
  trace.setGlobalTracerProvider(tracers)
  metrics.setGlobalMeterProvider(meters)
  observeGauges(gauges)
  return () => within(STOP_MS, () => Promise.allSettled([tracers.shutdown(), meters.shutdown()]))
}
