// Why somebody does something: needed for every action.
import type { JSX } from 'preact'

interface ReasonProps {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly placeholder?: string
}

export function ReasonField({ value, onChange, placeholder = 'stands in the audit of the job' }: ReasonProps): JSX.Element {
  return (
    <label>
      Reason
      <input
        required
        maxLength={1000}
        value={value}
        placeholder={placeholder}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  )
}
