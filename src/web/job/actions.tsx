// What operators do to one job: asked first, with a reason, and answered with what the server says.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { api, type ApiError } from '../api.ts'
import { words } from '../format.ts'
import { asApiError, useRole } from '../hooks.ts'
import type { JobDocument, JobStatus } from '../types.ts'
import { ACTIONS, type ActionName } from './action-rules.ts'
import { Dialog } from '../ui/dialog.tsx'
import { ErrorNotice } from '../ui/notice.tsx'
import { ReasonField } from '../ui/reason.tsx'
import { hasEnded } from '../words.ts'
import { PurgeButton } from './purge.tsx'

/** A retry of a part of the failed tasks. */
export interface Selection {
  readonly error_code?: string
  readonly key_pattern?: string
}

export interface ActionProps {
  readonly job: Pick<JobDocument, 'job_id' | 'job_type' | 'status'>
  readonly onDone: () => void
}

export function ActionButtons({ job, onDone }: ActionProps): JSX.Element | null {
  const [asked, setAsked] = useState<ActionName>()
  if (!useRole('operator')) return null
  const possible = (Object.keys(ACTIONS) as ActionName[]).filter((name) => ACTIONS[name].on.includes(job.status))
  return (
    <span class="tools">
      {possible.map((name) => (
        <button key={name} type="button" class={name === 'cancel' ? 'danger' : ''} onClick={() => setAsked(name)}>
          {ACTIONS[name].label}
        </button>
      ))}
      {hasEnded(job.status) && <PurgeButton job={job} />}
      {asked && <ActionDialog job={job} action={asked} onClose={() => setAsked(undefined)} onDone={onDone} />}
    </span>
  )
}

interface DialogProps extends ActionProps {
  readonly action: ActionName
  readonly selection?: Selection
  readonly onClose: () => void
}

interface Changed {
  readonly changed: boolean
  readonly status: JobStatus
  readonly attempt: number
  readonly tasks?: number
}

export function ActionDialog({ job, action, selection = {}, onClose, onDone }: DialogProps): JSX.Element {
  const [reason, setReason] = useState('')
  const [answer, setAnswer] = useState<Changed>()
  const [error, setError] = useState<ApiError>()
  const [busy, setBusy] = useState(false)
  const order = async (): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      setAnswer(await api<Changed>(`jobs/${job.job_id}/${action}`, { method: 'POST', body: { reason, ...selection } }))
      onDone()
    } catch (cause) {
      setError(asApiError(cause))
    }
    setBusy(false)
  }
  const { label, explains } = ACTIONS[action]
  return (
    <Dialog title={`${label}: ${job.job_type}`} onClose={onClose}>
      <p>
        This {explains}.{selection.error_code && ` Only those that failed with ${selection.error_code}.`}
        {selection.key_pattern && ` Only the task ${selection.key_pattern}.`}
      </p>
      <form onSubmit={(event) => (event.preventDefault(), void order())}>
        {!answer && <ReasonField value={reason} onChange={setReason} />}
        {error && <ErrorNotice error={error} />}
        {answer && <Outcome answer={answer} onClose={onClose} />}
        {!answer && (
          <div class="buttons">
            <button type="submit" class={action === 'cancel' ? 'danger' : 'primary'} disabled={busy || reason.trim() === ''}>
              {label}
            </button>
          </div>
        )}
      </form>
    </Dialog>
  )
}

function Outcome({ answer, onClose }: { readonly answer: Changed; readonly onClose: () => void }): JSX.Element {
  const { changed, status, attempt, tasks } = answer
  return (
    <>
      <p role="status" class="strong">
        {changed ? `Done. The job is ${words(status)}, attempt ${attempt}` : `Nothing changed: the job is ${words(status)}`}
        {tasks !== undefined && `, ${tasks} ${tasks === 1 ? 'task runs' : 'tasks run'} again`}.
      </p>
      <p class="faint">The action stands in the job's events with your name and reason.</p>
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </>
  )
}
