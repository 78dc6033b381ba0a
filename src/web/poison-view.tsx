// Tasks whose every worker died: by type and stage, requeued, given up, or saved as a file.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { address } from './address.ts'
import { api, type ApiError, ask } from './api.ts'
import { count, moment, shortId } from './format.ts'
import { asApiError, useLoad, useRole } from './hooks.ts'
import { ReasonField } from './ui/reason.tsx'
import type { Task } from './types.ts'
import { Dialog } from './ui/dialog.tsx'
import { Empty, ErrorNotice, Shown } from './ui/notice.tsx'
import { Status } from './ui/status.tsx'

interface Report {
  readonly poison_messages_found: number
  readonly queue_details: readonly { job_type: string; stage_name: string; tasks: number; jobs: number; oldest: string }[]
  readonly last_checked: string
  readonly status: string
  readonly tasks: readonly (Task & { readonly job_type: string })[]
}

type Order = 'requeue' | 'discard'
const ORDERS: Readonly<Record<Order, readonly [label: string, explains: string]>> = {
  requeue: ['Requeue all', 'Every poisoned task runs again from its first try.'],
  discard: ['Give up all', 'Every poisoned task stays failed and is no longer shown here.'],
}

export function PoisonView(): JSX.Element {
  const isOperator = useRole('operator')
  const [order, setOrder] = useState<Order>()
  const load = useLoad(isOperator ? 'poison' : undefined, (signal) => api<Report>('monitor/poison', { signal }))
  if (!isOperator) return <Empty title="Poisoned tasks are for the role operator." />
  const found = load.data?.poison_messages_found ?? 0
  return (
    <>
      <div class="heading">
        <h1>Poison</h1>
        {load.data && <Status value={load.data.status} />}
        {found > 0 && (
          <span class="tools">
            {(Object.keys(ORDERS) as Order[]).map((name) => (
              <button key={name} type="button" class={name === 'discard' ? 'danger' : ''} onClick={() => setOrder(name)}>
                {ORDERS[name][0]}
              </button>
            ))}
            <ExportButton />
          </span>
        )}
      </div>
      <Shown loaded={load}>{(report) => <ReportView report={report} />}</Shown>
      {order && <OrderDialog order={order} onClose={() => (setOrder(undefined), load.reload())} />}
    </>
  )
}

function ReportView({ report }: { readonly report: Report }): JSX.Element {
  const { poison_messages_found: found, queue_details: groups, tasks, last_checked } = report
  const now = new Date(last_checked)
  if (found === 0)
    return (
      <Empty title="No poisoned tasks.">
        <p>A task comes here when every worker that tried it died.</p>
      </Empty>
    )
  return (
    <>
      <p>
        {groups.map(({ job_type, stage_name, tasks: n, jobs, oldest }) => (
          <span key={`${job_type} ${stage_name}`} class="block">
            <b>{count(n)}</b> of {job_type}, {stage_name}, in {count(jobs)} {jobs === 1 ? 'job' : 'jobs'}, since{' '}
            {moment(oldest, now)}
          </span>
        ))}
      </p>
      <table class="list stacked">
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Job</th>
            <th scope="col">Stage</th>
            <th scope="col">Ended</th>
            <th scope="col">What was seen last</th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <PoisonRow key={`${task.job_id} ${task.stage} ${task.task_no}`} task={task} now={now} />
          ))}
        </tbody>
      </table>
    </>
  )
}

const PoisonRow = ({ task, now }: { readonly task: Report['tasks'][number]; readonly now: Date }): JSX.Element => (
  <tr>
    <td data-label="Task" class="name">
      {task.task_key}
    </td>
    <td data-label="Job">
      <a href={address(['jobs', task.job_id])}>
        {task.job_type} <code>{shortId(task.job_id)}</code>
      </a>
    </td>
    <td data-label="Stage">{task.stage_name}</td>
    <td data-label="Ended">{task.finished_at === null ? '–' : moment(task.finished_at, now)}</td>
    <td data-label="What was seen last" class="name">
      {task.error_details ?? '–'}
    </td>
  </tr>
)

function OrderDialog({ order, onClose }: { readonly order: Order; readonly onClose: () => void }): JSX.Element {
  const [reason, setReason] = useState('')
  const [error, setError] = useState<ApiError>()
  const [label, explains] = ORDERS[order]
  const send = async (): Promise<void> => {
    try {
      await api('monitor/poison', { method: 'POST', body: { action: order, reason } })
      onClose()
    } catch (cause) {
      setError(asApiError(cause))
    }
  }
  return (
    <Dialog title={label} onClose={onClose}>
      <p>{explains}</p>
      <form onSubmit={(event) => (event.preventDefault(), void send())}>
        <ReasonField value={reason} onChange={setReason} />
        {error && <ErrorNotice error={error} />}
        <div class="buttons">
          <button type="submit" class={order === 'discard' ? 'danger' : 'primary'} disabled={reason.trim() === ''}>
            {label}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** Saved through a link of the moment: the answer carries no address that could be opened without the key. */
function ExportButton(): JSX.Element {
  const save = async (): Promise<void> => {
    const answer = await ask('monitor/poison', { method: 'POST', body: { action: 'export' } })
    const link = document.createElement('a')
    link.href = URL.createObjectURL(await answer.blob())
    link.download = 'poison.ndjson'
    link.click()
    URL.revokeObjectURL(link.href)
  }
  return (
    <button type="button" onClick={() => void save()}>
      Save as file
    </button>
  )
}
