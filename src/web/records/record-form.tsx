// A form of one record that is made or changed by its name. What is wrong is said at its field, by the page where it knows, else by the server.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { api, ApiError } from '../api.ts'
import { asApiError } from '../hooks.ts'
import type { Issue, Json } from '../types.ts'
import { ErrorNotice } from '../ui/notice.tsx'
import { FormFields } from '../submit/field.tsx'
import { type Field, parametersOf } from '../submit/schema-form.ts'
import { withoutShown } from '../submit/submit-form.tsx'

export type Values = Readonly<Record<string, string>>

export interface RecordFormProps {
  /** By what is filled in: a choice may bring fields of its own. */
  readonly fieldsFor: (values: Values) => readonly Field[]
  readonly initial: Values
  readonly label: string
  readonly cancelHref: string
  /** @throws ApiError that is shown */
  readonly save: (record: { [name: string]: Json }) => Promise<void>
}

export function RecordForm({ fieldsFor, initial, label, cancelHref, save }: RecordFormProps): JSX.Element {
  const [values, setValues] = useState(initial)
  const [{ issues, error }, setRefusal] = useState<Refusal>({ issues: [] })
  const [busy, setBusy] = useState(false)
  const fields = fieldsFor(values)
  const send = async (): Promise<void> => {
    const filled = parametersOf(fields, values)
    if (filled.issues.length > 0) return setRefusal({ issues: filled.issues })
    setBusy(true)
    setRefusal(await refusalOf(() => save(filled.parameters)))
    setBusy(false)
  }
  return (
    <form class="card form" onSubmit={(event) => (event.preventDefault(), void send())} noValidate>
      <FormFields fields={fields} values={values} issues={issues} onChange={setValues} />
      {error && <ErrorNotice error={withoutShown(error, fields)} />}
      <div class="buttons">
        <button type="submit" class="primary" disabled={busy}>
          {label}
        </button>
        <a class="button" href={cancelHref}>
          Cancel
        </a>
      </div>
    </form>
  )
}

interface Refusal {
  readonly issues: readonly Issue[]
  readonly error?: ApiError
}

async function refusalOf(order: () => Promise<void>): Promise<Refusal> {
  try {
    await order()
    return { issues: [] }
  } catch (cause) {
    const error = asApiError(cause)
    return { issues: error.issues, error }
  }
}

/**
 * Refuses a name that is taken: whoever makes a record does not mean to replace another.
 * @param path of the record below `/api/`
 * @throws ApiError with an issue at the field
 */
export async function refuseTaken(path: string, field: string): Promise<void> {
  try {
    await api(path)
  } catch (cause) {
    const error = asApiError(cause)
    if (error.status === 404) return
    throw error
  }
  const issues = [{ path: field, message: 'is taken: open it to change it, or choose another' }]
  throw new ApiError(409, { code: 'TAKEN', detail: 'There is one of this name already.', issues })
}
