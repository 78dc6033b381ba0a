// Webhooks: who is told when jobs end.
import type { JSX } from 'preact'
import { type Address, address, changed } from '../address.ts'
import { api, query } from '../api.ts'
import { words } from '../format.ts'
import { useLoad, useRole } from '../hooks.ts'
import { Empty, Shown } from '../ui/notice.tsx'
import { ReloadButton } from '../ui/reload.tsx'
import { Status } from '../ui/status.tsx'
import type { Webhook } from './webhook.ts'
import { WebhookForm } from './webhook-form.tsx'
import { WebhookView } from './webhook-view.tsx'

export function WebhooksView({ at, id }: { readonly at: Address; readonly id: string | undefined }): JSX.Element {
  const isOperator = useRole('operator')
  if (id !== undefined) return <WebhookView key={id} id={id} at={at} />
  if (!at.query.has('new')) return <Webhooks at={at} isOperator={isOperator} />
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={address(['webhooks'])}>Webhooks</a>
      </nav>
      <div class="heading">
        <h1>New webhook</h1>
      </div>
      {isOperator ? <WebhookForm /> : <Empty title="Webhooks are made by the role operator." />}
    </>
  )
}

const PAGE = 100
interface WebhookPage {
  readonly webhooks: readonly Webhook[]
  readonly next?: string
}

function Webhooks({ at, isOperator }: { readonly at: Address; readonly isOperator: boolean }): JSX.Element {
  const next = at.query.get('next') ?? undefined
  const path = `webhooks${query({ limit: PAGE, next })}`
  const load = useLoad(path, (signal) => api<WebhookPage>(path, { signal }))
  const makeNew = isOperator && (
    <a class="button primary" href={address(['webhooks'], { new: 1 })}>
      New webhook
    </a>
  )
  return (
    <>
      <div class="heading">
        <h1>Webhooks</h1>
        <span class="tools">
          <ReloadButton onClick={load.reload} />
          {load.data !== undefined && load.data.webhooks.length > 0 && makeNew}
        </span>
      </div>
      <Shown loaded={load}>
        {(page) =>
          page.webhooks.length === 0 ? (
            <Empty title="No webhooks yet.">
              <p>A webhook is told when a job ends, with a signature that it can check.</p>
              {makeNew}
            </Empty>
          ) : (
            <>
              <WebhookTable webhooks={page.webhooks} />
              <nav class="pages" aria-label="Pages of webhooks">
                {next !== undefined && <a href={changed(at, { next: undefined })}>First</a>}
                {page.next !== undefined && <a href={changed(at, { next: page.next })}>Next</a>}
              </nav>
            </>
          )
        }
      </Shown>
    </>
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
