// One action for all jobs of a filter: first what it would change, then the order.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { address } from '../address.ts'
import { api, type ApiError } from '../api.ts'
import { count, shortId, words } from '../format.ts'
import { asApiError, useRole } from '../hooks.ts'
import type { JobStatus } from '../types.ts'
import { Dialog } from '../ui/dialog.tsx'
import { ErrorNotice } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'
import { ACTIONS, type ActionName, PURGE } from '../job/action-rules.ts'
import { ReasonField } from '../ui/reason.tsx'
import { apiFilter, inWords, type JobFilter } from './filter.ts'

/** The server's own bound of one order. */
const MOST = 1000

type BulkActionName = ActionName | 'purge'

interface Report {
  readonly dry_run: boolean
  readonly matched: number
  readonly changed: number
  readonly more: boolean
  readonly jobs: readonly { job_id: string; was: JobStatus; outcome: string; status?: JobStatus; message?: string }[]
}

export function BulkDialog({ filter, onClose }: { readonly filter: JobFilter; readonly onClose: () => void }): JSX.Element {
  const [action, setAction] = useState<BulkActionName>('retry')
  const [reason, setReason] = useState('')
  const [report, setReport] = useState<Report>()
  const [error, setError] = useState<ApiError>()
  const [busy, setBusy] = useState(false)
  const order = async (dryRun: boolean): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      const body = { reason, filter: apiFilter(filter, new Date()), dry_run: dryRun, limit: MOST }
      const [path, whole] = action === 'purge' ? ['bulk/purge', body] : ['bulk/jobs', { action, ...body }]
      setReport(await api<Report>(path, { method: 'POST', body: whole }))
    } catch (cause) {
      setError(asApiError(cause))
    }
    setBusy(false)
  }
  const choose = (name: BulkActionName): void => (setAction(name), setReport(undefined))
  return (
    <Dialog title="Act on all of these" onClose={onClose} wide>
      <p>Jobs with {inWords(filter)}. Only those that the action makes sense for are changed.</p>
      <form onSubmit={(event) => (event.preventDefault(), void order(true))}>
        <ActionChoice value={action} onChange={choose} />
        <ReasonField value={reason} onChange={setReason} />
        {error && <ErrorNotice error={error} />}
        {report && <ReportTable report={report} isPurge={action === 'purge'} />}
        <Buttons {...{ action, report, busy }} isReady={reason.trim() !== ''} onOrder={() => void order(false)} />
      </form>
    </Dialog>
  )
}

interface ButtonsProps {
  readonly action: BulkActionName
  readonly report: Report | undefined
  readonly busy: boolean
  readonly isReady: boolean
  readonly onOrder: () => void
}

/** The order itself is there once it is known what it would change. */
function Buttons({ action, report, busy, isReady, onOrder }: ButtonsProps): JSX.Element {
  return (
    <div class="buttons">
      <button type="submit" class={report?.dry_run ? '' : 'primary'} disabled={busy || report?.dry_run === false}>
        Show what would change
      </button>
      {report?.dry_run && report.matched > 0 && (
        <button type="button" class={action === 'purge' ? 'danger' : 'primary'} disabled={busy || !isReady} onClick={onOrder}>
          {words(action)} {count(report.matched)} {report.matched === 1 ? 'job' : 'jobs'}
        </button>
      )}
    </div>
  )
}

function ActionChoice({ value, onChange }: { value: BulkActionName; onChange: (name: BulkActionName) => void }): JSX.Element {
  const choices = useRole('admin') ? { ...ACTIONS, purge: PURGE } : ACTIONS
  return (
    <fieldset class="choice">
      <legend>Action</legend>
      {Object.entries(choices).map(([name, { label, explains }]) => (
        <label key={name} class="check">
          <input type="radio" name="action" checked={value === name} onChange={() => onChange(name as BulkActionName)} />
          <span>
            {label} <span class="faint">{explains}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}

function ReportTable({ report, isPurge }: { readonly report: Report; readonly isPurge: boolean }): JSX.Element {
  const wouldChange = isPurge ? 'would be removed for good' : 'would change'
  const changedWord = isPurge ? 'removed' : 'changed'
  const { dry_run, matched, changed, more, jobs } = report
  return (
    <>
      <p role="status" class="strong">
        {dry_run
          ? `${count(matched)} ${matched === 1 ? 'job' : 'jobs'} ${wouldChange}${more ? ', and more beyond the first 1,000' : ''}.`
          : `${count(changed)} of ${count(matched)} ${changedWord}.`}
      </p>
      {jobs.length > 0 && (
        <div class="scroll short" tabIndex={0} role="region" aria-label="Jobs of the order">
          <table class="list">
            <tbody>
              {jobs.map(({ job_id, was, status, outcome, message }) => (
                <tr key={job_id}>
                  <td>
                    {isPurge && outcome === 'changed' ? (
                      <code>{shortId(job_id)}</code>
                    ) : (
                      <a href={address(['jobs', job_id])}>
                        <code>{shortId(job_id)}</code>
                      </a>
                    )}
                  </td>
                  <td>
                    <Status value={status ?? was} />
                  </td>
                  <td>{words(outcome)}</td>
                  <td>{message ?? ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}
