// Webhooks: who is told when jobs end, and what became of each message. Read by everybody, made by operators.
import * as z from 'zod'
import {
  deleteWebhook,
  findWebhook,
  listDeliveries,
  listWebhooks,
  putWebhook,
  retryDelivery,
  type WebhookRow,
} from '../db/webhook-functions.ts'
import { only } from '../db/sql-function.ts'
import { jobTypeOf } from '../engine/submit.ts'
import { JobId, SnakeName } from '../models/names.ts'
import { DeliveryStatus, TerminalStatus, WebhookId } from '../models/webhook.ts'
import { TERMINAL_JOB_STATUSES } from '../models/words.ts'
import type { Resources } from '../platform/resources.ts'
import { AppError } from '../rules/errors.ts'
import { Ordinal, paging, PositionTime, readCursor } from './cursor.ts'
import { pageOf, readingOf } from './pages.ts'
import { type Answer, type Call, type HttpRow, JOB, route } from './route.ts'
import { invalid } from './validation.ts'

const ById = z.object({ webhook_id: WebhookId })
const Body = z.strictObject({
  url: z.string().min(8).max(2000).describe('https, of a host on the allow-list (WEBHOOK_HOSTS), without credentials'),
  secret_name: z
    .string()
    .regex(/^[0-9A-Za-z_-]{1,127}$/)
    .describe('of the secret that messages are signed with'),
  job_type: SnakeName.nullable().default(null).describe('null: every type'),
  statuses: z
    .array(TerminalStatus)
    .min(1)
    .max(4)
    .default([...TERMINAL_JOB_STATUSES])
    .describe('ends that are told'),
  is_paused: z.boolean().default(false),
})

async function required(r: Resources, id: string): Promise<WebhookRow> {
  const found = await findWebhook(r.db, id)
  if (!found) throw new AppError('WEBHOOK_NOT_FOUND', `There is no webhook ${id}.`)
  return found
}

const ListQuery = z.strictObject(paging)

async function list({ query, r }: Call<object, z.infer<typeof ListQuery>, undefined>): Promise<Answer> {
  const after = readCursor(query.next, {}, ById)
  const rows = await listWebhooks(readingOf(r), after?.webhook_id, query.limit + 1)
  const { page, more } = pageOf(rows, query.limit, {}, ({ webhook_id }) => ({ webhook_id }))
  return { body: { webhooks: page, count: page.length, ...more } }
}

const get = async ({ pathParameters, r }: Call<z.infer<typeof ById>, object, undefined>): Promise<Answer> => ({
  body: await required(r, pathParameters.webhook_id),
})

type PutCall = Call<z.infer<typeof ById>, object, z.infer<typeof Body>>

/** Refuses what no message would get through: a host that is not on the list, a secret that is not there. */
async function put({ pathParameters: { webhook_id }, body, caller, url, r }: PutCall): Promise<Answer> {
  const problem = r.webhooks.problemOf(body.url)
  if (problem !== undefined) throw invalid('INVALID_PARAMETERS', [{ path: 'url', message: problem }])
  if (body.job_type !== null) jobTypeOf(r, body.job_type)
  await r.secrets.getSecret(body.secret_name)
  const { created } = only(await putWebhook(r.db, { webhook_id, ...body, actor: caller.name }))
  return {
    status: created ? 201 : 200,
    headers: created ? { location: `${url.origin}/api/webhooks/${webhook_id}` } : {},
    body: await required(r, webhook_id),
  }
}

async function remove({ pathParameters, caller, r }: Call<z.infer<typeof ById>, object, undefined>): Promise<Answer> {
  const { delete_webhook: gone } = only(await deleteWebhook(r.db, { ...pathParameters, actor: caller.name }))
  if (!gone) throw new AppError('WEBHOOK_NOT_FOUND', `There is no webhook ${pathParameters.webhook_id}.`)
  return { body: { deleted: pathParameters.webhook_id } }
}

const DeliveriesQuery = z.strictObject({ ...paging, status: DeliveryStatus.optional() })
type DeliveriesCall = Call<z.infer<typeof ById>, z.infer<typeof DeliveriesQuery>, undefined>
const Position = z.object({ created_at: PositionTime, job_id: JobId, attempt: Ordinal })

async function deliveries({ pathParameters, query: { limit, next, status }, r }: DeliveriesCall): Promise<Answer> {
  const { webhook_id } = await required(r, pathParameters.webhook_id)
  const bound = { webhook_id, status }
  const after = readCursor(next, bound, Position)
  const rows = await listDeliveries(readingOf(r), { ...bound, after, limit: limit + 1 })
  const { page, more } = pageOf(rows, limit, bound, ({ created_key: created_at, job_id, attempt }) => ({
    created_at,
    job_id,
    attempt,
  }))
  return { body: { deliveries: page.map(({ created_key: _position, ...delivery }) => delivery), count: page.length, ...more } }
}

const OneDelivery = z.object({ webhook_id: WebhookId, job_id: JobId, attempt: z.coerce.number().int().min(1).max(2_147_483_647) })

async function retry({ pathParameters, caller, r }: Call<z.infer<typeof OneDelivery>, object, object>): Promise<Answer> {
  const { retry_delivery: again } = only(await retryDelivery(r.db, { ...pathParameters, actor: caller.name }))
  if (!again) throw new AppError('DELIVERY_NOT_FOUND', 'There is no such message, or it is to be sent anyway.')
  return { status: 202, body: { ...pathParameters, status: 'pending' } }
}

const READ = { method: 'GET', role: 'reader' } as const

export const webhookRoutes: readonly HttpRow[] = [
  route({
    ...READ,
    name: 'listWebhooks',
    summary: 'who is told when jobs end',
    path: 'webhooks',
    query: ListQuery,
    handle: list,
  }),
  route({
    ...READ,
    name: 'getWebhook',
    summary: 'one webhook; the name of its secret, never the secret',
    path: 'webhooks/{webhook_id}',
    pathParameters: ById,
    handle: get,
  }),
  route({
    name: 'putWebhook',
    summary: 'makes or changes a webhook: `url`, `secret_name`, `job_type`, `statuses`, `is_paused`',
    method: 'PUT',
    path: 'webhooks/{webhook_id}',
    role: 'operator',
    pathParameters: ById,
    body: Body,
    handle: put,
  }),
  route({
    name: 'deleteWebhook',
    summary: 'removes a webhook with what it was to be told',
    method: 'DELETE',
    path: 'webhooks/{webhook_id}',
    role: 'operator',
    pathParameters: ById,
    handle: remove,
  }),
  route({
    ...READ,
    name: 'listDeliveries',
    summary: 'messages of a webhook, newest first; `status` pending, delivered or dead',
    path: 'webhooks/{webhook_id}/deliveries',
    pathParameters: ById,
    query: DeliveriesQuery,
    handle: deliveries,
  }),
  route({
    name: 'retryDelivery',
    summary: 'sends a message again, with all its tries',
    method: 'POST',
    path: `webhooks/{webhook_id}/deliveries/${JOB}/{attempt}/retry`,
    role: 'operator',
    pathParameters: OneDelivery,
    body: z.strictObject({}),
    handle: retry,
  }),
]
