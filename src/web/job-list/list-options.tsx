// How often the list is loaded, and which columns it has. This browser remembers both.
import type { JSX } from 'preact'
import { REFRESH_SECONDS, setPreferences } from '../preferences.ts'
import { ReloadButton } from '../ui/reload.tsx'
import { COLUMNS } from './columns.tsx'

export interface RefreshProps {
  readonly value: number
  readonly onChange: (seconds: number) => void
  readonly onNow: () => void
}

export function RefreshChoice({ value, onChange, onNow }: RefreshProps): JSX.Element {
  const choose = (seconds: number): void => {
    setPreferences({ refresh: seconds })
    onChange(seconds)
  }
  return (
    <>
      <label class="inline">
        Refresh
        <select value={String(value)} onChange={(event) => choose(Number(event.currentTarget.value))}>
          {REFRESH_SECONDS.map((seconds) => (
            <option key={seconds} value={String(seconds)}>
              {seconds === 0 ? 'off' : `${seconds} s`}
            </option>
          ))}
        </select>
      </label>
      <ReloadButton onClick={onNow} />
    </>
  )
}

export interface ColumnProps {
  readonly hidden: readonly string[]
  readonly onChange: (hidden: readonly string[]) => void
}

export function ColumnChoice({ hidden, onChange }: ColumnProps): JSX.Element {
  const toggle = (name: string): void => {
    const next = hidden.includes(name) ? hidden.filter((other) => other !== name) : [...hidden, name]
    setPreferences({ hidden: next })
    onChange(next)
  }
  return (
    <details class="menu">
      <summary>Columns</summary>
      <fieldset>
        <legend>Shown columns</legend>
        {/* The first one leads to the job: it stays. */}
        {COLUMNS.slice(1).map(({ name, label }) => (
          <label key={name} class="check">
            <input type="checkbox" checked={!hidden.includes(name)} onChange={() => toggle(name)} />
            {label}
          </label>
        ))}
      </fieldset>
    </details>
  )
}
