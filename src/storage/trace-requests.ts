// The id of the trace in each request, where the log of the storage account keeps it.
import type { RequestPolicyFactory } from '@azure/storage-blob'
import { clientRequestId } from '../telemetry/spans.ts'

/** Before a request is signed: the signature covers the header. Outside of every trace the SDK's own id stays. */
export const traceRequests: RequestPolicyFactory = {
  create: (next) => ({
    sendRequest(request) {
      const id = clientRequestId()
      if (id !== undefined) request.headers.set('x-ms-client-request-id', id)
      return next.sendRequest(request)
    },
  }),
}
