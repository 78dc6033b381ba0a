// Folders and blobs of one level, and uploads where the container takes them.
import type { JSX } from 'preact'
import { useContext } from 'preact/hooks'
import { type Address, address, changed } from '../address.ts'
import { api, query } from '../api.ts'
import { bytes, moment } from '../format.ts'
import { Caller, go, useLoad, useRole } from '../hooks.ts'
import { TextField } from '../job-list/filter-bar.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Shown } from '../ui/notice.tsx'
import { Upload } from './upload.tsx'

interface Blob {
  readonly name: string
  readonly size: number
  readonly last_modified: string
  readonly content_type?: string
}

interface BlobPage {
  readonly blobs: readonly Blob[]
  readonly folders: readonly string[]
  readonly next?: string
  readonly skipped_names: { readonly count: number }
}

const PAGE = 200

export function Browse({ at, container }: { readonly at: Address; readonly container: string }): JSX.Element {
  const [prefix, filter, next] = [at.query.get('prefix') ?? '', at.query.get('filter') ?? '', at.query.get('next') ?? '']
  const caller = useContext(Caller)
  const isWritable = useRole('operator') && container !== caller?.containers.bronze
  // A search looks into folders too.
  const path = `containers/${container}/blobs${query({ prefix, filter, delimiter: filter ? '' : '/', next, limit: PAGE })}`
  const load = useLoad(path, (signal) => api<BlobPage>(path, { signal }))
  return (
    <>
      <search class="filters">
        <Crumbs container={container} prefix={prefix} />
        <TextField
          label="Name contains"
          value={filter}
          onChange={(text) => go(changed(at, { filter: text, next: undefined }), true)}
        />
        {isWritable && <Upload container={container} prefix={prefix} onDone={load.reload} />}
      </search>
      <Shown loaded={load}>
        {(page) =>
          page.blobs.length + page.folders.length === 0 ? (
            <Empty title={filter || prefix ? 'Nothing here fits.' : 'This container is empty.'} />
          ) : (
            <>
              <BlobTable container={container} page={page} prefix={filter ? '' : prefix} />
              {page.skipped_names.count > 0 && (
                <p class="faint">{page.skipped_names.count} names that cannot be shown were left out.</p>
              )}
              <nav class="pages" aria-label="Pages of blobs">
                {next !== '' && <a href={changed(at, { next: undefined })}>First</a>}
                {page.next !== undefined && <a href={changed(at, { next: page.next })}>Next</a>}
              </nav>
            </>
          )
        }
      </Shown>
    </>
  )
}

function Crumbs({ container, prefix }: { readonly container: string; readonly prefix: string }): JSX.Element {
  const parts = prefix.split('/').filter(Boolean)
  return (
    <nav class="crumbs" aria-label="Folder">
      <a href={address(['containers', container])}>{container}</a>
      {parts.map((part, i) => (
        <a key={`${i} ${part}`} href={address(['containers', container], { prefix: `${parts.slice(0, i + 1).join('/')}/` })}>
          {part}
        </a>
      ))}
    </nav>
  )
}

function BlobTable({
  container,
  page,
  prefix,
}: {
  readonly container: string
  readonly page: BlobPage
  readonly prefix: string
}): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of blobs">
      <table class="list stacked">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col" class="number">
              Changed
            </th>
            <th scope="col">Type</th>
          </tr>
        </thead>
        <tbody>
          {page.folders.map((folder) => (
            <FolderRow key={folder} container={container} folder={folder} prefix={prefix} />
          ))}
          {page.blobs.map((blob) => (
            <BlobRow key={blob.name} container={container} blob={blob} prefix={prefix} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

const BlobRow = ({
  container,
  blob,
  prefix,
}: {
  readonly container: string
  readonly blob: Blob
  readonly prefix: string
}): JSX.Element => (
  <tr>
    <td data-label="Name" class="name">
      <a href={address(['containers', container], { blob: blob.name })}>
        <Icon name="file" /> {blob.name.slice(prefix.length)}
      </a>
    </td>
    <td data-label="Size" class="number">
      {bytes(blob.size)}
    </td>
    <td data-label="Changed" class="number">
      {moment(blob.last_modified, new Date())}
    </td>
    <td data-label="Type" class="faint">
      {blob.content_type ?? ''}
    </td>
  </tr>
)

interface FolderProps {
  readonly container: string
  readonly folder: string
  readonly prefix: string
}

const FolderRow = ({ container, folder, prefix }: FolderProps): JSX.Element => (
  <tr>
    <td colSpan={4} class="name">
      <a href={address(['containers', container], { prefix: folder })}>
        <Icon name="folder" /> {folder.slice(prefix.length)}
      </a>
    </td>
  </tr>
)
