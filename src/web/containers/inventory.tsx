// How a container is made up: by extension, size and kind at once, by folder from its newest inventory.
import type { JSX } from 'preact'
import { type Address, address } from '../address.ts'
import { api } from '../api.ts'
import { bytes, count, moment } from '../format.ts'
import { useLoad } from '../hooks.ts'
import { SizeChart } from '../job/result.tsx'
import { distributionsIn, prefixesIn } from '../job/result-figures.ts'
import type { JobDocument, Json } from '../types.ts'
import { Treemap } from '../ui/charts.tsx'
import { Empty, Shown } from '../ui/notice.tsx'
import { Growth } from './growth.tsx'
import { inventoriesOf } from './inventories.ts'

interface Summary {
  readonly file_count: number
  readonly total_size: number
  readonly largest_file_name?: string
  readonly largest_file_size?: number
  readonly hint?: string
}

export function Inventory({ at, container }: { readonly at: Address; readonly container: string }): JSX.Element {
  const load = useLoad(container, (signal) =>
    api<Summary & { [name: string]: Json }>(`containers/${container}/summary`, { signal }),
  )
  return (
    <>
      <Shown loaded={load}>
        {(summary) => (
          <>
            <p>
              <b>{count(summary.file_count)}</b> files, <b>{bytes(summary.total_size)}</b>
              {summary.largest_file_name !== undefined && (
                <>
                  , the largest is <span class="name">{summary.largest_file_name}</span> with{' '}
                  {bytes(summary.largest_file_size ?? 0)}
                </>
              )}
              .
            </p>
            {summary.hint !== undefined && <p class="notice warn">{summary.hint}</p>}
            <div class="charts">
              {distributionsIn(summary).map((distribution) => (
                <SizeChart key={distribution.name} distribution={distribution} />
              ))}
            </div>
          </>
        )}
      </Shown>
      <Folders container={container} />
      <Growth at={at} container={container} />
    </>
  )
}

/** Of the newest inventory of the whole container, if there is one. */
async function newestInventory(container: string, signal: AbortSignal): Promise<JobDocument | null> {
  const [found] = await inventoriesOf(container, signal)
  return found ? api<JobDocument>(`jobs/${found.job_id}`, { signal }) : null
}

function Folders({ container }: { readonly container: string }): JSX.Element {
  const load = useLoad(container, (signal) => newestInventory(container, signal))
  const submit = address(['submit', 'inventory_container'], { parameters: JSON.stringify({ container_name: container }) })
  return (
    <Shown loaded={load}>
      {(job) =>
        job === null ? (
          <Empty title="How much is in which folder?">
            <p>An inventory counts it.</p>
            <a class="button" href={submit}>
              Run inventory_container
            </a>
          </Empty>
        ) : (
          <>
            <Treemap
              title="Bytes by folder"
              areas={prefixesIn(job.result).map(({ prefix, size }) => ({
                label: prefix || 'at the top',
                value: size,
                text: bytes(size),
              }))}
            />
            <p class="faint">
              From <a href={address(['jobs', job.job_id])}>the inventory</a> of{' '}
              {moment(job.finished_at ?? job.created_at, new Date())}.
            </p>
          </>
        )
      }
    </Shown>
  )
}
