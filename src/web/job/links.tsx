// Where else this job can be looked at. What a deployment does not know of itself has no link.
import type { JSX } from 'preact'
import { useContext } from 'preact/hooks'
import queryOfJob from '../../../infra/monitoring/queries/job-by-id.kql'
import { address } from '../address.ts'
import { Caller } from '../hooks.ts'
import type { JobDocument, Json, Whoami } from '../types.ts'
import { Icon } from '../ui/icon.tsx'

const PORTAL = 'https://portal.azure.com/#'

/** The portal's own way to share a query of logs. */
const insightsUrl = (insights: string, jobId: string): string =>
  `${PORTAL}blade/Microsoft_OperationsManagementSuite_Workspace/Logs.ReactView/resourceId/${encodeURIComponent(insights)}/source/LogsBlade.AnalyticsShareLinkToQuery/query/${encodeURIComponent(queryOfJob.replace('{job_id}', jobId))}`

export function outsideLinks(
  { site, insights, scheduler }: Whoami['links'],
  jobId: string,
): readonly (readonly [label: string, href: string])[] {
  return [
    ...(insights === null ? [] : [['Logs of this job', insightsUrl(insights, jobId)] as const]),
    ...(scheduler === null ? [] : [['Scheduler dashboard', scheduler] as const]),
    ...(site === null ? [] : [['Function app in the portal', `${PORTAL}resource${site}`] as const]),
  ]
}

/** The container that the parameters name, whatever the field is called. */
function containerOf(parameters: Json): string | undefined {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) return undefined
  const found = parameters['container_name'] ?? parameters['source_container'] ?? parameters['container']
  return typeof found === 'string' ? found : undefined
}

const HAS_TILES: ReadonlySet<string> = new Set(['process_raster', 'process_container'])
const HAS_ITEMS: ReadonlySet<string> = new Set(['process_raster', 'process_container', 'catalog_container', 'ingest_stac'])

export function JobLinks({ job }: { readonly job: JobDocument }): JSX.Element | null {
  const caller = useContext(Caller)
  const container = containerOf(job.parameters)
  const outside = caller ? outsideLinks(caller.links, job.job_id) : []
  return (
    <p class="links">
      {HAS_TILES.has(job.job_type) && <a href={address(['map'], { tiles: job.job_id })}>Tiles on the map</a>}
      {HAS_ITEMS.has(job.job_type) && <a href={address(['map'], { job: job.job_id })}>Items on the map</a>}
      {container !== undefined && <a href={address(['containers', container])}>Container {container}</a>}
      {outside.map(([label, href]) => (
        <a key={label} href={href} target="_blank" rel="noreferrer">
          {label} <Icon name="open" />
        </a>
      ))}
    </p>
  )
}
