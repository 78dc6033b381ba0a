// Blobs that a task names, each with a way to it.
import type { JSX } from 'preact'
import { address } from '../address.ts'
import type { Json } from '../types.ts'
import { Icon } from '../ui/icon.tsx'
import { blobsIn } from './blob-refs.ts'

export function BlobLinks({ values }: { readonly values: readonly Json[] }): JSX.Element | null {
  const blobs = blobsIn([...values])
  if (blobs.length === 0) return null
  return (
    <ul class="plain">
      {blobs.map(({ container, blob }) => (
        <li key={`${container}/${blob}`}>
          <a href={address(['containers', container], { blob })} class="name">
            <Icon name="file" /> {container}/{blob}
          </a>
        </li>
      ))}
    </ul>
  )
}
