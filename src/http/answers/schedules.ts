// What routes of schedules and webhooks answer.
import * as z from 'zod'
import { JobId } from '../../models/names.ts'
import { MissedRule, ScheduleId, ScheduleRunStatus } from '../../models/schedule.ts'
import { DeliveryStatus, TerminalStatus, WebhookId } from '../../models/webhook.ts'
import { type AnswersByName, count, deleted, found, json, list, object, put, text, time } from './declared.ts'

const Run = z.looseObject({
  due_at: time,
  status: ScheduleRunStatus,
  job_id: JobId.nullable(),
  attempt: z.int().min(1).nullable(),
  error_code: text.nullable(),
  error_details: text.nullable(),
  changed_at: time,
})
const common = { job_type: text, is_paused: z.boolean(), created_by: text.nullable(), created_at: time, updated_at: time }
const Schedule = z.looseObject({
  ...common,
  schedule_id: ScheduleId,
  parameters: object,
  cron: text,
  time_zone: text,
  missed: MissedRule,
  next_due_at: time.nullable(),
  next_due_times: z.array(time),
  last_run: Run.nullable(),
  links: z.object({ runs: z.url() }),
})
const Webhook = z.looseObject({
  ...common,
  webhook_id: WebhookId,
  url: text,
  secret_name: text.describe('never the secret itself'),
  job_type: text.nullable().describe('null: every type'),
  statuses: z.array(TerminalStatus),
})
const Delivery = z.looseObject({
  webhook_id: WebhookId,
  job_id: JobId,
  attempt: z.int().min(1),
  status: DeliveryStatus,
  tries: count,
  next_try_at: time,
  answered: z.int().nullable(),
  error: text.nullable(),
  created_at: time,
  delivered_at: time.nullable(),
})

export const scheduleAnswers: AnswersByName = {
  listSchedules: list('schedules', Schedule),
  getSchedule: found('the schedule', Schedule),
  putSchedule: put(Schedule),
  deleteSchedule: deleted,
  listScheduleRuns: list('runs', Run.extend({ schedule_id: ScheduleId })),
  listWebhooks: list('webhooks', Webhook),
  getWebhook: found('the webhook', Webhook),
  putWebhook: put(Webhook),
  deleteWebhook: deleted,
  listDeliveries: list('deliveries', Delivery),
  retryDelivery: {
    202: json(
      'it is sent again',
      z.looseObject({ webhook_id: WebhookId, job_id: JobId, attempt: z.int().min(1), status: z.literal('pending') }),
    ),
  },
}
