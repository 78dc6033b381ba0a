// The form of one job type. What is wrong is said at its field, by the page where it knows, else by the server.
import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { address } from '../address.ts'
import { api, ApiError, query } from '../api.ts'
import { asApiError, go } from '../hooks.ts'
import type { Issue, Json } from '../types.ts'
import { ErrorNotice } from '../ui/notice.tsx'
import { Described, FormFields } from './field.tsx'
import { fieldsOf, type Filled, parametersOf, valuesFrom } from './schema-form.ts'
import type { JobType } from './submit-view.tsx'

interface Submitted {
  readonly job_id: string
  readonly created: boolean
  readonly finished_at?: string
}

interface Submission {
  readonly issues: readonly Issue[]
  readonly error: ApiError | undefined
  /** A job of the same parameters that has ended. */
  readonly known: Submitted | undefined
}

/** Sends the form and goes to the job; or tells why not. */
async function send(name: string, filled: Filled, force: boolean): Promise<Submission> {
  const { parameters, issues } = filled
  if (issues.length > 0) return { issues, error: undefined, known: undefined }
  try {
    const path = `jobs/submit/${name}${query({ force: force ? 'true' : undefined })}`
    const answer = await api<Submitted>(path, { method: 'POST', body: parameters })
    const isNew = answer.created || answer.finished_at === undefined
    if (isNew) go(address(['jobs', answer.job_id]))
    return { issues, error: undefined, known: isNew ? undefined : answer }
  } catch (cause) {
    const error = asApiError(cause)
    return { issues: error.issues, error, known: undefined }
  }
}

export function SubmitForm({ jobType, given }: { readonly jobType: JobType; readonly given: Json }): JSX.Element {
  const fields = useMemo(() => fieldsOf(jobType.parameters), [jobType])
  const [values, setValues] = useState(() => valuesFrom(fields, given))
  const [{ issues, error, known }, setState] = useState<Submission>({ issues: [], error: undefined, known: undefined })
  const submit = async (force: boolean): Promise<void> => setState(await send(jobType.name, parametersOf(fields, values), force))
  return (
    <form class="card form" onSubmit={(event) => (event.preventDefault(), void submit(false))} noValidate>
      <p>
        <Described text={jobType.description} />
      </p>
      <FormFields fields={fields} values={values} issues={issues} onChange={setValues} />
      {error && <ErrorNotice error={withoutShown(error, fields)} />}
      {known && <Known submitted={known} onForce={() => void submit(true)} />}
      <div class="buttons">
        <button type="submit" class="primary">
          Submit {jobType.name}
        </button>
      </div>
    </form>
  )
}

/** What stands at a field is not said twice. */
export function withoutShown(error: ApiError, fields: readonly { readonly path: string }[]): ApiError {
  const issues = error.issues.filter(({ path }) => !fields.some((field) => field.path === path))
  const { message: detail, code, requestId } = error
  return new ApiError(error.status, { detail, code, issues, ...(requestId === null ? {} : { request_id: requestId }) })
}

/** The same parameters are the same job. */
const Known = ({ submitted, onForce }: { readonly submitted: Submitted; readonly onForce: () => void }): JSX.Element => (
  <div class="notice warn" role="status">
    <div>
      <p>A job with these parameters has already ended.</p>
      <div class="buttons">
        <a class="button" href={address(['jobs', submitted.job_id])}>
          Open it
        </a>
        <button type="button" onClick={onForce}>
          Run it again
        </button>
      </div>
    </div>
  </div>
)
