// Keys of host.json that the real host knows. Another one is a spelling mistake: the real host says nothing, and does nothing.

const words = (...lines: string[]): string[] => lines.flatMap((line) => line.split(' '))

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  '': words(
    '$schema version functionTimeout logging extensionBundle extensions aggregator concurrency customHandler functions',
    'healthMonitor managedDependency retry singleton telemetryMode watchDirectories watchFiles',
  ),
  'extensions.http': words('routePrefix maxConcurrentRequests maxOutstandingRequests dynamicThrottlesEnabled hsts customHeaders'),
  'extensions.durableTask': words(
    'hubName defaultVersion versionMatchStrategy versionFailureStrategy storageProvider tracing notifications',
    'maxConcurrentActivityFunctions maxConcurrentOrchestratorFunctions maxConcurrentEntityFunctions',
    'extendedSessionsEnabled extendedSessionIdleTimeoutInSeconds maxOrchestrationActions maxEntityOperationBatchSize',
    'useAppLease useGracefulShutdown storeInputsInOrchestrationHistory overridableExistingInstanceStates',
    'entityMessageReorderWindowInMinutes httpSettings localRpcEndpointEnabled customLifeCycleNotificationHelperType',
  ),
}

/** A sentence for each key that is none. Names compare without case, as on the host. */
export function unknownKeys(json: object): string[] {
  return Object.entries(KNOWN).flatMap(([section, known]) => {
    const names = new Set(known.map((name) => name.toLowerCase()))
    return Object.keys(at(json, section))
      .filter((name) => !names.has(name.toLowerCase()))
      .map(
        (name) => `host.json has ${section && `${section}.`}${name}, which is no key of the Functions host: nothing follows it.`,
      )
  })
}

const at = (json: object, section: string): object =>
  section
    .split('.')
    .filter(Boolean)
    .reduce<object>((node, name) => (node as Readonly<Record<string, object>>)[name] ?? {}, json)
