// The columns of the list of jobs: what each is called and how a job looks in it.
import type { ComponentChildren, JSX } from 'preact'
import { address } from '../address.ts'
import { ahead, moment, rate, shortId, span } from '../format.ts'
import type { Job, ListedJob } from '../types.ts'
import { CopyButton } from '../ui/copy.tsx'
import { ProgressBar, shownPercent } from '../ui/progress.tsx'
import { Status, toneOf } from '../ui/status.tsx'
import { hasEnded } from '../words.ts'

export interface Column {
  readonly name: string
  readonly label: string
  /** Aligned by their last digit. */
  readonly isNumber?: boolean
  readonly cell: (job: ListedJob, now: Date) => ComponentChildren
}

const Identity = ({ job }: { readonly job: ListedJob }): JSX.Element => (
  <>
    <a href={address(['jobs', job.job_id])} class="strong">
      {job.job_type}
    </a>
    <span class="identity block">
      <code title={job.job_id}>{shortId(job.job_id)}</code>
      <CopyButton text={job.job_id} what="job id" />
    </span>
  </>
)

/** When it may end, between which bounds, and how far that can be trusted. */
export function Eta({
  job: { status, progress },
  now,
}: {
  readonly job: Pick<Job, 'status' | 'progress'>
  readonly now: Date
}): JSX.Element {
  const { eta, eta_low, eta_high, confidence, reason, rate_per_s } = progress
  if (hasEnded(status)) return <span class="faint">–</span>
  if (!eta || !eta_low || !eta_high) return <span class="faint">{reason ?? 'not known yet'}</span>
  const bounds = `between ${moment(eta_low, now)} and ${moment(eta_high, now)}`
  return (
    <span title={`${bounds}; ${rate(rate_per_s ?? 0)} tasks/s`}>
      {ahead(eta, now)}
      <span class="faint block">
        {moment(eta_low, now)} – {moment(eta_high, now)}
        <br />
        {confidence} confidence
      </span>
    </span>
  )
}

export const COLUMNS: readonly Column[] = [
  { name: 'job', label: 'Job', cell: (job) => <Identity job={job} /> },
  { name: 'status', label: 'Status', cell: (job) => <JobState job={job} /> },
  {
    name: 'stage',
    label: 'Stage',
    cell: (job) => (
      <span>
        {job.stage}/{job.total_stages} <span class="faint block">{job.stage_name ?? ''}</span>
      </span>
    ),
  },
  { name: 'progress', label: 'Progress', cell: (job) => <JobProgress job={job} /> },
  { name: 'eta', label: 'ETA', cell: (job, now) => <Eta job={job} now={now} /> },
  { name: 'started', label: 'Started', isNumber: true, cell: (job, now) => (job.started_at ? moment(job.started_at, now) : '–') },
  { name: 'duration', label: 'Duration', isNumber: true, cell: (job, now) => span(job.started_at, job.finished_at, now) },
  { name: 'retries', label: 'Retrying', isNumber: true, cell: ({ progress: { retrying } }) => (retrying > 0 ? retrying : '–') },
  { name: 'attempt', label: 'Attempt', isNumber: true, cell: (job) => job.attempt },
  { name: 'submitter', label: 'Submitted by', cell: (job) => job.submitted_by ?? '–' },
]

const JobState = ({ job }: { readonly job: ListedJob }): JSX.Element => (
  <>
    <Status value={job.status} />
    {job.error_code !== null && <code class="block bad">{job.error_code}</code>}
  </>
)

const JobProgress = ({ job: { job_type, status, progress } }: { readonly job: ListedJob }): JSX.Element => (
  <ProgressBar
    percent={shownPercent(status, progress)}
    done={progress.done}
    failed={progress.failed}
    total={progress.total}
    tone={toneOf(status)}
    label={`Progress of ${job_type}`}
  />
)
