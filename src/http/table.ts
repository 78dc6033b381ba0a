// Every HTTP function, by its door. The index at /api, the README's table, the roles and the registration in main.ts come from these rows.
import { blobAccessRoutes } from './blob-access.ts'
import { containerRoutes } from './containers.ts'
import { dbRoutes } from './db.ts'
import { docsRoutes } from './docs.ts'
import { dbSchemaRoutes } from './db-schema.ts'
import { healthRoutes } from './health.ts'
import { jobActionRoutes } from './job-actions.ts'
import { jobFileRoutes } from './job-files.ts'
import { jobTileRoutes } from './job-tiles.ts'
import { jobTypeRoutes } from './job-types.ts'
import { jobRoutes } from './jobs.ts'
import { monitorDataRoutes } from './monitor-data.ts'
import { monitorRoutes } from './monitor.ts'
import { poisonRoutes } from './poison.ts'
import { rasterRoutes } from './rasters.ts'
import type { HttpRow } from './route.ts'
import { secretRoutes } from './secrets.ts'
import { scheduleRoutes } from './schedules.ts'
import { stacItemRoutes } from './stac-items.ts'
import { stacRoutes } from './stac.ts'
import { stacSearchRoutes } from './stac-search.ts'
import { stacValidateRoutes } from './stac-validate.ts'
import { webhookRoutes } from './webhooks.ts'
import { submitRoutes } from './submit.ts'
import { taskRoutes } from './tasks.ts'

export const HTTP_TABLE: readonly HttpRow[] = [
  ...submitRoutes,
  ...jobRoutes,
  ...jobFileRoutes,
  ...jobActionRoutes,
  ...taskRoutes,
  ...poisonRoutes,
  ...scheduleRoutes,
  ...webhookRoutes,
  ...jobTypeRoutes,
  ...containerRoutes,
  ...blobAccessRoutes,
  ...rasterRoutes,
  ...jobTileRoutes,
  ...stacRoutes,
  ...stacSearchRoutes,
  ...stacItemRoutes,
  ...stacValidateRoutes,
  ...secretRoutes,
  ...healthRoutes,
  ...dbRoutes,
  ...dbSchemaRoutes,
  ...monitorRoutes,
  ...monitorDataRoutes,
  ...docsRoutes(() => HTTP_TABLE),
]
