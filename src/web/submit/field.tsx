// One field of the form: its name, what it is for, what is wrong with it, and the input that fits it.
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import { words } from '../format.ts'
import type { Issue } from '../types.ts'
import { type Field, listed } from './schema-form.ts'

export interface FieldsProps {
  readonly fields: readonly Field[]
  /** By path; a field that is not there stands as it began. */
  readonly values: Readonly<Record<string, string>>
  readonly issues: readonly Issue[]
  readonly onChange: (values: Readonly<Record<string, string>>) => void
}

/** All fields of a form, each with what is wrong with it. */
export const FormFields = ({ fields, values, issues, onChange }: FieldsProps): JSX.Element => (
  <>
    {fields.map((field) => (
      <FormField
        key={field.path}
        field={field}
        value={values[field.path] ?? field.initial}
        problem={issues.find(({ path }) => path === field.path)?.message}
        onChange={(value) => onChange({ ...values, [field.path]: value })}
      />
    ))}
  </>
)

interface FieldProps {
  readonly field: Field
  readonly value: string
  readonly problem: string | undefined
  readonly onChange: (value: string) => void
}

function FormField({ field, value, problem, onChange }: FieldProps): JSX.Element {
  const id = useId()
  const { path, isRequired, description } = field
  return (
    <div class={`field ${problem === undefined ? '' : 'wrong'}`}>
      <label for={id} id={`${id}-name`}>
        <code>{path}</code>
        {isRequired && <span class="faint"> needed</span>}
      </label>
      <Input id={id} field={field} value={value} problem={problem} onChange={onChange} />
      <p id={`${id}-help`} class="faint">
        <Described text={description} />
        {limitsOf(field)}
      </p>
      {problem !== undefined && (
        <p id={`${id}-problem`} class="bad" role="alert">
          {path} {problem}
        </p>
      )}
    </div>
  )
}

/** What stands between backticks is a name or a value. */
export const Described = ({ text }: { readonly text: string }): JSX.Element => (
  <>{text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>
)

function limitsOf({ description, schema: { minimum, maximum, maxLength } }: Field): string {
  // Where only the type bounds a number, its bounds say nothing.
  const limits = [
    minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER && `at least ${minimum}`,
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && `at most ${maximum}`,
    maxLength !== undefined && `at most ${maxLength} characters`,
  ].filter(Boolean)
  return limits.length === 0 ? '' : `${description ? '; ' : ''}${limits.join(', ')}`
}

function Input({ id, field, value, problem, onChange }: FieldProps & { readonly id: string }): JSX.Element {
  const { kind, options, isRequired, initial } = field
  const common = {
    id,
    'aria-describedby': problem === undefined ? `${id}-help` : `${id}-help ${id}-problem`,
    'aria-invalid': problem !== undefined,
    'aria-required': isRequired,
  }
  if (kind === 'choice' || kind === 'switch')
    return (
      <select {...common} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {initial === '' && <option value="">{isRequired ? 'choose' : 'default'}</option>}
        <Options values={kind === 'switch' ? ['true', 'false'] : options} />
      </select>
    )
  if (kind === 'set')
    return (
      <Checks
        name={`${id}-name`}
        describedBy={common['aria-describedby']}
        options={options}
        chosen={listed(value)}
        onChange={(chosen) => onChange(chosen.join(', '))}
      />
    )
  const text = { ...common, spellcheck: false, value }
  if (kind === 'json')
    return <textarea {...text} rows={3} placeholder="JSON" onInput={(event) => onChange(event.currentTarget.value)} />
  return (
    <input
      {...text}
      inputMode={kind === 'number' ? 'decimal' : 'text'}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  )
}

const Options = ({ values }: { readonly values: readonly string[] }): JSX.Element => (
  <>
    {values.map((value) => (
      <option key={value} value={value}>
        {value}
      </option>
    ))}
  </>
)

interface ChecksProps {
  /** Ids of the elements that name and explain the group. */
  readonly name: string
  readonly describedBy: string
  readonly options: readonly string[]
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
}

const Checks = ({ name, describedBy, options, chosen, onChange }: ChecksProps): JSX.Element => (
  <div role="group" aria-labelledby={name} aria-describedby={describedBy} class="checks-row">
    {options.map((option) => (
      <label key={option} class="check">
        <input
          type="checkbox"
          checked={chosen.includes(option)}
          onChange={({ currentTarget: { checked } }) =>
            onChange(options.filter((other) => (other === option ? checked : chosen.includes(other))))
          }
        />
        {words(option)}
      </label>
    ))}
  </div>
)
