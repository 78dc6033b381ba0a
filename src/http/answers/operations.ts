// What routes for those who run the app answer: health, poison, secrets, the database, the monitor page and this description.
import * as z from 'zod'
import { JobId } from '../../models/names.ts'
import { Role } from '../../models/words.ts'
import { type AnswersByName, count, found, json, object, pageOf, text, time } from './declared.ts'
import { ErrorGroup, JobDocument, JobSummary, Progress, Task } from './jobs.ts'

const Check = z.looseObject({
  name: text,
  status: z.enum(['ok', 'degraded', 'failed', 'skipped', 'timeout']),
  ms: z.number().min(0),
})
const Ready = z.looseObject({ status: z.enum(['ready', 'not_ready']), checks: z.array(Check), breakers: z.array(z.unknown()) })
const Full = z.looseObject({ status: z.enum(['ok', 'degraded', 'failed']), checks: z.array(Check) })
const Poison = z.looseObject({
  action: text,
  poison_messages_found: count,
  queues_checked: count,
  queue_details: z.array(z.looseObject({ job_type: text, stage_name: text, tasks: count, jobs: count, oldest: time })),
  last_checked: time,
  status: z.enum(['healthy', 'attention_needed']),
  tasks: z.array(z.looseObject({ job_id: JobId, task_key: text })),
})
const Secrets = z.looseObject({
  source: z.enum(['env', 'keyvault']),
  vault_url: text.nullable(),
  reachable: z.boolean().nullable(),
  cached_names: z.array(text),
  hits: count,
  misses: count,
  ttl_seconds: z.number(),
})
const tally = z.record(z.string(), count)
const Stats = z.looseObject({
  server: z.looseObject({ version: text, version_num: z.int(), role: text, database: text }),
  migrations: z.array(text),
  tables: z.array(z.looseObject({ table: text, rows_estimate: z.number(), bytes: z.number() })),
  jobs: tally,
  open_tasks: tally,
  pool: z.object({ total: count, idle: count, waiting: count }),
})
/** Whole rows as the tables have them: a later release has other columns. */
const JobRow = z.looseObject({ job_id: JobId, status: text })
const StageRow = z.looseObject({ stage_id: z.int(), job_id: JobId })
const TaskRow = z.looseObject({ stage_id: z.int(), task_no: z.int() })
const rows = (name: string, row: z.ZodType) =>
  found('rows', z.looseObject({ [name]: z.array(row), count, cut: count.optional().describe('rows that did not fit') }))
const Rows = z.looseObject({
  jobs: z.array(JobRow),
  stages: z.array(StageRow),
  tasks: z.array(TaskRow),
  events: z.array(object),
  hosts: z.array(object),
  breakers: z.array(object),
})
const Enums = z.looseObject({
  ok: z.boolean(),
  enums: z.array(z.object({ constraint: text, expected: z.array(text), found: z.array(text).nullable(), ok: z.boolean() })),
})
const FunctionTests = z.looseObject({
  ok: z.boolean(),
  functions: z.array(z.looseObject({ function: text, ok: z.boolean(), ms: z.number().min(0) })),
})
const Migrated = z.looseObject({ migrations: z.array(text), functions_replaced: z.unknown() })
const Deployed = z.union([
  Migrated,
  z.looseObject({
    dry_run: z.literal(true),
    pending: z.array(z.looseObject({ name: text, statements: z.array(text), contracting: z.array(text) })),
  }),
])
const Listed = JobSummary.extend({
  stage_name: text.nullable(),
  progress: Progress.extend({ failed: count, running: count, retrying: count }),
})
const ms = z.number().min(0).nullable()
const Figures = z.looseObject({
  stage: z.int().min(1),
  measured: count,
  p50_ms: ms,
  p95_ms: ms,
  max_ms: ms,
  ended: z.array(count),
  durations: z.array(count),
})
const MonitoredJob = z.looseObject({ job: JobDocument, figures: z.array(Figures), errors: z.array(ErrorGroup), at: time })
const Caller = z.looseObject({
  name: text,
  role: Role,
  auth_mode: z.enum(['key', 'easyauth', 'jwt']),
  environment: text,
  release: z.looseObject({ version: text, commit: text.nullable() }),
  containers: z.object({ bronze: text, silver: text, gold: text }),
  links: z.looseObject({ site: text.nullable(), insights: text.nullable(), scheduler: text.nullable() }),
})

export const operationAnswers: AnswersByName = {
  getHealthLive: found('it lives', z.looseObject({ status: z.literal('live'), version: text })),
  getHealthReady: { 200: json('requests may come', Ready), 503: json('they should not', Ready) },
  getHealthFull: { 200: json('nothing failed', Full), 503: json('something failed', Full) },
  getPoison: found('poisoned tasks', Poison),
  // An export is lines of JSON.
  changePoison: {
    200: { description: 'what became of them; of an export, a line for each', type: 'application/json', schema: Poison },
  },
  getSecretsInfo: found('facts, no values', Secrets),
  clearSecretsCache: found('how many were forgotten', z.object({ cleared: count })),
  getDbStats: found('figures', Stats),
  listDbJobs: rows('jobs', JobRow),
  getDbJob: found('the rows', z.looseObject({ job: JobRow, stages: z.array(StageRow) })),
  listDbTasks: rows('tasks', TaskRow),
  listDbTasksOfJob: rows('tasks', TaskRow),
  diagnoseDbEnums: found('words, here and there', Enums),
  testDbFunctions: found('each function', FunctionTests),
  getDbRows: found('the newest rows', Rows),
  deployDbSchema: found('what was done, or would be', Deployed),
  redeployDbSchema: found('what was done', Migrated),
  dropDbSchema: found('it is gone', z.object({ dropped: z.literal(true) })),
  getMonitorPage: { 200: { description: 'the page', type: 'text/html' } },
  getMonitorAsset: { 200: { description: 'the file', type: '*/*' } },
  listMonitorJobs: found('one page', z.intersection(pageOf('jobs', Listed), z.looseObject({ at: time }))),
  getMonitorJob: found('the job with its figures', MonitoredJob),
  listSlowestTasks: found('tasks, slowest first', z.looseObject({ tasks: z.array(Task), count })),
  getCaller: found('who asks', Caller),
  getAdmin: found('who asks', Caller),
  getOpenApi: found('this document', z.looseObject({ openapi: z.literal('3.1.0'), info: object, paths: object })),
  getApiDocs: { 200: { description: 'this document for people', type: 'text/html' } },
}
