// A proxy before Blob storage: counts requests, and cuts, refuses or answers for the service as a test says.
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to a request: its answer ends after so many bytes of the body, or with a status of its own. */
export type Fault =
  | { readonly cutAfter: number }
  | { readonly status: number; readonly code: string; readonly headers?: object }
  /** The emulator's answer, made into what the real service says. */
  | { readonly rewrite: (body: string) => string; readonly headers?: Readonly<Record<string, string>> }
  | undefined

export interface StorageProxy {
  /** Connection string that goes through the proxy. */
  readonly connectionString: string
  /** `METHOD path?query` of every request so far. */
  readonly seen: string[]
  /** `x-ms-client-request-id` of each of them: what the service's log keeps. */
  readonly requestIds: string[]
  readonly open: number
  readonly mostOpen: number
  fault: (line: string) => Fault
  /** Milliseconds that a request waits before it goes on. */
  wait: (line: string) => number
  /** Breaks every connection at once. */
  cutAll(): void
  close(): Promise<void>
}

/** @param connectionString of the real service, with a BlobEndpoint over http */
export async function startStorageProxy(connectionString: string): Promise<StorageProxy> {
  const endpoint = /BlobEndpoint=([^;]+)/.exec(connectionString)?.[1] ?? ''
  const target = new URL(endpoint)
  const seen: string[] = []
  const requestIds: string[] = []
  let open = 0
  let mostOpen = 0
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`
    seen.push(line)
    requestIds.push(String(incoming.headers['x-ms-client-request-id'] ?? ''))
    mostOpen = Math.max(mostOpen, ++open)
    outgoing.on('close', () => open--)
    const fault = proxy.fault(line)
    const go = (): void =>
      fault && 'status' in fault
        ? refuse(incoming, outgoing, fault)
        : fault && 'rewrite' in fault
          ? rewrite(target, incoming, outgoing, fault)
          : forward(target, incoming, outgoing, fault?.cutAfter)
    const wait = proxy.wait(line)
    if (wait > 0) setTimeout(go, wait)
    else go()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`
  const proxy = {
    connectionString: connectionString.replace(endpoint, own),
    seen,
    requestIds,
    get open() {
      return open
    },
    get mostOpen() {
      return mostOpen
    },
    fault: (_line: string): Fault => undefined,
    wait: (_line: string): number => 0,
    cutAll: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

function forward(target: URL, incoming: IncomingMessage, outgoing: ServerResponse, cutAfter: number | undefined): void {
  const { method = 'GET', url = '/', headers } = incoming
  const onward = request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    let left = cutAfter ?? Infinity
    answer.on('data', (chunk: Buffer) => {
      if (left === Infinity) {
        if (!outgoing.write(chunk)) {
          answer.pause()
          outgoing.once('drain', () => answer.resume())
        }
        return
      }
      outgoing.write(chunk.subarray(0, left), () => left <= 0 && outgoing.destroy())
      left -= chunk.length
      if (left <= 0) answer.destroy()
    })
    answer.on('end', () => outgoing.end())
  })
  onward.on('error', () => outgoing.destroy())
  outgoing.on('close', () => onward.destroy())
  incoming.pipe(onward)
}

function rewrite(
  target: URL,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { rewrite: change, headers: more }: { rewrite: (body: string) => string; headers?: Readonly<Record<string, string>> },
): void {
  const { method = 'GET', url = '/', headers } = incoming
  const onward = request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('end', () => {
      const { 'content-length': length, 'transfer-encoding': _chunked, ...kept } = answer.headers
      if (method === 'HEAD') {
        outgoing.writeHead(answer.statusCode ?? 502, { ...kept, ...(length ? { 'content-length': length } : {}), ...more })
        outgoing.end()
        return
      }
      const body = Buffer.from(change(Buffer.concat(chunks).toString('utf8')))
      outgoing.writeHead(answer.statusCode ?? 502, { ...kept, ...more, 'content-length': body.length })
      outgoing.end(body)
    })
  })
  onward.on('error', () => outgoing.destroy())
  incoming.pipe(onward)
}

function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, code, headers }: { status: number; code: string; headers?: object },
): void {
  incoming.resume()
  outgoing.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code, ...headers })
  outgoing.end(`<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>planted</Message></Error>`)
}
