// The management API of the Durable extension: the part that start, status, terminate, suspend, resume and purge need.
import { randomUUID } from 'node:crypto'
import type { Engine } from '../engine.ts'
import { EngineRefusal, isTerminal } from '../instance.ts'
import { type HubAddress, managementLinks } from './payloads.ts'
import { statusDocument } from './status.ts'

/** A request below the API's root, without anything of a web server. */
export interface ApiRequest {
  readonly method: string
  /** Decoded segments below the root, e.g. ['instances', 'abc', 'terminate']. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly href: string
  readonly body: () => Promise<string>
}
export interface ApiReply {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

const message = (status: number, text: string): ApiReply => ({ status, body: { Message: text } })

/** Answers one request; what is not known is 404. */
export async function manage(engine: Engine, address: HubAddress, request: ApiRequest): Promise<ApiReply> {
  const [kind, id, operation] = request.path
  try {
    if (kind === 'orchestrators' && request.method === 'POST' && id)
      return await start(engine, address, request, id, request.path[2])
    if (kind === 'instances' && !id && request.method === 'GET') return list(engine, request)
    if (kind === 'instances' && id && !operation && request.method === 'GET') return status(engine, request, id)
    if (kind === 'instances' && id && !operation && request.method === 'DELETE') return purge(engine, id)
    if (kind === 'instances' && id && operation && request.method === 'POST') return await operate(engine, request, id, operation)
    return { status: 404 }
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error
    return refusal(error, operation)
  }
}

function refusal(error: EngineRefusal, operation: string | undefined): ApiReply {
  if (error.reason === 'active') return message(409, error.message)
  if (error.reason === 'unknown') return { status: 404 }
  if (error.reason === 'terminal') return { status: 410 }
  if (operation === undefined) return { status: 412, body: error.message }
  return message(500, 'Something went wrong while processing your request')
}

async function start(
  engine: Engine,
  address: HubAddress,
  request: ApiRequest,
  name: string,
  wanted: string | undefined,
): Promise<ApiReply> {
  const text = await request.body()
  let input: string
  try {
    // Without a body the input is the empty text.
    input = JSON.stringify(text === '' ? '' : JSON.parse(text))
  } catch {
    return message(400, 'Invalid JSON content')
  }
  const { id } = engine.start(name, wanted ?? randomUUID().replaceAll('-', ''), input, request.query.get('version') ?? undefined)
  const links = managementLinks(address, id)
  return { status: 202, headers: { location: links['statusQueryGetUri'] ?? '', 'retry-after': '10' }, body: links }
}

const flag = (query: URLSearchParams, name: string, otherwise: boolean): boolean =>
  query.has(name) ? query.get(name)?.toLowerCase() === 'true' : otherwise

function status(engine: Engine, request: ApiRequest, id: string): ApiReply {
  const instance = engine.get(id)
  if (!instance) return { status: 404 }
  const body = statusDocument(instance, {
    showInput: flag(request.query, 'showInput', true),
    showHistory: flag(request.query, 'showHistory', false),
    showHistoryOutput: flag(request.query, 'showHistoryOutput', false),
  })
  if (!isTerminal(instance.status)) return { status: 202, headers: { location: request.href, 'retry-after': '5' }, body }
  return {
    status: instance.status === 'Failed' && flag(request.query, 'returnInternalServerErrorOnFailure', false) ? 500 : 200,
    body,
  }
}

function list(engine: Engine, request: ApiRequest): ApiReply {
  const wanted = request.query.get('runtimeStatus')?.split(',') ?? []
  const prefix = request.query.get('instanceIdPrefix') ?? ''
  const top = Number(request.query.get('top') ?? 100)
  const rows = engine.list().filter((i) => i.id.startsWith(prefix) && (wanted.length === 0 || wanted.includes(i.status)))
  const page = rows.slice(0, Number.isInteger(top) ? top : 100)
  return {
    status: 200,
    body: page.map((i) =>
      statusDocument(i, { showInput: flag(request.query, 'showInput', true), showHistory: false, showHistoryOutput: false }),
    ),
  }
}

function purge(engine: Engine, id: string): ApiReply {
  return engine.purge(id) ? { status: 200, body: { instancesDeleted: 1 } } : { status: 404 }
}

async function operate(engine: Engine, request: ApiRequest, id: string, operation: string): Promise<ApiReply> {
  const reason = request.query.get('reason') ?? ''
  switch (operation) {
    case 'terminate':
      engine.terminate(id, reason)
      return { status: 202 }
    case 'suspend':
      engine.suspend(id, reason)
      return { status: 202 }
    case 'resume':
      engine.resume(id, reason)
      return { status: 202 }
    case 'raiseEvent': {
      const text = await request.body()
      try {
        JSON.parse(text)
      } catch {
        return message(400, 'Invalid JSON content')
      }
      engine.raise(id, request.path[3] ?? '', text)
      return { status: 202 }
    }
    case 'rewind':
    case 'restart':
      return message(501, 'not supported by the local host')
    default:
      return { status: 404 }
  }
}
