// Callers of the SQL functions of the catalogue.
import { sqlFunction } from './sql-function.ts'

export const upsertCollection = sqlFunction<
  { collection_id: string; kind: string; container: string | null; prefix: string; content: unknown },
  { outcome: 'created' | 'updated' | 'unchanged' }
>(
  'upsert_collection',
  { collection_id: 'text', kind: 'text', container: 'text', prefix: 'text', content: 'jsonb' },
  { outcome: 'text' },
)

export const upsertItem = sqlFunction<
  { item: unknown; only_new: boolean },
  { outcome: 'created' | 'updated' | 'unchanged' | 'collision' | 'no_collection'; version: number }
>('upsert_item', { item: 'jsonb', only_new: 'boolean' }, { outcome: 'text', version: 'integer' })

export const widenExtent = sqlFunction<{ collection_id: string; item_id: string }, { widen_extent: unknown }>(
  'widen_extent',
  { collection_id: 'text', item_id: 'text' },
  { widen_extent: 'void' },
)

export const refreshExtent = sqlFunction<{ collection_id: string; summaries: unknown }, { items: number }>(
  'refresh_extent',
  { collection_id: 'text', summaries: 'jsonb' },
  { items: 'integer' },
)

export const sweepItems = sqlFunction<
  { collection_id: string; gone: readonly string[]; back: readonly string[]; at: string; missing: 'mark' | 'delete' },
  { marked: number; deleted: number }
>(
  'sweep_items',
  { collection_id: 'text', gone: 'text[]', back: 'text[]', at: 'timestamp with time zone', missing: 'text' },
  { marked: 'integer', deleted: 'integer' },
)

export const publishRaster = sqlFunction<
  { container: string; blob: string; overwrite: boolean; collections: unknown; items: unknown },
  { outcome: 'published' | 'taken' | 'superseded'; holder: string | null }
>(
  'publish_raster',
  { container: 'text', blob: 'text', overwrite: 'boolean', collections: 'jsonb', items: 'jsonb' },
  { outcome: 'text', holder: 'text' },
)

export const deleteItem = sqlFunction<
  { collection_id: string; item_id: string; version: number; with_blob: boolean },
  { outcome: 'deleted' | 'changed' | 'absent' }
>('delete_item', { collection_id: 'text', item_id: 'text', version: 'integer', with_blob: 'boolean' }, { outcome: 'text' })

export const deleteCollection = sqlFunction<{ collection_id: string }, { items: number }>(
  'delete_collection',
  { collection_id: 'text' },
  { items: 'integer' },
)
