// Fields that narrow the list of jobs; each change is an address of its own.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Address, address, changed } from '../address.ts'
import { api } from '../api.ts'
import { words } from '../format.ts'
import { go, useLoad } from '../hooks.ts'
import { JOB_STATUSES } from '../words.ts'
import { filterOf, isEmpty, SPANS } from './filter.ts'

/** Without a step for Back for each letter. */
const TYPING_MS = 300

export function FilterBar({ at }: { readonly at: Address }): JSX.Element {
  const filter = filterOf(at.query)
  const types = useLoad('job-types', (signal) => api<{ job_types: readonly { name: string }[] }>('job-types', { signal }))
  const set = (values: Readonly<Record<string, string | undefined>>): void => go(changed(at, { ...values, next: undefined }))
  const spans = Object.entries(SPANS).map(([name, [label]]) => [name, label] as const)
  return (
    <search class="filters">
      <Choice
        label="Status"
        value={filter.status}
        options={JOB_STATUSES.map((name) => [name, words(name)])}
        onChange={(status) => set({ status })}
      />
      <Choice
        label="Type"
        value={filter.type}
        options={(types.data?.job_types ?? []).map(({ name }) => [name, name])}
        onChange={(type) => set({ type })}
      />
      <Choice label="Submitted" value={filter.since} options={spans} onChange={(since) => set({ since })} />
      <TextField
        label="Text"
        value={filter.text ?? ''}
        placeholder="id, parameter, error"
        onChange={(text) => go(changed(at, { text, next: undefined }), true)}
      />
      {!isEmpty(filter) && (
        <a class="button" href={address(['jobs'])}>
          Clear all
        </a>
      )}
    </search>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly value: string | undefined
  readonly options: readonly (readonly [value: string, label: string])[]
  readonly onChange: (value: string | undefined) => void
}

export function Choice({ label, value = '', options, onChange }: ChoiceProps): JSX.Element {
  // A value of the address stays even where it is none of the known ones.
  const all = value === '' || options.some(([name]) => name === value) ? options : [...options, [value, value] as const]
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value || undefined)}>
        <option value="">any</option>
        {all.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly placeholder?: string
  readonly onChange: (value: string) => void
}

/** Tells what was typed when the typing has paused. */
export function TextField({ label, value, placeholder = '', onChange }: TextFieldProps): JSX.Element {
  const [text, setText] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => setText(value), [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const typed = (next: string): void => {
    setText(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => onChange(next.trim()), TYPING_MS)
  }
  return (
    <label class="grow">
      {label}
      <input type="search" value={text} placeholder={placeholder} onInput={(event) => typed(event.currentTarget.value)} />
    </label>
  )
}
