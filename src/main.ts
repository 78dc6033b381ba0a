// The one entry: the table of everything that is registered. HTTP rows stand in http/table.ts, by door.
import './platform/node-version.ts'
import { app, type HttpRequest, type InvocationContext } from '@azure/functions'
import * as df from 'durable-functions'
import { advanceJob } from './activities/advance-job.ts'
import { purgeJobs } from './activities/purge.ts'
import { reconcileJobs } from './activities/reconcile.ts'
import { runTasks } from './activities/run-tasks.ts'
import { answerUnknownRoute, UNKNOWN_ROUTE } from './http/fallback.ts'
import { keepLogLevels } from './http/host-log.ts'
import { HTTP_TABLE } from './http/table.ts'
import { inHttpTrace } from './http/trace.ts'
import { ORCHESTRATOR } from './models/steps.ts'
import { job } from './orchestrators/job.ts'
import { authLevelOf, corsOrigins, isCatalogueOpen } from './platform/config.ts'
import { resources } from './platform/resources.ts'
import { shutdown } from './platform/shutdown.ts'
import { recordHistory } from './telemetry/metrics.ts'

// Bodies of downloads go through as streams; without this the library would hold each whole in memory.
app.setup({ enableHttpStream: true })
keepLogLevels(app)
// A worker is ended by its host's word, by a signal, or both; either waits for what runs.
app.hook.preInvocation((hook) => {
  const run = hook.functionHandler as (...inputs: unknown[]) => unknown
  hook.functionHandler = (...inputs: unknown[]): unknown => shutdown.track(() => run(...inputs))
})
// Outside of the orchestrator: measured once for each turn, replayed or not, and no part of what is replayed.
app.hook.preInvocation(({ inputs, invocationContext }) => {
  if (invocationContext.options.trigger.type === 'orchestrationTrigger') recordHistory(inputs[0])
})
app.hook.appTerminate(() => shutdown.end())

const client = df.input.durableClient()

df.app.orchestration(ORCHESTRATOR, job)
df.app.activity('advanceJob', { handler: (input, context) => advanceJob(input, resources(), context.traceContext) })
df.app.activity('runTasks', { handler: (input, context) => runTasks(input, resources(), context.traceContext) })

app.timer('reconcileJobs', {
  schedule: '*/30 * * * * *',
  runOnStartup: true,
  useMonitor: false,
  extraInputs: [client],
  handler: (_timer, context) => reconcileJobs(df.getClient(context), resources(), context.traceContext),
})
app.timer('purgeJobs', {
  schedule: '0 17 * * * *',
  extraInputs: [client],
  handler: (_timer, context) => purgeJobs(df.getClient(context), resources(), context.traceContext),
})

for (const { name, method, path, role, isCatalogue, answer } of HTTP_TABLE)
  app.http(name, {
    methods: [method],
    route: path,
    authLevel:
      role === 'anonymous' || (isCatalogue && isCatalogueOpen(process.env))
        ? 'anonymous'
        : authLevelOf(process.env, role === 'admin'),
    extraInputs: [client],
    handler: (request: HttpRequest, context: InvocationContext) =>
      inHttpTrace(request, context, path, () => answer(request, context, resources)),
  })
app.http(UNKNOWN_ROUTE, {
  methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'],
  route: '{*path}',
  authLevel: 'anonymous',
  handler: (request: HttpRequest, context: InvocationContext) =>
    inHttpTrace(request, context, '{*path}', () => answerUnknownRoute(request, HTTP_TABLE, corsOrigins(process.env))),
})
