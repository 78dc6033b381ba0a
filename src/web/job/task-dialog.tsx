// One task whole: what it was given, what it made or why it failed, and the tasks of earlier stages that it came from.
import type { JSX } from 'preact'
import { api, namePath } from '../api.ts'
import { duration, moment } from '../format.ts'
import { useLoad } from '../hooks.ts'
import type { Ancestor, Task } from '../types.ts'
import { Dialog } from '../ui/dialog.tsx'
import { JsonText } from '../ui/json.tsx'
import { Shown } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'
import { BlobLinks } from './blob-links.tsx'

type WholeTask = Task & { readonly lineage: readonly Ancestor[] }

export function TaskDialog({ task, onClose }: { readonly task: Task; readonly onClose: () => void }): JSX.Element {
  const path = `jobs/${task.job_id}/tasks/${task.stage}/${namePath(task.task_key)}`
  const load = useLoad(path, (signal) => api<WholeTask>(path, { signal }))
  return (
    <Dialog title={task.task_key} onClose={onClose} wide>
      <p>
        Stage {task.stage} <code>{task.stage_name}</code>, task {task.task_no} <Status value={task.status} />
      </p>
      <Shown loaded={load}>
        {(whole) => (
          <>
            <Times task={whole} />
            {whole.error_code !== null && (
              <div class="notice bad">
                <div>
                  <code>{whole.error_code}</code>
                  <pre class="text">{whole.error_details}</pre>
                </div>
              </div>
            )}
            <BlobLinks values={[whole.parameters, whole.result_data]} />
            <h3>Result</h3>
            <JsonText value={whole.result_data} label="Result of the task" />
            <h3>Parameters</h3>
            <JsonText value={whole.parameters} label="Parameters of the task" />
            <Lineage lineage={whole.lineage} stage={whole.stage} />
          </>
        )}
      </Shown>
    </Dialog>
  )
}

function Times({ task }: { readonly task: Task }): JSX.Element {
  const now = new Date()
  return (
    <p class="faint">
      {task.claims} {task.claims === 1 ? 'try' : 'tries'}
      {task.started_at !== null && ` · started ${moment(task.started_at, now)}`}
      {task.finished_at !== null && ` · ended ${moment(task.finished_at, now)}`}
      {task.duration_ms !== null && ` · took ${duration(task.duration_ms)}`}
      {task.progress_note !== null && ` · ${task.progress_note}`}
    </p>
  )
}

function Lineage({ lineage, stage }: { readonly lineage: readonly Ancestor[]; readonly stage: number }): JSX.Element {
  return (
    <>
      <h3>Lineage</h3>
      {lineage.length === 0 ? (
        <p class="faint">
          {stage === 1 ? 'A task of the first stage comes from no other.' : 'No task of an earlier stage leads here.'}
        </p>
      ) : (
        <ol class="lineage">
          {lineage.map((ancestor) => (
            <li key={ancestor.stage}>
              <details>
                <summary>
                  Stage {ancestor.stage} <code>{ancestor.stage_name}</code> <span class="name">{ancestor.task_key}</span>{' '}
                  <Status value={ancestor.status} />
                </summary>
                <JsonText value={ancestor.result_data} label={`Result of stage ${ancestor.stage}`} />
              </details>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}
