// Webhooks: who is told when jobs end.
import type { JSX } from 'preact'
import { type Address, address } from '../address.ts'
import { words } from '../format.ts'
import { RecordsView } from '../records/records-view.tsx'
import { Status } from '../ui/status.tsx'
import type { Webhook } from './webhook.ts'
import { WebhookForm } from './webhook-form.tsx'
import { WebhookView } from './webhook-view.tsx'

export function WebhooksView({ at, id }: { readonly at: Address; readonly id: string | undefined }): JSX.Element {
  if (id !== undefined) return <WebhookView key={id} id={id} at={at} />
  return (
    <RecordsView<Webhook>
      at={at}
      path="webhooks"
      one="webhook"
      purpose="A webhook is told when a job ends, with a signature that it can check."
      form={() => <WebhookForm />}
      table={(webhooks) => <WebhookTable webhooks={webhooks} />}
    />
  )
}

const WebhookTable = ({ webhooks }: { readonly webhooks: readonly Webhook[] }): JSX.Element => (
  <div class="scroll" tabIndex={0} role="region" aria-label="Table of webhooks">
    <table class="list stacked">
      <thead>
        <tr>
          <th scope="col">Webhook</th>
          <th scope="col">State</th>
          <th scope="col">Address</th>
          <th scope="col">Job type</th>
          <th scope="col">Told of</th>
        </tr>
      </thead>
      <tbody>
        {webhooks.map(({ webhook_id, is_paused, url, job_type, statuses }) => (
          <tr key={webhook_id}>
            <td data-label="Webhook" class="name">
              <a class="strong" href={address(['webhooks', webhook_id])}>
                {webhook_id}
              </a>
            </td>
            <td data-label="State">
              <Status value={is_paused ? 'paused' : 'active'} />
            </td>
            <td data-label="Address" class="name">
              {url}
            </td>
            <td data-label="Job type" class="name">
              {job_type ?? <span class="faint">every type</span>}
            </td>
            <td data-label="Told of">{statuses.map(words).join(', ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)
