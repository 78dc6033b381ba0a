// Webhooks: who is told when a job has ended, and what became of each message.
import * as z from 'zod'
import { JobId, SnakeName } from './names.ts'
import { column, instant, instantNow, int32, type TableDefinition } from './sql-meta.ts'
import { ScheduleId } from './schedule.ts'
import { TERMINAL_JOB_STATUSES } from './words.ts'

/** Of the same form as the name of a schedule. */
export const WebhookId = ScheduleId
export const TerminalStatus = z.enum(TERMINAL_JOB_STATUSES)

export const Webhook = z.object({
  webhook_id: WebhookId.describe('chosen by whoever made it'),
  url: z.string().min(8).max(2000).describe('without credentials; its host is on the allow-list'),
  secret_name: z.string().min(1).max(127).describe('of the secret that messages are signed with: never the secret itself'),
  job_type: SnakeName.nullable().describe('null: every type'),
  statuses: z.array(TerminalStatus).min(1).max(4).describe('ends that are told'),
  is_paused: z.boolean().default(false),
  created_by: z.string().max(200).nullable(),
  created_at: instantNow('first version'),
  updated_at: instantNow('last change by somebody'),
})
export type Webhook = z.infer<typeof Webhook>

export const webhooksTable: TableDefinition = {
  name: 'webhooks',
  comment: 'Addresses that are told when jobs end.',
  model: Webhook,
  primaryKey: ['webhook_id'],
}

/** pending: to be sent, again perhaps; delivered: answered 2xx; dead: given up, until somebody says again. */
export const DeliveryStatus = z.enum(['pending', 'delivered', 'dead'])
export type DeliveryStatus = z.infer<typeof DeliveryStatus>

export const WebhookDelivery = z.object({
  webhook_id: WebhookId,
  job_id: JobId,
  attempt: int32(1).describe('of the job: each end is told once'),
  status: DeliveryStatus.default('pending'),
  payload: column(z.record(z.string(), z.unknown()), { type: 'jsonb' }).describe('the message, as the job ended'),
  tries: int32(0).default(0),
  next_try_at: instantNow('not before; while it is sent, the end of the lease'),
  answered: int32(100, 599).nullable().describe('HTTP status of the last answer'),
  error: z.string().max(500).nullable().describe('why the last try failed'),
  created_at: instantNow('end of the job'),
  delivered_at: instant().nullable(),
})
export type WebhookDelivery = z.infer<typeof WebhookDelivery>

export const webhookDeliveriesTable: TableDefinition = {
  name: 'webhook_deliveries',
  comment: 'Messages to webhooks, written in the transaction that ends the job.',
  model: WebhookDelivery,
  primaryKey: ['webhook_id', 'job_id', 'attempt'],
  indexes: [
    {
      name: 'webhook_deliveries_due',
      on: 'next_try_at',
      where: "status = 'pending'",
      why: 'what is to be sent, asked every 30 s',
    },
    {
      name: 'webhook_deliveries_newest',
      on: 'webhook_id, created_at DESC, job_id, attempt',
      why: 'list of one webhook, newest first',
    },
    { name: 'webhook_deliveries_job', on: 'job_id', why: 'goes with its job' },
  ],
}
