// Start of an instance, with or without waiting for its end.
import { randomUUID } from 'node:crypto'
import type { Engine } from '../engine.ts'
import type { Instance } from '../instance.ts'
import { isTerminal } from '../instance.ts'
import { type ApiReply, type ApiRequest, parseJson, problem } from './exchange.ts'
import { managementLinks } from './payloads.ts'
import { statusDocument, textValue } from './status.ts'

const SAFE_ID = /^[\w:-]{1,100}$/

export async function startInstance(engine: Engine, hub: string, request: ApiRequest): Promise<ApiReply> {
  const { query, path } = request
  const [, name = '', wanted] = path
  const connection = query.get('connection') ?? 'Storage'
  if (!['storage', 'azurewebjobsstorage'].includes(connection.toLowerCase()))
    return problem(
      500,
      `Unable to resolve the Azure Storage connection named '${connection}'.`,
      'System.InvalidOperationException',
    )
  const text = await request.body()
  const input = text === '' ? { text: null } : parseJson(text)
  if ('problem' in input) return input.problem
  const id = wanted ?? randomUUID().replaceAll('-', '')
  if (!SAFE_ID.test(id)) engine.trap('trap.id', name, id, 'an ID that has to be escaped in URLs')
  const instance = engine.start(name, id, input.text, query.get('version') ?? undefined)
  const seconds = Number(query.get('timeout') ?? Number.NaN)
  if (Number.isFinite(seconds)) {
    const ended = await endedWithin(engine, instance, seconds * 1000)
    if (ended) return waited(instance)
  }
  const links = managementLinks({ origin: request.origin, hub: query.get('taskHub') ?? hub, code: query.get('code') ?? '' }, id)
  return {
    status: 202,
    headers: { location: links['statusQueryGetUri']?.replaceAll('%7E', '~') ?? '', 'retry-after': '10' },
    body: links,
  }
}

async function endedWithin(engine: Engine, instance: Instance, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([engine.ended(instance), late])
  clearTimeout(timer)
  return isTerminal(instance.status)
}

/** The output of a completed one; the status document of any other, with 200 too (recorded). */
function waited(instance: Instance): ApiReply {
  const body =
    instance.status === 'Completed'
      ? textValue(instance.output)
      : statusDocument(instance, { showInput: true, showHistory: false, showHistoryOutput: false })
  return { status: 200, body }
}
