// The workbook of the portal, made of infra/monitoring/queries/*.kql: one text for the file, the workbook and the alert.
import { readFileSync } from 'node:fs'

/** Headings and the queries below them. A test compares the names with the files. */
export const SECTIONS: readonly { readonly title: string; readonly queries: readonly string[] }[] = [
  { title: 'Jobs', queries: ['stuck-jobs', 'failed-jobs', 'tasks-per-minute', 'slow-workers', 'poisoned-tasks'] },
  { title: 'One job', queries: ['job-by-id', 'instance-timeline'] },
  { title: 'Dependencies', queries: ['open-breakers', 'retries-and-breakers', 'event-loop-lag'] },
  {
    title: 'Durable Functions',
    queries: ['failures-by-activity', 'replay-ratio', 'durable-warnings', 'orchestration-load'],
  },
  { title: 'Access', queries: ['signatures-issued'] },
]
const CHARTS = new Set(['tasks-per-minute', 'slow-workers', 'replay-ratio'])
const HOUR_MS = 3_600_000
const RESOURCE = 'microsoft.insights/components'

/** The text of a query's file. */
export const query = (name: string): string => readFileSync(`infra/monitoring/queries/${name}.kql`, 'utf8')

/** The first line of a query says what it answers. */
const titleOf = (text: string): string => /^\/\/ (.+)/.exec(text)?.[1] ?? ''

/** `infra/monitoring/workbook.json`: job id and time range as parameters, then each query under its sentence. */
export function workbookJson(): string {
  const items = SECTIONS.flatMap(({ title, queries }) => [heading(title), ...queries.map(queryItem)])
  const workbook = {
    version: 'Notebook/1.0',
    items: [parameters(), ...items],
    fallbackResourceIds: [],
    $schema: 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json',
  }
  return `${JSON.stringify(workbook, null, 2)}\n`
}

function parameters(): object {
  const version = 'KqlParameterItem/1.0'
  const ranges = [1, 4, 24, 72, 168, 720].map((hours) => ({ durationMs: hours * HOUR_MS }))
  const timeRange = {
    id: '5f4b6a0e-7d0f-4a59-9d5b-6a3f0c1d2e01',
    version,
    name: 'TimeRange',
    label: 'Time',
    type: 4,
    isRequired: true,
    value: { durationMs: 24 * HOUR_MS },
    typeSettings: { selectableValues: ranges, allowCustom: true },
  }
  const jobId = { id: '5f4b6a0e-7d0f-4a59-9d5b-6a3f0c1d2e02', version, name: 'job_id', label: 'Job id', type: 1, value: '' }
  const content = { version, parameters: [timeRange, jobId], style: 'pills', queryType: 0, resourceType: RESOURCE }
  return { type: 9, content, name: 'parameters' }
}

const heading = (title: string): object => ({ type: 1, content: { json: `## ${title}` }, name: `heading ${title}` })

function queryItem(name: string): object {
  const text = query(name)
  return {
    type: 3,
    content: {
      version: 'KqlItem/1.0',
      query: text,
      size: 0,
      title: titleOf(text),
      noDataMessage: 'Nothing.',
      timeContextFromParameter: 'TimeRange',
      queryType: 0,
      resourceType: RESOURCE,
      visualization: CHARTS.has(name) ? 'timechart' : 'table',
    },
    name,
  }
}
