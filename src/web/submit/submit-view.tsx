// Starts a job: choose a type, fill in its form.
import type { JSX } from 'preact'
import { type Address, address } from '../address.ts'
import { api } from '../api.ts'
import { useLoad, useRole } from '../hooks.ts'
import type { Json } from '../types.ts'
import { Empty, Shown } from '../ui/notice.tsx'
import type { Schema } from './schema-form.ts'
import { SubmitForm } from './submit-form.tsx'

export interface JobType {
  readonly name: string
  readonly description: string
  readonly parameters: Schema
  readonly stages: readonly { readonly stage: number; readonly name: string }[]
}

export function SubmitView({ at, jobType }: { readonly at: Address; readonly jobType: string | undefined }): JSX.Element {
  const load = useLoad('job-types', (signal) => api<{ job_types: readonly JobType[] }>('job-types', { signal }))
  const maySubmit = useRole('submitter')
  return (
    <>
      <div class="heading">
        <h1>{jobType === undefined ? 'Submit a job' : jobType}</h1>
      </div>
      <Shown loaded={load}>
        {({ job_types }) => {
          if (jobType === undefined) return <JobTypes jobTypes={job_types} />
          const found = job_types.find(({ name }) => name === jobType)
          if (!found) return <Empty title="There is no such job type." />
          if (!maySubmit) return <Empty title="Submitting needs the role submitter." />
          return <SubmitForm key={jobType} jobType={found} given={givenParameters(at)} />
        }}
      </Shown>
    </>
  )
}

/** Of an earlier job, or of the place that led here. */
function givenParameters({ query }: Address): Json {
  try {
    return JSON.parse(query.get('parameters') ?? '{}') as Json
  } catch {
    return {}
  }
}

const JobTypes = ({ jobTypes }: { readonly jobTypes: readonly JobType[] }): JSX.Element => (
  <ul class="cards">
    {jobTypes.map(({ name, description, stages }) => (
      <li key={name} class="card">
        <h2>
          <a href={address(['submit', name])}>{name}</a>
        </h2>
        <p>{description}</p>
        <p class="faint">{stages.map((stage) => stage.name).join(' → ')}</p>
      </li>
    ))}
  </ul>
)
