// What a job is and where it stands, in figures.
import type { ComponentChildren, JSX } from 'preact'
import { moment, rate, shortId, span } from '../format.ts'
import { Eta } from '../job-list/columns.tsx'
import type { JobDocument } from '../types.ts'
import { CopyButton } from '../ui/copy.tsx'
import { ProgressBar, shownPercent } from '../ui/progress.tsx'
import { Status, toneOf } from '../ui/status.tsx'

export const Identity = ({ job }: { readonly job: JobDocument }): JSX.Element => (
  <>
    <h1>{job.job_type}</h1>
    <Status value={job.status} />
    <span class="identity">
      <code title={job.job_id}>{shortId(job.job_id)}</code>
      <CopyButton text={job.job_id} what="job id" />
    </span>
  </>
)

export function Facts({ job, now }: { readonly job: JobDocument; readonly now: Date }): JSX.Element {
  const failed = job.stages.reduce((sum, stage) => sum + stage.failed, 0)
  const { done, total, rate_per_s } = job.progress
  const percent = shownPercent(job.status, job.progress)
  const at = (time: string | null): string => (time === null ? '–' : moment(time, now))
  return (
    <div class="card facts">
      <ProgressBar
        percent={percent}
        done={done}
        failed={failed}
        total={total}
        tone={toneOf(job.status)}
        label="Progress of the job"
      />
      <dl>
        <Fact name="ETA">
          <Eta job={job} now={now} />
        </Fact>
        <Fact name="Rate">{rate_per_s ? `${rate(rate_per_s)} tasks/s` : '–'}</Fact>
        <Fact name="Submitted">{at(job.created_at)}</Fact>
        <Fact name="Started">{at(job.started_at)}</Fact>
        <Fact name="Ended">{at(job.finished_at)}</Fact>
        <Fact name="Duration">{span(job.started_at, job.finished_at, now)}</Fact>
        <Fact name="Attempt">{job.attempt}</Fact>
        <Fact name="Submitted by">{job.submitted_by ?? '–'}</Fact>
        <Fact name="Job in SQL">{job.status.replaceAll('_', ' ')}</Fact>
        <Fact name="Durable instance">{job.runtime_status ?? 'not known'}</Fact>
      </dl>
    </div>
  )
}

/** A name and what it is, within a `dl`. */
export const Fact = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)
