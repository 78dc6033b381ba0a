// What failed in a job, by stage and code, most first; each group can be run again.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { address } from '../address.ts'
import { count, moment } from '../format.ts'
import { useRole } from '../hooks.ts'
import type { ErrorGroup, JobDocument } from '../types.ts'
import { Empty } from '../ui/notice.tsx'
import { ACTIONS } from './action-rules.ts'
import { ActionDialog } from './actions.tsx'

export interface ErrorProps {
  readonly job: JobDocument
  readonly errors: readonly ErrorGroup[]
  readonly now: Date
  readonly onDone: () => void
}

export function ErrorGroups({ job, errors, now, onDone }: ErrorProps): JSX.Element {
  const [code, setCode] = useState<string>()
  const canRetry = useRole('operator') && ACTIONS.retry.on.includes(job.status)
  return (
    <>
      {errors.length === 0 && <Empty title="Nothing failed." />}
      {errors.map((group) => (
        <Group
          key={`${group.stage} ${group.error_code}`}
          job={job}
          group={group}
          now={now}
          onRetry={canRetry ? () => setCode(group.error_code) : undefined}
        />
      ))}
      {code !== undefined && (
        <ActionDialog
          job={job}
          action="retry"
          selection={{ error_code: code }}
          onClose={() => setCode(undefined)}
          onDone={onDone}
        />
      )}
    </>
  )
}

interface GroupProps {
  readonly job: JobDocument
  readonly group: ErrorGroup
  readonly now: Date
  readonly onRetry: (() => void) | undefined
}

function Group({ job, group, now, onRetry }: GroupProps): JSX.Element {
  const { stage, stage_name, error_code, count: failed, retryable, first_at, last_at, sample_key, sample_details } = group
  return (
    <article class="card group">
      <h3>
        {count(failed)} × <code>{error_code}</code>
      </h3>
      <p class="faint">
        Stage {stage} {stage_name} ·{' '}
        {retryable ? 'may pass at another try' : 'ends the same at another try unless its cause is mended'} ·{' '}
        {moment(first_at, now)} to {moment(last_at, now)}
      </p>
      <p class="name">
        e.g. <code>{sample_key}</code>
        {sample_details !== null && <span class="block">{sample_details}</span>}
      </p>
      <div class="tools">
        <a class="button" href={address(['jobs', job.job_id], { tab: 'tasks', show: 'failed', stage, code: error_code })}>
          Show these tasks
        </a>
        {onRetry && (
          <button type="button" onClick={onRetry}>
            Retry these
          </button>
        )}
      </div>
    </article>
  )
}
