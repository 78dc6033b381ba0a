// The management API of the Durable extension: which request is which operation, and how refusals are answered.
import type { Engine } from '../engine.ts'
import { EngineRefusal } from '../instance.ts'
import { type ApiReply, type ApiRequest, message, parseJson, problem, UNSUPPORTED } from './exchange.ts'
import { listInstances, purgeInstance, purgeInstances, showInstance } from './instances.ts'
import { startInstance } from './start.ts'

/** Answers one request; what is not known is 404. */
export async function manage(engine: Engine, hub: string, request: ApiRequest): Promise<ApiReply> {
  const { method, path } = request
  const [kind, id, operation] = path
  const depth = operation === 'raiseEvent' ? 4 : 3
  // An escaped slash is no part of an id (recorded).
  if (path.length > depth || path.some((segment) => segment.includes('/'))) return { status: 404 }
  const route = `${method} ${kind}${id === undefined ? '' : '/id'}${operation === undefined ? '' : '/op'}`
  try {
    switch (route) {
      case 'POST orchestrators/id':
      case 'POST orchestrators/id/op':
        return await startInstance(engine, hub, request)
      case 'GET instances':
        return listInstances(engine, request)
      case 'DELETE instances':
        return purgeInstances(engine, request)
      case 'GET instances/id':
        return showInstance(engine, request, id ?? '')
      case 'DELETE instances/id':
        return purgeInstance(engine, id ?? '')
      case 'POST instances/id/op':
        return await operate(engine, request, id ?? '', operation ?? '')
      default:
        return kind === 'entities' ? { status: 501, body: UNSUPPORTED } : { status: 404 }
    }
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error
    return refusal(error)
  }
}

function refusal({ reason, message: text }: EngineRefusal): ApiReply {
  if (reason === 'active') return message(409, text)
  if (reason === 'unknown') return { status: 404 }
  if (reason === 'terminal') return { status: 410 }
  return problem(500, text, 'System.InvalidOperationException')
}

async function operate(engine: Engine, request: ApiRequest, id: string, operation: string): Promise<ApiReply> {
  const reason = request.query.get('reason')
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
    case 'raiseEvent':
      return raise(engine, request, id)
    case 'rewind':
    case 'restart':
      return { status: 501, body: UNSUPPORTED }
    default:
      return { status: 404 }
  }
}

async function raise(engine: Engine, request: ApiRequest, id: string): Promise<ApiReply> {
  const name = request.path[3]
  if (!name) return { status: 404 }
  engine.live(id)
  if (request.contentType.split(';')[0]?.trim().toLowerCase() !== 'application/json')
    return message(400, 'Only application/json request content is supported')
  const body = parseJson(await request.body())
  if ('problem' in body) return body.problem
  engine.raise(id, name, body.text)
  return { status: 202 }
}
