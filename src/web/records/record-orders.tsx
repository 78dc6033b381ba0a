// What operators do to a record that stays: edit, pause, resume, delete; each asked first.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { address } from '../address.ts'
import { api } from '../api.ts'
import { go } from '../hooks.ts'
import { Confirm } from '../ui/confirm.tsx'

type Order = 'pause' | 'resume' | 'delete'
const LABELS: Readonly<Record<Order, string>> = { pause: 'Pause', resume: 'Resume', delete: 'Delete' }

export interface RecordOrdersProps<T> {
  /** The view, and the path of the API. */
  readonly kind: 'schedules' | 'webhooks'
  readonly id: string
  readonly isPaused: boolean
  /** What each does, as a sentence. */
  readonly explains: Readonly<Record<Order, string>>
  /** What is put, from what the API has. */
  readonly orderOf: (record: T) => object
  readonly onDone: () => void
}

export function RecordOrders<T>(props: RecordOrdersProps<T>): JSX.Element {
  const { kind, id, isPaused, explains, onDone } = props
  const [asked, setAsked] = useState<Order>()
  const possible: readonly Order[] = [isPaused ? 'resume' : 'pause', 'delete']
  return (
    <>
      <a class="button" href={address([kind, id], { edit: 1 })}>
        Edit
      </a>
      {possible.map((name) => (
        <button key={name} type="button" class={name === 'delete' ? 'danger' : ''} onClick={() => setAsked(name)}>
          {LABELS[name]}
        </button>
      ))}
      {asked && (
        <Confirm
          title={`${LABELS[asked]} ${id}`}
          label={LABELS[asked]}
          isDanger={asked === 'delete'}
          order={async () => {
            await give(asked, props)
            if (asked === 'delete') go(address([kind]))
            else onDone()
          }}
          onClose={() => setAsked(undefined)}
        >
          <p>{explains[asked]}</p>
        </Confirm>
      )}
    </>
  )
}

/** Of what is stored now: somebody else may have changed it since it was shown. */
async function give<T>(order: Order, { kind, id, orderOf }: RecordOrdersProps<T>): Promise<void> {
  const path = `${kind}/${encodeURIComponent(id)}`
  if (order === 'delete') await api(path, { method: 'DELETE' })
  else await api(path, { method: 'PUT', body: { ...orderOf(await api<T>(path)), is_paused: order === 'pause' } })
}
