// What routes of containers, blobs and rasters answer.
import * as z from 'zod'
import { BlobMetadata, ContainerSummary, SkippedNames } from '../../models/blob.ts'
import { Bounds, RasterInfo } from '../../models/raster.ts'
import { all, type AnswersByName, count, found, json, KNOWN, picture, text, time } from './declared.ts'

const Container = z.looseObject({
  container_name: text,
  tier: z.enum(['bronze', 'silver', 'gold', 'other']),
  exists: z.boolean().nullable().describe('null: it may not be looked at, and why stands in `code`'),
  last_modified: time.optional(),
  code: text.optional(),
})
/** Properties that only one blob is asked for stand beside these. */
const Blob = BlobMetadata.loose()
const BlobPage = z.looseObject({
  container_name: text,
  prefix: text,
  blobs: z.array(Blob),
  folders: z.array(text).optional(),
  skipped_names: SkippedNames,
  count,
  next: text.optional(),
})
const Signature = z.looseObject({
  url: z.url().describe('a secret: whoever has it may read'),
  expires_at: time,
  permissions: text,
  kind: z.enum(['user_delegation', 'service']),
})
const Gdal = z.looseObject({
  vsi_path: text,
  vsicurl_path: text,
  env: z.record(z.string(), z.string()),
  expires_at: time,
  example: text,
})
const Written = z.looseObject({ container: text, blob_path: text, size: count, etag: text, last_modified: time, sha256: text })
const TileJson = z.looseObject({
  tilejson: z.literal('3.0.0'),
  name: text,
  tiles: z.array(text).length(1),
  minzoom: count,
  maxzoom: count,
  bounds: Bounds,
  center: z.array(z.number()).length(3),
})
const pair = z.array(z.number()).length(2)
const Point = z.looseObject({
  coordinates: pair,
  pixel: pair.describe('column and row'),
  values: z.array(z.union([z.number(), text]).nullable()).describe('per band; null: no data'),
  band_names: z.array(text),
})
const Statistics = z.looseObject({
  level: count.describe('0: the full image'),
  exact: z.boolean(),
  bands: z.array(z.looseObject({ band: z.int().min(1) })).min(1),
})

export const containerAnswers: AnswersByName = {
  listContainers: all('containers', Container),
  getBlobs: { 200: json('blobs, or properties of one', z.union([BlobPage, Blob])), ...KNOWN },
  getContainerSummary: found('counts and sizes', ContainerSummary.loose()),
  createSas: found('the signature', Signature),
  createContainerSas: found('the signature', Signature),
  createGdalAccess: found('how GDAL opens it', Gdal),
  downloadBlob: {
    200: { description: 'the bytes', type: '*/*' },
    206: { description: 'a range of them', type: '*/*' },
    304: { description: 'they are known', type: null },
  },
  uploadBlob: { 201: json('it was written', Written) },
  getRasterInfo: { ...found('what the file says', RasterInfo.loose()), ...KNOWN },
  getRasterPreview: { ...picture('the raster'), ...KNOWN },
  getRasterWindow: { 200: { description: 'the pixels', type: '*/*' }, ...KNOWN },
  getRasterPoint: { ...found('values of the pixel', Point), ...KNOWN },
  getRasterTile: { ...picture('the tile'), 204: { description: 'nothing is there', type: null }, ...KNOWN },
  getRasterTileJson: { ...found('what a map needs', TileJson), ...KNOWN },
  getRasterStatistics: { ...found('figures of each band', Statistics), ...KNOWN },
}
