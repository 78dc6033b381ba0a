// Collections of the catalogue: what is registered of them.
import type { CatalogueKind, CatalogueRecords, NewCollection } from '../models/stac-record.ts'
import { AppError } from '../rules/errors.ts'

export interface CollectionRequest {
  readonly collection_id: string
  readonly container_name: string
  readonly prefix: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly license?: string | undefined
}

/**
 * Kinds are kept apart: sweeps of one would take items of another for files that are gone.
 * @throws AppError `COLLECTION_OF_OTHER_KIND`
 */
export async function assertCollectionKind(
  catalogue: CatalogueRecords,
  collectionId: string,
  kind: CatalogueKind,
): Promise<void> {
  const [known] = await catalogue.collections([collectionId])
  if (known !== undefined && known.kind !== kind)
    throw new AppError(
      'COLLECTION_OF_OTHER_KIND',
      `The collection ${collectionId} holds ${known.kind} items; these are ${kind}. Give collection_id another name.`,
    )
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
