// Collections of the catalogue: what is registered of them.
import type { NewCollection } from '../models/stac-record.ts'

export interface CollectionRequest {
  readonly collection_id: string
  readonly container_name: string
  readonly prefix: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly license?: string | undefined
}

/** Of the files of a container; what is not said stays as it is. */
export function collectionContent(request: CollectionRequest): NewCollection {
  const { collection_id, container_name: container, prefix, title, description, license } = request
  return {
    collection_id,
    kind: 'bronze',
    container,
    prefix,
    content: {
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(license === undefined ? {} : { license }),
    },
  }
}
