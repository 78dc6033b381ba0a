// Status, listing and purge.
import type { Engine } from '../engine.ts'
import { isTerminal, type RuntimeStatus } from '../instance.ts'
import type { InstanceFilter } from '../instances.ts'
import { type ApiReply, type ApiRequest, problem } from './exchange.ts'
import { statusDocument } from './status.ts'

const STATUSES: readonly string[] = ['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated']
const PAGE = 100
const MANY_ROWS = 1000

const flag = (query: URLSearchParams, name: string, otherwise: boolean): boolean => {
  const text = query.get(name)?.toLowerCase()
  return text === 'true' || (text !== 'false' && otherwise)
}

export function showInstance(engine: Engine, { query, href }: ApiRequest, id: string): ApiReply {
  const instance = engine.instances.get(id)
  if (!instance) return { status: 404 }
  const showHistory = flag(query, 'showHistory', false)
  const doubled = showHistory ? instance.history.doubledTask() : undefined
  // A history that a non-deterministic replay wrote into cannot be shown (recorded).
  if (doubled !== undefined) {
    const text = `An item with the same key has already been added. Key: TaskScheduled_${doubled}`
    return problem(400, text, 'System.ArgumentException')
  }
  const body = statusDocument(instance, {
    showInput: flag(query, 'showInput', true),
    showHistory,
    showHistoryOutput: flag(query, 'showHistoryOutput', false),
  })
  if (!isTerminal(instance.status)) return { status: 202, headers: { location: href, 'retry-after': '5' }, body }
  const failed = instance.status === 'Failed' && flag(query, 'returnInternalServerErrorOnFailure', false)
  return { status: failed ? 500 : 200, body }
}

/** Status names are case-sensitive; unknown ones and dates that do not parse are ignored (recorded). */
function filterOf(query: URLSearchParams): InstanceFilter {
  const statuses = query.get('runtimeStatus')?.split(',') ?? []
  const time = (name: string, otherwise: number): number => {
    const at = Date.parse(query.get(name) ?? '')
    return Number.isNaN(at) ? otherwise : at
  }
  return {
    prefix: query.get('instanceIdPrefix') ?? '',
    statuses: statuses.filter((s): s is RuntimeStatus => STATUSES.includes(s)),
    createdFrom: time('createdTimeFrom', Number.NEGATIVE_INFINITY),
    createdTo: time('createdTimeTo', Number.POSITIVE_INFINITY),
  }
}

export function listInstances(engine: Engine, { query, continuation, rpc }: ApiRequest): ApiReply {
  const rows = engine.instances.find(filterOf(query))
  const from =
    continuation === ''
      ? 0
      : startOfPage(
          rows.map((r) => r.id),
          continuation,
        )
  if (from === undefined) return problem(400, 'The continuation token is not valid.', 'System.ArgumentException')
  if (from >= MANY_ROWS) engine.trap('trap.list-all', 'client', 'list', `${rows.length} rows are read page by page`)
  const top = query.get('top') ?? ''
  const size = /^\d+$/.test(top) ? Number(top) : PAGE
  const next = rows[from + size]
  const options = { showInput: flag(query, 'showInput', true), showHistory: false, showHistoryOutput: false }
  return {
    status: 200,
    headers: next || rpc ? { 'x-ms-continuation-token': next ? Buffer.from(next.id).toString('base64') : '' } : {},
    body: rows.slice(from, from + size).map((i) => statusDocument(i, options)),
  }
}

/** A token is the id of the next row in base64. */
function startOfPage(ids: readonly string[], token: string): number | undefined {
  const id = Buffer.from(token, 'base64').toString('utf8')
  if (Buffer.from(id).toString('base64') !== token) return undefined
  const index = ids.findIndex((i) => i >= id)
  return index < 0 ? ids.length : index
}

/** 412 while it is not terminal. */
export function purgeInstance(engine: Engine, id: string): ApiReply {
  const instance = engine.instances.get(id)
  if (!instance) return { status: 404 }
  if (!isTerminal(instance.status)) {
    return {
      status: 412,
      body: `Only orchestrations in a terminal state can be purged, but the orchestration with instance ID ${id} has status ${instance.status}`,
    }
  }
  engine.purge(id)
  return { status: 200, body: { instancesDeleted: 1 } }
}

/** By filter; without statuses it takes running ones too, as on the real host. */
export function purgeInstances(engine: Engine, { query }: ApiRequest): ApiReply {
  if (Number.isNaN(Date.parse(query.get('createdTimeFrom') ?? '')))
    return { status: 400, body: "Please provide value for 'createdTimeFrom' parameter." }
  const rows = engine.instances.find({ ...filterOf(query), prefix: query.get('instanceIdPrefix') ?? '' })
  for (const { id } of rows) engine.purge(id)
  return rows.length === 0 ? { status: 404 } : { status: 200, body: { instancesDeleted: rows.length } }
}
