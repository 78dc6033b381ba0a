// What catalogues and collections of others say about their items as a whole.
import * as z from 'zod'
import { Provider } from '../models/stac.ts'
import { isObject, type JsonObject } from './validation/json.ts'
import { isOld, upgrade } from './validation/upgrade.ts'
import { copyOf } from './validation/walk.ts'

export const CollectionFacts = z.object({
  title: z.string().optional(),
  description: z.string().optional(),
  license: z.string().optional(),
  keywords: z.array(z.string()).optional(),
  providers: z.array(Provider).optional(),
})
export type CollectionFacts = z.infer<typeof CollectionFacts>

/** STAC 1.1 gave them up for `other`. */
const GIVEN_UP = new Set<unknown>(['proprietary', 'various'])

/** Of a valid document. */
export function factsOf(document: JsonObject): CollectionFacts {
  const copy = copyOf(document) as JsonObject
  if (isOld(copy)) upgrade(copy)
  const license = GIVEN_UP.has(copy['license']) ? 'other' : copy['license']
  const said = CollectionFacts.safeParse({ ...copy, license })
  return said.success ? said.data : {}
}

export interface FoundFacts {
  readonly file: string
  readonly document_type: 'Catalog' | 'Collection'
  readonly facts: CollectionFacts
}

/** A Collection before a Catalog, then the one nearest to the top, then by name: the same of any order. */
export function bestFacts(a: FoundFacts | undefined, b: FoundFacts): FoundFacts {
  if (!a) return b
  const rank = ({ file, document_type }: FoundFacts): [number, number, string] => [
    document_type === 'Collection' ? 0 : 1,
    file.split('/').length,
    file,
  ]
  const [left, right] = [rank(a), rank(b)]
  const i = left.findIndex((value, n) => value !== right[n])
  return i < 0 || (left[i] as number | string) < (right[i] as number | string) ? a : b
}

export const isCollectionLike = (document: unknown): document is JsonObject & { type: 'Catalog' | 'Collection' } =>
  isObject(document) && (document['type'] === 'Catalog' || document['type'] === 'Collection')
