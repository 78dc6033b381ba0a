// Items of the catalogue from what is known of a file. Stored without links, hosts or signatures: hrefs are blob:container/path.
import type { BlobMetadata } from '../models/blob.ts'
import type { DetectedFormat, RasterInfo } from '../models/raster.ts'
import type { StacAsset } from '../models/stac.ts'
import { STAC_EXTENSIONS } from '../models/stac-extensions.ts'
import type { CatalogueMode, NewItem } from '../models/stac-record.ts'
import type { BandStatistics } from '../models/raster-output.ts'
import { bandsOf } from './bands.ts'
import { type Footprint, footprintOf, type FootprintWarning } from './footprint.ts'
import { itemIdOf } from './ids.ts'
import { itemTime, type TimeOptions } from './item-time.ts'
import { placeColumns } from './place-columns.ts'
import { sidecarAssets } from './sidecars.ts'

/** What the listing tells of a file. */
export type CataloguedFile = Pick<BlobMetadata, 'name' | 'size' | 'last_modified' | 'etag' | 'content_type' | 'content_md5'> & {
  readonly container: string
  /** Names of files of the same stem that belong to it. */
  readonly sidecars?: readonly string[]
}

export interface ItemOptions extends TimeOptions {
  readonly collectionId: string
  readonly mode: CatalogueMode
  readonly jobId: string
  readonly plan: number
  readonly statistics?: readonly BandStatistics[]
}

export interface BuiltItem {
  readonly item: NewItem
  readonly warnings: readonly FootprintWarning[]
}

/** An output, and what it was made from. */
export interface SilverFacts {
  /** Logical name: a rerun replaces the item. */
  readonly targetName: string
  readonly source: {
    readonly collectionId: string
    readonly itemId: string
    readonly container: string
    readonly blob: string
    readonly etag: string
  }
  readonly outputTier: string
  readonly compression: string
  readonly overviewResampling: string
}

/**
 * Item of a file that came; of a broken TIFF and of other files only what the listing tells.
 * @param found undefined: not looked into
 */
export async function bronzeItem(
  file: CataloguedFile,
  found: DetectedFormat | null | undefined,
  options: ItemOptions,
): Promise<BuiltItem> {
  const info = found && 'width' in found ? found : undefined
  const problem = found && 'problem' in found ? found.problem : undefined
  const built = await describe(file, info, options)
  const sidecars = sidecarAssets(file.container, file.sidecars ?? [])
  return {
    warnings: built.warnings,
    item: {
      ...identity('bronze', options, file.container, file.name),
      ...built.columns,
      blob: file.name,
      etag: file.etag ?? null,
      mode: options.mode,
      source_collection: null,
      source_item: null,
      source_etag: null,
      content: {
        ...built.content,
        properties: { ...built.content.properties, ...(problem ? { 'lamplighter:problem': problem } : {}) },
        assets: { data: built.data, ...sidecars },
      },
    },
  }
}

/** Item of a published output. */
export async function silverItem(
  file: CataloguedFile,
  info: RasterInfo,
  facts: SilverFacts,
  options: ItemOptions,
): Promise<BuiltItem> {
  const built = await describe(file, info, options)
  const { source } = facts
  const visual = facts.outputTier === 'visualization'
  return {
    warnings: built.warnings,
    item: {
      ...identity('silver', options, file.container, facts.targetName),
      ...built.columns,
      blob: file.name,
      etag: file.etag ?? null,
      mode: 'full',
      source_collection: source.collectionId,
      source_item: source.itemId,
      source_etag: source.etag,
      content: {
        ...built.content,
        stac_extensions: [...built.content.stac_extensions, STAC_EXTENSIONS.processing],
        properties: {
          ...built.content.properties,
          'processing:lineage': `Cloud-Optimized GeoTIFF of ${source.container}/${source.blob}: ${facts.compression}, overviews by ${facts.overviewResampling}.`,
          'lamplighter:job_id': options.jobId,
          'lamplighter:plan': options.plan,
          'lamplighter:source': { collection: source.collectionId, id: source.itemId, etag: source.etag },
          'lamplighter:output_tier': facts.outputTier,
          'lamplighter:compression': facts.compression,
          'lamplighter:overview_resampling': facts.overviewResampling,
        },
        assets: { data: { ...built.data, roles: visual ? ['visual', 'data'] : ['data'] } },
      },
    },
  }
}

function identity(kind: 'bronze' | 'silver', { collectionId, jobId, plan }: ItemOptions, container: string, name: string) {
  return { collection_id: collectionId, item_id: itemIdOf(container, name), kind, container, name, job_id: jobId, plan }
}

async function describe(file: CataloguedFile, info: RasterInfo | undefined, options: ItemOptions) {
  const time = itemTime(file, info ?? {}, options)
  const place: Footprint = info ? await footprintOf(info) : { geometry: null, georeference: 'none', warnings: [] }
  const { geometry, bbox } = place
  const crs = info && crsFields(info)
  return {
    data: dataAsset(file, info, place.resolutionM, options.statistics),
    columns: { ...placeColumns(geometry, bbox), start_at: time.start, end_at: time.end, sort_at: time.datetime ?? time.start },
    content: {
      stac_extensions: extensionsOf(info),
      geometry,
      ...(bbox ? { bbox } : {}),
      properties: {
        datetime: time.datetime,
        ...(time.datetime === null ? { start_datetime: time.start, end_datetime: time.end } : {}),
        ...(place.resolutionM === undefined ? {} : { gsd: place.resolutionM }),
        ...crs,
        'lamplighter:container': file.container,
        'lamplighter:blob': file.name,
        ...(file.etag === undefined ? {} : { 'lamplighter:etag': file.etag }),
        'lamplighter:last_modified': file.last_modified,
        'lamplighter:datetime_source': time.source,
        ...(info ? { 'lamplighter:georeference': place.georeference } : {}),
        ...(place.accuracyM === undefined ? {} : { 'lamplighter:footprint_accuracy_m': place.accuracyM }),
      },
    },
    // That a file has no place is told by its georeference; a warning is what nobody meant.
    warnings: [...time.warnings, ...place.warnings.filter((w) => w.code !== 'NOT_GEOREFERENCED')],
  }
}

/** Only those of which a field is there: the raster schema refuses an item that names it and uses none. */
function extensionsOf(info: RasterInfo | undefined): string[] {
  const { file, projection, raster } = STAC_EXTENSIONS
  return info ? [file, projection, raster] : [file]
}

function crsFields({ crs }: RasterInfo): Record<string, string | null> {
  if (crs.epsg !== undefined) return { 'proj:code': `EPSG:${crs.epsg}` }
  if (crs.kind === 'none') return {}
  return { 'proj:code': null, ...(crs.citation === undefined ? {} : { 'lamplighter:crs_citation': crs.citation }) }
}

function dataAsset(
  file: CataloguedFile,
  info: RasterInfo | undefined,
  resolutionM: number | undefined,
  statistics?: readonly BandStatistics[],
): StacAsset {
  return {
    href: `blob:${file.container}/${file.name}`,
    type: mediaType(file, info),
    title: file.name.split('/').findLast((part) => part !== '') ?? file.name,
    roles: ['data'],
    'file:size': file.size,
    ...(file.content_md5 ? { 'file:checksum': `d50110${file.content_md5.toLowerCase()}` } : {}),
    ...(info ? rasterFields(info, resolutionM, statistics) : {}),
  }
}

function mediaType({ content_type }: CataloguedFile, info: RasterInfo | undefined): string {
  if (!info) return content_type || 'application/octet-stream'
  if (info.is_cog) return 'image/tiff; application=geotiff; profile=cloud-optimized'
  return info.georeference === 'none' ? 'image/tiff' : 'image/tiff; application=geotiff'
}

function rasterFields(
  info: RasterInfo,
  resolutionM: number | undefined,
  statistics?: readonly BandStatistics[],
): Partial<StacAsset> {
  const t = info.transform as [number, number, number, number, number, number] | undefined
  const { crs } = info
  return {
    'file:byte_order': info.byte_order === 'little' ? 'little-endian' : 'big-endian',
    ...(crs.epsg === undefined ? {} : { 'proj:code': `EPSG:${crs.epsg}` }),
    'proj:shape': [info.height, info.width],
    // GDAL's order is c, a, b, f, d, e.
    ...(t ? { 'proj:transform': [t[1], t[2], t[0], t[4], t[5], t[3]] } : {}),
    ...(info.bounds ? { 'proj:bbox': [...info.bounds] } : {}),
    'raster:sampling': info.area_or_point,
    ...(resolutionM === undefined ? {} : { 'raster:spatial_resolution': resolutionM }),
    bands: bandsOf(info, statistics),
  }
}
