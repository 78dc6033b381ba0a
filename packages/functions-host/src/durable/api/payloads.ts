// URLs that the durable client and starters get; the texts are the extension's.

export interface HubAddress {
  /** `http://localhost:<port>` of the main listener. */
  readonly origin: string
  readonly hub: string
  readonly code: string
}

const ROOT = '/runtime/webhooks/durabletask'

/** As .NET escapes a value: a space is a plus. */
const escaped = (id: string): string =>
  encodeURIComponent(id).replaceAll('%20', '+').replaceAll('~', '%7E').replaceAll("'", '%27')

/** Management links of one instance, in the extension's order. */
export function managementLinks(a: HubAddress, id: string, rewind = false): Record<string, string> {
  const base = `${a.origin}${ROOT}/instances/${escaped(id)}`
  const rest = `taskHub=${a.hub}&connection=Storage&code=${a.code}`
  return {
    id,
    statusQueryGetUri: `${base}?${rest}`,
    sendEventPostUri: `${base}/raiseEvent/{eventName}?${rest}`,
    terminatePostUri: `${base}/terminate?reason={text}&${rest}`,
    ...(rewind ? { rewindPostUri: `${base}/rewind?reason={text}&${rest}` } : {}),
    purgeHistoryDeleteUri: `${base}?${rest}`,
    restartPostUri: `${base}/restart?${rest}`,
    suspendPostUri: `${base}/suspend?reason={text}&${rest}`,
    resumePostUri: `${base}/resume?reason={text}&${rest}`,
  }
}

/** The durableClient binding's input: one JSON string. The SDK calls rpcBaseUrl for every operation. */
export function clientPayload(a: HubAddress, rpcBaseUrl: string): string {
  const create = `${a.origin}${ROOT}/orchestrators/{functionName}[/{instanceId}]?code=${a.code}`
  return JSON.stringify({
    taskHubName: a.hub,
    connectionName: null,
    creationUrls: {
      createNewInstancePostUri: create,
      createAndWaitOnNewInstancePostUri: create.replace('?', '?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&'),
    },
    managementUrls: managementLinks(a, 'INSTANCEID', true),
    baseUrl: `${a.origin}${ROOT}`,
    requiredQueryStringParameters: `code=${a.code}`,
    rpcBaseUrl,
    httpBaseUrl: null,
    maxGrpcMessageSizeInBytes: null,
    grpcHttpClientTimeout: null,
  })
}
