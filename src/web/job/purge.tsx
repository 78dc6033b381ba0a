// Removes an ended job for good: asked with a reason, then the list of jobs is shown.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { address } from '../address.ts'
import { api } from '../api.ts'
import { shortId } from '../format.ts'
import { go, useRole } from '../hooks.ts'
import type { JobDocument } from '../types.ts'
import { PURGE } from './action-rules.ts'
import { Confirm } from '../ui/confirm.tsx'
import { ReasonField } from '../ui/reason.tsx'

export function PurgeButton({ job }: { readonly job: Pick<JobDocument, 'job_id' | 'job_type'> }): JSX.Element | null {
  const [asked, setAsked] = useState(false)
  const [reason, setReason] = useState('')
  if (!useRole('admin')) return null
  const purge = async (): Promise<void> => {
    await api(`jobs/${job.job_id}/purge`, { method: 'POST', body: { reason } })
    go(address(['jobs']))
  }
  return (
    <>
      <button type="button" class="danger" onClick={() => setAsked(true)}>
        {PURGE.label}
      </button>
      {asked && (
        <Confirm
          title={`${PURGE.label}: ${job.job_type}`}
          label={PURGE.label}
          isDanger
          isReady={reason.trim() !== ''}
          order={purge}
          onClose={() => setAsked(false)}
        >
          <p>
            This removes job {shortId(job.job_id)} with its tasks, events and result. It cannot be undone. The files that it made
            stay.
          </p>
          <ReasonField value={reason} onChange={setReason} placeholder="stands in the audit of the whole app" />
        </Confirm>
      )}
    </>
  )
}
