// One webhook: where to, what became of its messages, and what operators do to it.
import type { JSX } from 'preact'
import { type Address, address } from '../address.ts'
import { api, query } from '../api.ts'
import { moment, words } from '../format.ts'
import { useLoad, useRole } from '../hooks.ts'
import { Fact } from '../job/facts.tsx'
import { RecordOrders } from '../records/record-orders.tsx'
import { Shown } from '../ui/notice.tsx'
import { ReloadButton } from '../ui/reload.tsx'
import { Status } from '../ui/status.tsx'
import { Deliveries } from './deliveries.tsx'
import { type DeliveryPage, type Webhook, webhookOrderOf } from './webhook.ts'
import { WebhookForm } from './webhook-form.tsx'

const PAGE = 50
const pathOf = (id: string): string => `webhooks/${encodeURIComponent(id)}`

interface Both {
  readonly webhook: Webhook
  readonly page: DeliveryPage
}

async function loadBoth(id: string, filter: string, signal: AbortSignal): Promise<Both> {
  const [webhook, page] = await Promise.all([
    api<Webhook>(pathOf(id), { signal }),
    api<DeliveryPage>(`${pathOf(id)}/deliveries${filter}`, { signal }),
  ])
  return { webhook, page }
}

export function WebhookView({ id, at }: { readonly id: string; readonly at: Address }): JSX.Element {
  const filter = query({
    limit: PAGE,
    status: at.query.get('status') ?? undefined,
    next: at.query.get('next') ?? undefined,
  })
  const load = useLoad(`${id} ${filter}`, (signal) => loadBoth(id, filter, signal))
  const isOperator = useRole('operator')
  const isEdited = at.query.has('edit') && isOperator
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={address(['webhooks'])}>Webhooks</a>
      </nav>
      <Shown loaded={load}>
        {({ webhook, page }) => (
          <>
            <div class="heading">
              <h1>{webhook.webhook_id}</h1>
              <Status value={webhook.is_paused ? 'paused' : 'active'} />
              <span class="tools">
                <ReloadButton onClick={load.reload} />
                {isOperator && !isEdited && <Orders webhook={webhook} onDone={load.reload} />}
              </span>
            </div>
            {isEdited ? (
              <WebhookForm webhook={webhook} onSaved={load.reload} />
            ) : (
              <>
                <Facts webhook={webhook} />
                <h2>Messages</h2>
                <Deliveries webhook={webhook} page={page} at={at} onSent={load.reload} />
              </>
            )}
          </>
        )}
      </Shown>
    </>
  )
}

const Facts = ({
  webhook: { url, secret_name, job_type, statuses, created_by, updated_at },
}: {
  readonly webhook: Webhook
}): JSX.Element => (
  <div class="card facts">
    <dl>
      <Fact name="Address">{url}</Fact>
      <Fact name="Name of the secret">
        <code>{secret_name}</code>
      </Fact>
      <Fact name="Job type">{job_type ?? 'every type'}</Fact>
      <Fact name="Told of">{statuses.map(words).join(', ')}</Fact>
      <Fact name="Made by">{created_by ?? '–'}</Fact>
      <Fact name="Changed">{moment(updated_at, new Date())}</Fact>
    </dl>
  </div>
)

const EXPLAINS = {
  pause: 'Nothing is sent until somebody resumes it. What is to be told is written down, and sent then.',
  resume: 'What waits is sent, and what comes.',
  delete: 'Nobody is told there any more, and its messages go with it, also those that wait.',
} as const

const Orders = ({ webhook, onDone }: { readonly webhook: Webhook; readonly onDone: () => void }): JSX.Element => (
  <RecordOrders
    kind="webhooks"
    id={webhook.webhook_id}
    isPaused={webhook.is_paused}
    explains={EXPLAINS}
    orderOf={webhookOrderOf}
    onDone={onDone}
  />
)
