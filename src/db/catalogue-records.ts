// The catalogue as job types use it.
import type { CatalogueRecords, FiledItem, KnownItem, SweptItem } from '../models/stac-record.ts'
import { AppError } from '../rules/errors.ts'
import { refreshExtent, sweepItems, upsertCollection, upsertItem } from './catalogue-functions.ts'
import { collectionsOf, itemRanges, itemsOfRange } from './reading-catalogue.ts'
import type { Database } from './pool.ts'
import { only } from './sql-function.ts'

const PAGE = 5000
/** Distinct values of a summary; more say nothing. */
const SUMMARY_VALUES = 100

export function catalogueRecords(db: Database): CatalogueRecords {
  return {
    async putCollection(collection) {
      await upsertCollection(db, collection)
    },
    known: (collectionId, itemIds) => known(db, collectionId, itemIds),
    async timeOf(collectionId, itemId) {
      const rows = await db.query<{ start_at: Date; end_at: Date; sort_at: Date }>(
        'SELECT start_at, end_at, sort_at FROM app.stac_items WHERE collection_id = $1 AND item_id = $2',
        [collectionId, itemId],
      )
      const [row] = rows
      if (!row) return undefined
      const [start, end] = [row.start_at.toISOString(), row.end_at.toISOString()]
      return start === end ? start : `${start}/${end}`
    },
    async putItem(item) {
      const { outcome } = only(await upsertItem(db, { item, only_new: false }))
      if (outcome === 'collision')
        throw new AppError(
          'STAC_ID_COLLISION',
          `The id ${item.item_id} of collection ${item.collection_id} belongs to another file than ${item.name}.`,
        )
      if (outcome === 'no_collection') throw new AppError('COLLECTION_NOT_FOUND', `There is no collection ${item.collection_id}.`)
      return outcome
    },
    itemsOf: (collectionId, container, prefix) => itemsOf(db, { collectionId, container, prefix }),
    filesOf: (collectionId, container, prefix) => filesOf(db, { collectionId, container, prefix }),
    collections: (ids) => collectionsOf(db, ids),
    ranges: (collectionId, size) => itemRanges(db, collectionId, size),
    items: (collectionId, range) => itemsOfRange(db, collectionId, range),
    async sweep(collection_id, { gone, back }, { at, missing }) {
      return only(await sweepItems(db, { collection_id, gone, back, at, missing }))
    },
    async refreshCollection(collection_id) {
      return only(await refreshExtent(db, { collection_id, summaries: await summariesOf(db, collection_id) })).items
    },
  }
}

async function known(db: Database, collectionId: string, itemIds: readonly string[]): Promise<Map<string, KnownItem>> {
  const rows = await db.query<KnownItem & { item_id: string }>(
    `SELECT item_id, etag, mode, ARRAY(SELECT a.value ->> 'href' FROM jsonb_each(content -> 'assets') a) AS hrefs
     FROM app.stac_items WHERE collection_id = $1 AND item_id = ANY ($2)`,
    [collectionId, itemIds],
  )
  return new Map(rows.map(({ item_id, ...known }) => [item_id, known]))
}

interface Scope {
  readonly collectionId: string
  readonly container: string
  readonly prefix: string
}

/** Kinds are kept apart: what others described is not found by the names of files that we describe. */
async function* itemsOf(db: Database, scope: Scope): AsyncGenerator<readonly SweptItem[]> {
  const pages = byId<{ item_id: string; is_missing: boolean }>(db, scope, {
    columns: 'item_id, missing_since IS NOT NULL AS is_missing',
    where: `kind = 'bronze'`,
  })
  for await (const rows of pages) yield rows.map((r) => ({ item_id: r.item_id, isMissing: r.is_missing }))
}

async function* filesOf(db: Database, scope: Scope): AsyncGenerator<readonly FiledItem[]> {
  const pages = byId<Omit<FiledItem, 'isMissing'> & { is_missing: boolean }>(db, scope, {
    columns: `item_id, name, etag, missing_since IS NOT NULL AS is_missing, coalesce((content #>> '{file,features}')::integer, 0) AS features`,
    where: `kind = 'foreign'`,
  })
  for await (const rows of pages) yield rows.map(({ is_missing, ...row }) => ({ ...row, isMissing: is_missing }))
}

async function* byId<T extends { item_id: string }>(
  db: Database,
  { collectionId, container, prefix }: Scope,
  { columns, where }: { readonly columns: string; readonly where: string },
): AsyncGenerator<readonly T[]> {
  for (let after = ''; ;) {
    const rows = await db.query<T>(
      `SELECT ${columns} FROM app.stac_items
       WHERE collection_id = $1 AND item_id > $2 AND container = $3 AND starts_with(name, $4) AND ${where}
       ORDER BY item_id LIMIT ${PAGE}`,
      [collectionId, after, container, prefix],
    )
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    after = last.item_id
  }
}

/** Values that its items have: CRS and data types. */
async function summariesOf(db: Database, collectionId: string): Promise<Record<string, unknown>> {
  const distinct = async (expression: string): Promise<unknown[]> => {
    const rows = await db.query<{ value: unknown }>(
      `SELECT DISTINCT ${expression} AS value FROM app.stac_items WHERE collection_id = $1 AND ${expression} IS NOT NULL
       ORDER BY 1 LIMIT ${SUMMARY_VALUES}`,
      [collectionId],
    )
    return rows.map((r) => r.value)
  }
  const [codes, types] = [
    await distinct(`content #>> '{properties,proj:code}'`),
    await distinct(`content #>> '{assets,data,bands,0,data_type}'`),
  ]
  return { ...(codes.length > 0 ? { 'proj:code': codes } : {}), ...(types.length > 0 ? { data_type: types } : {}) }
}
