// Callers of the SQL functions of webhooks, and the reads beside them.
import type { Row } from '../models/row.ts'
import type { DeliveryStatus, Webhook, WebhookDelivery } from '../models/webhook.ts'
import type { Database } from './pool.ts'
import { sqlFunction } from './sql-function.ts'

export const putWebhook = sqlFunction<
  {
    webhook_id: string
    url: string
    secret_name: string
    job_type: string | null
    statuses: readonly string[]
    is_paused: boolean
    actor: string
  },
  { created: boolean }
>(
  'put_webhook',
  {
    webhook_id: 'text',
    url: 'text',
    secret_name: 'text',
    job_type: 'text',
    statuses: 'jsonb',
    is_paused: 'boolean',
    actor: 'text',
  },
  { created: 'boolean' },
)

export const deleteWebhook = sqlFunction<{ webhook_id: string; actor: string }, { delete_webhook: boolean }>(
  'delete_webhook',
  { webhook_id: 'text', actor: 'text' },
  { delete_webhook: 'boolean' },
)

/** A message that this caller has to send now. */
export interface TakenDelivery {
  readonly webhook_id: string
  readonly job_id: string
  readonly attempt: number
  /** This one included. */
  readonly tries: number
  readonly url: string
  readonly secret_name: string
  readonly payload: Record<string, unknown>
}

export const takeDeliveries = sqlFunction<{ limit: number; lease: number }, TakenDelivery>(
  'take_deliveries',
  { limit: 'integer', lease: 'interval' },
  {
    webhook_id: 'text',
    job_id: 'text',
    attempt: 'integer',
    tries: 'integer',
    url: 'text',
    secret_name: 'text',
    payload: 'jsonb',
  },
)

interface DeliveryKey {
  readonly webhook_id: string
  readonly job_id: string
  readonly attempt: number
}

export const endDelivery = sqlFunction<
  DeliveryKey & { tries: number; answered: number | null; error: string | null; retry_in: number | null },
  { end_delivery: boolean }
>(
  'end_delivery',
  {
    webhook_id: 'text',
    job_id: 'text',
    attempt: 'integer',
    tries: 'integer',
    answered: 'integer',
    error: 'text',
    retry_in: 'interval',
  },
  { end_delivery: 'boolean' },
)

export const retryDelivery = sqlFunction<DeliveryKey & { actor: string }, { retry_delivery: boolean }>(
  'retry_delivery',
  { webhook_id: 'text', job_id: 'text', attempt: 'integer', actor: 'text' },
  { retry_delivery: 'boolean' },
)

export type WebhookRow = Row<typeof Webhook>
export type DeliveryRow = Omit<Row<typeof WebhookDelivery>, 'payload'>

/** By name; `after` is the last one of the page before. */
export const listWebhooks = (db: Database, after: string | undefined, limit: number): Promise<WebhookRow[]> =>
  db.query(`SELECT * FROM app.webhooks WHERE ($1::text IS NULL OR webhook_id > $1) ORDER BY webhook_id LIMIT $2`, [after, limit])

export const findWebhook = async (db: Database, id: string): Promise<WebhookRow | undefined> =>
  (await db.query<WebhookRow>(`SELECT * FROM app.webhooks WHERE webhook_id = $1`, [id]))[0]

export interface DeliveryFilter {
  readonly webhook_id: string
  readonly status?: DeliveryStatus | undefined
  readonly after?: { readonly created_at: string; readonly job_id: string; readonly attempt: number } | undefined
  readonly limit: number
}

/** Newest first, without the messages. */
export const listDeliveries = (db: Database, f: DeliveryFilter): Promise<(DeliveryRow & { created_key: string })[]> =>
  db.query(
    `SELECT webhook_id, job_id, attempt, status, tries, next_try_at, answered, error, created_at, delivered_at, created_at::text AS created_key
     FROM app.webhook_deliveries WHERE webhook_id = $1 AND ($2::text IS NULL OR status = $2)
       AND ($3::timestamptz IS NULL OR created_at < $3 OR (created_at = $3 AND (job_id, attempt) > ($4, $5::int)))
     ORDER BY created_at DESC, job_id, attempt LIMIT $6`,
    [f.webhook_id, f.status, f.after?.created_at, f.after?.job_id, f.after?.attempt, f.limit],
  )
