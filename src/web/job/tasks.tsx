// The tasks of a job, a hundred at a time, narrowed by state, stage and text.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type Address, changed } from '../address.ts'
import { api, query } from '../api.ts'
import { duration, words } from '../format.ts'
import { go, useLoad } from '../hooks.ts'
import { Choice, TextField } from '../job-list/filter-bar.tsx'
import type { JobDocument, Task } from '../types.ts'
import { Empty, Shown } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'
import { TASK_STATUSES } from '../words.ts'
import { TaskDialog } from './task-dialog.tsx'

const PAGE = 100
interface TaskPage {
  readonly tasks: readonly Task[]
  readonly next?: string
}

/** Not a state of the row, but the hundred that took longest. */
const SLOW = 'slow'

export function Tasks({ job, at }: { readonly job: JobDocument; readonly at: Address }): JSX.Element {
  const given = (name: string): string | undefined => at.query.get(name) ?? undefined
  const [stage, show, text, next] = [given('stage'), given('show'), given('text'), given('next')]
  const [opened, setOpened] = useState<Task>()
  const isSlow = show === SLOW
  const path = isSlow
    ? `monitor/jobs/${job.job_id}/slowest${query({ stage })}`
    : `jobs/${job.job_id}/tasks${query({ stage, status: show, error_code: given('code'), text, next, limit: PAGE })}`
  // A table that changes under the eyes cannot be read: it is loaded when it is asked for, and when the job has moved on.
  const load = useLoad(`${path} ${job.status} ${job.attempt}`, (signal) => api<TaskPage>(path, { signal }))
  const set = (values: Readonly<Record<string, string | undefined>>): string =>
    changed(at, { tab: 'tasks', next: undefined, ...values })
  return (
    <>
      <TaskFilters job={job} at={at} set={set} onReload={load.reload} />
      <Shown loaded={load}>
        {({ tasks, next: more }) =>
          tasks.length === 0 ? (
            <Empty title={show || text ? 'No task fits.' : 'No tasks yet.'} />
          ) : (
            <>
              <TaskTable tasks={tasks} onOpen={setOpened} />
              <nav class="pages" aria-label="Pages of tasks">
                {next !== undefined && <a href={set({})}>First tasks</a>}
                {more !== undefined && <a href={set({ next: more })}>Next tasks</a>}
              </nav>
            </>
          )
        }
      </Shown>
      {opened && <TaskDialog task={opened} onClose={() => setOpened(undefined)} />}
    </>
  )
}

interface FilterProps {
  readonly job: JobDocument
  readonly at: Address
  readonly set: (values: Readonly<Record<string, string | undefined>>) => string
  readonly onReload: () => void
}

function TaskFilters({ job, at, set, onReload }: FilterProps): JSX.Element {
  const states = [...TASK_STATUSES.map((name) => [name, words(name)] as const), [SLOW, 'slowest first'] as const]
  const stages = job.stages.map(({ stage, name }) => [String(stage), `${stage} ${name}`] as const)
  const code = at.query.get('code')
  return (
    <search class="filters">
      <Choice label="Show" value={at.query.get('show') ?? undefined} options={states} onChange={(show) => go(set({ show }))} />
      <Choice
        label="Stage"
        value={at.query.get('stage') ?? undefined}
        options={stages}
        onChange={(stage) => go(set({ stage }))}
      />
      <TextField
        label="Key"
        value={at.query.get('text') ?? ''}
        placeholder="part of a task's key"
        onChange={(text) => go(set({ text }), true)}
      />
      {code !== null && (
        <a class="button" href={set({ code: undefined })}>
          Only {code}: show all
        </a>
      )}
      <button type="button" onClick={onReload}>
        Reload tasks
      </button>
    </search>
  )
}

function TaskTable({ tasks, onOpen }: { readonly tasks: readonly Task[]; readonly onOpen: (task: Task) => void }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of tasks">
      <table class="list stacked">
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Stage</th>
            <th scope="col">Status</th>
            <th scope="col">Error</th>
            <th scope="col" class="number">
              Tries
            </th>
            <th scope="col" class="number">
              Duration
            </th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <TaskRow key={`${task.stage} ${task.task_no}`} task={task} onOpen={onOpen} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function TaskRow({ task, onOpen }: { readonly task: Task; readonly onOpen: (task: Task) => void }): JSX.Element {
  return (
    <tr>
      <td data-label="Task">
        <button type="button" class="link name" onClick={() => onOpen(task)}>
          {task.task_key}
        </button>
      </td>
      <td data-label="Stage">
        {task.stage} <span class="faint">{task.stage_name}</span>
      </td>
      <td data-label="Status">
        <Status value={task.status} />
        {task.progress !== null && <span class="faint"> {Math.round(task.progress * 100)} %</span>}
      </td>
      <td data-label="Error" class="name">
        {task.error_code === null ? '–' : <code>{task.error_code}</code>}
        {task.error_details !== null && <span class="faint block">{task.error_details}</span>}
      </td>
      <td data-label="Tries" class="number">
        {task.claims}
      </td>
      <td data-label="Duration" class="number">
        {task.duration_ms === null ? '–' : duration(task.duration_ms)}
      </td>
    </tr>
  )
}
