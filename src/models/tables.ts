// Every table of the schema, in order of creation.
import { circuitBreakersTable } from './circuit-breaker.ts'
import { hostsTable } from './host.ts'
import { jobEventsTable } from './job-event.ts'
import { jobsTable } from './job.ts'
import { rasterOutputsTable } from './raster-output.ts'
import { scheduleRunsTable, schedulesTable } from './schedule.ts'
import type { TableDefinition } from './sql-meta.ts'
import { stacCollectionsTable, stacItemsTable } from './stac-record.ts'
import { webhookDeliveriesTable, webhooksTable } from './webhook.ts'
import { stagesTable } from './stage.ts'
import { tasksTable } from './task.ts'

export const tables: readonly TableDefinition[] = [
  jobsTable,
  stagesTable,
  tasksTable,
  jobEventsTable,
  circuitBreakersTable,
  hostsTable,
  rasterOutputsTable,
  stacCollectionsTable,
  stacItemsTable,
  schedulesTable,
  scheduleRunsTable,
  webhooksTable,
  webhookDeliveriesTable,
]
