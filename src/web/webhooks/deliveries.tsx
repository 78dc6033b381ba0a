// Messages of a webhook, newest first: tries, the next one, and those that were given up, which operators send again.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type Address, address, changed } from '../address.ts'
import { api } from '../api.ts'
import { ahead, moment, shortId } from '../format.ts'
import { go, useRole } from '../hooks.ts'
import { Choice } from '../job-list/filter-bar.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { Empty } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'
import type { Delivery, DeliveryPage, Webhook } from './webhook.ts'

const STATES = ['pending', 'delivered', 'dead'] as const satisfies readonly Delivery['status'][]

export interface DeliveriesProps {
  readonly webhook: Webhook
  readonly page: DeliveryPage
  readonly at: Address
  readonly onSent: () => void
}

export function Deliveries({ webhook, page, at, onSent }: DeliveriesProps): JSX.Element {
  const [again, setAgain] = useState<Delivery>()
  const status = at.query.get('status') ?? undefined
  return (
    <>
      <search class="filters">
        <Choice
          label="Status"
          value={status}
          options={STATES.map((name) => [name, name === 'dead' ? 'dead: given up' : name])}
          onChange={(chosen) => go(changed(at, { status: chosen, next: undefined }))}
        />
      </search>
      {page.deliveries.length === 0 ? (
        <Empty title={status === undefined ? 'Nothing was to be told yet.' : 'No message is in this state.'} />
      ) : (
        <DeliveryTable page={page} onAgain={setAgain} />
      )}
      <nav class="pages" aria-label="Pages of messages">
        {at.query.has('next') && <a href={changed(at, { next: undefined })}>Newest</a>}
        {page.next !== undefined && <a href={changed(at, { next: page.next })}>Older messages</a>}
      </nav>
      {again && (
        <Confirm
          title="Send again"
          label="Send again"
          order={async () => {
            await sendAgain(webhook, again)
            onSent()
          }}
          onClose={() => setAgain(undefined)}
        >
          <p>{`${webhook.url} is told again of the end of job ${shortId(again.job_id)}, attempt ${again.attempt}, with all tries.`}</p>
        </Confirm>
      )}
    </>
  )
}

const sendAgain = ({ webhook_id }: Webhook, { job_id, attempt }: Delivery): Promise<unknown> =>
  api(`webhooks/${encodeURIComponent(webhook_id)}/deliveries/${job_id}/${attempt}/retry`, { method: 'POST', body: {} })

interface TableProps {
  readonly page: DeliveryPage
  readonly onAgain: (delivery: Delivery) => void
}

const DeliveryTable = ({ page, onAgain }: TableProps): JSX.Element => (
  <div class="scroll" tabIndex={0} role="region" aria-label="Table of messages">
    <table class="list stacked">
      <thead>
        <tr>
          <th scope="col">Job ended</th>
          <th scope="col">Job</th>
          <th scope="col">Status</th>
          <th scope="col" class="number">
            Tries
          </th>
          <th scope="col">Next try</th>
          <th scope="col">Last answer</th>
          <th scope="col">Action</th>
        </tr>
      </thead>
      <tbody>
        {page.deliveries.map((delivery) => (
          <DeliveryRow key={`${delivery.job_id} ${delivery.attempt}`} delivery={delivery} onAgain={onAgain} />
        ))}
      </tbody>
    </table>
  </div>
)

function DeliveryRow({
  delivery,
  onAgain,
}: {
  readonly delivery: Delivery
  readonly onAgain: TableProps['onAgain']
}): JSX.Element {
  const { job_id, attempt, status, tries, next_try_at, answered, error, created_at, delivered_at } = delivery
  const now = new Date()
  return (
    <tr>
      <td data-label="Job ended">{moment(created_at, now)}</td>
      <td data-label="Job">
        <a href={address(['jobs', job_id])}>
          <code>{shortId(job_id)}</code>
        </a>
        <span class="faint block">attempt {attempt}</span>
      </td>
      <td data-label="Status">
        <Status value={status} />
        {delivered_at !== null && <span class="faint block">{moment(delivered_at, now)}</span>}
      </td>
      <td data-label="Tries" class="number">
        {tries}
      </td>
      <td data-label="Next try">{status === 'pending' ? <NextTry at={next_try_at} now={now} /> : '–'}</td>
      <td data-label="Last answer" class="name">
        {answered ?? '–'}
        {error !== null && <span class="faint block">{error}</span>}
      </td>
      <td data-label="Action">{status !== 'pending' && <AgainButton onClick={() => onAgain(delivery)} />}</td>
    </tr>
  )
}

const AgainButton = ({ onClick }: { readonly onClick: () => void }): JSX.Element | null =>
  useRole('operator') ? (
    <button type="button" onClick={onClick}>
      Send again
    </button>
  ) : null

const NextTry = ({ at, now }: { readonly at: string; readonly now: Date }): JSX.Element => (
  <>
    {moment(at, now)} <span class="faint block">{ahead(at, now)}</span>
  </>
)
