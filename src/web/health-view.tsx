// Everything that the app needs, checked now: what was seen, and what to do where it is not well.
import type { JSX } from 'preact'
import { api } from './api.ts'
import { duration, words } from './format.ts'
import { useLoad, useRole } from './hooks.ts'
import type { Json } from './types.ts'
import { JsonText } from './ui/json.tsx'
import { Empty, Shown } from './ui/notice.tsx'
import { Status } from './ui/status.tsx'

interface Check {
  readonly name: string
  readonly status: string
  readonly ms: number
  readonly code?: string
  readonly detail?: string
  readonly remediation?: string
  readonly data?: Json
}

interface Report {
  readonly status: string
  readonly checks: readonly Check[]
}

/** What is not well stands first. */
const ORDER = ['failed', 'timeout', 'degraded', 'ok', 'skipped']

export function HealthView(): JSX.Element {
  const isOperator = useRole('operator')
  // The checks write and read: they run when somebody asks.
  const load = useLoad(isOperator ? 'health' : undefined, (signal) => api<Report>('health/full', { signal }))
  if (!isOperator) return <Empty title="The full report needs the role operator." />
  return (
    <>
      <div class="heading">
        <h1>Health</h1>
        {load.data && <Status value={load.data.status} />}
        <span class="tools">
          <button type="button" onClick={load.reload} disabled={load.loading}>
            {load.loading ? 'Checking …' : 'Check again'}
          </button>
        </span>
      </div>
      <Shown loaded={load}>
        {({ checks }) => (
          <ul class="checks">
            {[...checks]
              .sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status))
              .map((check) => (
                <CheckRow key={check.name} check={check} />
              ))}
          </ul>
        )}
      </Shown>
    </>
  )
}

const CheckRow = ({ check: { name, status, ms, code, detail, remediation, data } }: { readonly check: Check }): JSX.Element => (
  <li class="card">
    <h2>{words(name)}</h2>
    <Status value={status} />
    <span class="faint number">{duration(ms)}</span>
    <div class="found">
      {detail !== undefined && (
        <p>
          {code !== undefined && <code>{code} </code>}
          {detail}
        </p>
      )}
      {remediation !== undefined && <p class="notice warn">{remediation}</p>}
      {data !== undefined && (
        <details>
          <summary>Figures</summary>
          <JsonText value={data} label={`Figures of ${name}`} />
        </details>
      )}
    </div>
  </li>
)
