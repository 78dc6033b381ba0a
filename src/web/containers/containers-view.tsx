// Containers, and what is in one of them.
import type { JSX } from 'preact'
import { type Address, address } from '../address.ts'
import { api } from '../api.ts'
import { moment } from '../format.ts'
import { useLoad } from '../hooks.ts'
import { Shown } from '../ui/notice.tsx'
import { Tabs } from '../ui/tabs.tsx'
import { BlobView } from './blob-view.tsx'
import { Browse } from './browse.tsx'
import { Inventory } from './inventory.tsx'

interface Container {
  readonly container_name: string
  readonly tier: string
  readonly exists: boolean | null
  readonly last_modified?: string
  readonly code?: string
}

export function ContainersView({ at, container }: { readonly at: Address; readonly container: string | undefined }): JSX.Element {
  if (container === undefined) return <Containers />
  const blob = at.query.get('blob')
  const tab = blob !== null ? 'blob' : at.query.get('tab') === 'inventory' ? 'inventory' : 'browse'
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={address(['containers'])}>Containers</a>
      </nav>
      <div class="heading">
        <h1>{container}</h1>
      </div>
      <Tabs
        label="Parts of the container"
        current={tab}
        tabs={[
          { name: 'browse', label: 'Browse', href: address(['containers', container]) },
          { name: 'inventory', label: 'Inventory', href: address(['containers', container], { tab: 'inventory' }) },
        ]}
      />
      {blob !== null ? (
        <BlobView key={blob} container={container} blob={blob} />
      ) : tab === 'inventory' ? (
        <Inventory at={at} container={container} />
      ) : (
        <Browse at={at} container={container} />
      )}
    </>
  )
}

function Containers(): JSX.Element {
  const load = useLoad('containers', (signal) => api<{ containers: readonly Container[] }>('containers', { signal }))
  return (
    <>
      <div class="heading">
        <h1>Containers</h1>
      </div>
      <Shown loaded={load}>
        {({ containers }) => (
          <table class="list stacked">
            <thead>
              <tr>
                <th scope="col">Container</th>
                <th scope="col">Tier</th>
                <th scope="col">Last change</th>
              </tr>
            </thead>
            <tbody>
              {containers.map((row) => (
                <ContainerRow key={row.container_name} row={row} />
              ))}
            </tbody>
          </table>
        )}
      </Shown>
    </>
  )
}

const ContainerRow = ({
  row: { container_name, tier, exists, last_modified, code },
}: {
  readonly row: Container
}): JSX.Element => (
  <tr>
    <td data-label="Container">
      {exists ? <a href={address(['containers', container_name])}>{container_name}</a> : container_name}
    </td>
    <td data-label="Tier">{tier}</td>
    <td data-label="Last change">
      {last_modified ? moment(last_modified, new Date()) : <span class="faint">{code ?? 'does not exist'}</span>}
    </td>
  </tr>
)
