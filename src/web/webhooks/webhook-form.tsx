// Makes a webhook, or changes one: where to, signed with which secret, and which ends are told.
import type { JSX } from 'preact'
import { address } from '../address.ts'
import { api } from '../api.ts'
import { go, useLoad } from '../hooks.ts'
import { RecordForm, refuseTaken } from '../records/record-form.tsx'
import { textOf } from '../submit/schema-form.ts'
import type { Json } from '../types.ts'
import { Shown } from '../ui/notice.tsx'
import { type Webhook, webhookFields, webhookValues } from './webhook.ts'

export interface WebhookFormProps {
  /** Undefined: a new one. */
  readonly webhook?: Webhook
  readonly onSaved?: () => void
}

export function WebhookForm({ webhook, onSaved }: WebhookFormProps): JSX.Element {
  const load = useLoad('job-types', (signal) => api<{ job_types: readonly { name: string }[] }>('job-types', { signal }))
  const isNew = webhook === undefined
  const save = async (filled: { [name: string]: Json }): Promise<void> => {
    const { webhook_id, ...record } = filled
    const id = webhook?.webhook_id ?? textOf(webhook_id)
    const path = `webhooks/${encodeURIComponent(id)}`
    if (isNew) await refuseTaken(path, 'webhook_id')
    await api(path, { method: 'PUT', body: { ...record, is_paused: webhook?.is_paused ?? false } })
    onSaved?.()
    go(address(['webhooks', id]))
  }
  return (
    <Shown loaded={load}>
      {({ job_types }) => {
        const names = job_types.map(({ name }) => name)
        return (
          <RecordForm
            fieldsFor={() => webhookFields(names, isNew)}
            initial={webhook ? webhookValues(names, webhook) : {}}
            label={isNew ? 'Make the webhook' : 'Save the webhook'}
            cancelHref={address(webhook ? ['webhooks', webhook.webhook_id] : ['webhooks'])}
            save={save}
          />
        )
      }}
    </Shown>
  )
}
