// A webhook as the API has it, its messages, and the form of one. Pure.
import { fieldsOf, type Field, type Schema, valuesFrom } from '../submit/schema-form.ts'
import type { JobStatus } from '../types.ts'
import { hasEnded, JOB_STATUSES } from '../words.ts'

/** What a caller puts. */
export interface WebhookOrder {
  readonly url: string
  readonly secret_name: string
  /** Null: every type. */
  readonly job_type: string | null
  readonly statuses: readonly JobStatus[]
  readonly is_paused: boolean
}

export interface Webhook extends WebhookOrder {
  readonly webhook_id: string
  readonly created_by: string | null
  readonly created_at: string
  readonly updated_at: string
}

export interface Delivery {
  readonly job_id: string
  readonly attempt: number
  readonly status: 'pending' | 'delivered' | 'dead'
  readonly tries: number
  readonly next_try_at: string
  /** HTTP status of the last answer. */
  readonly answered: number | null
  readonly error: string | null
  readonly created_at: string
  readonly delivered_at: string | null
}

export interface DeliveryPage {
  readonly deliveries: readonly Delivery[]
  readonly next?: string
}

export const webhookOrderOf = ({ url, secret_name, job_type, statuses, is_paused }: Webhook): WebhookOrder => ({
  url,
  secret_name,
  job_type,
  statuses,
  is_paused,
})

const ENDS = JOB_STATUSES.filter(hasEnded)

/** Fields of a webhook; without a name where it has one. */
export function webhookFields(jobTypes: readonly string[], isNew: boolean): Field[] {
  const name: Schema = { type: 'string', maxLength: 63, description: 'lower-case letters, digits, `_` and `-`' }
  return fieldsOf({
    required: ['webhook_id', 'url', 'secret_name', 'statuses'],
    properties: {
      ...(isNew ? { webhook_id: name } : {}),
      url: { type: 'string', maxLength: 2000, description: 'https, of a host that the setting `WEBHOOK_HOSTS` allows' },
      secret_name: {
        type: 'string',
        maxLength: 127,
        description:
          'name of the secret that messages are signed with, in the vault or the environment; the secret itself never comes here',
      },
      job_type: { enum: jobTypes, description: 'only jobs of this type; without one, of every type' },
      statuses: { type: 'array', items: { enum: ENDS }, default: [...ENDS], description: 'ends that are told' },
    },
  })
}

/** What stands in the form of one that is changed. */
export const webhookValues = (jobTypes: readonly string[], webhook: Webhook): Readonly<Record<string, string>> =>
  valuesFrom(webhookFields(jobTypes, false), { ...webhookOrderOf(webhook), statuses: [...webhook.statuses] })
