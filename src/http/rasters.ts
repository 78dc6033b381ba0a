// Looking at rasters: facts, pictures, values and map tiles of any TIFF that is read, from ranged reads alone. Names as in TiTiler.
import { encodePath } from '../rules/encode-path.ts'
import * as z from 'zod'
import { COLORMAP_NAMES } from '../raster/colormaps.ts'
import type { Look, LookAnswer, Render } from '../raster/look-task.ts'
import { outputStatistics } from '../db/reading-outputs.ts'
import { lookPool } from '../raster/pools.ts'
import { zoomOf } from '../raster/mercator.ts'
import type { RasterInfo } from '../models/raster.ts'
import { AppError } from '../rules/errors.ts'
import { BlobName, ContainerName } from '../storage/names.ts'
import { tagsOf } from './conditional.ts'
import { type Answer, type Call, type HttpRow, queryWithoutKeys, route } from './route.ts'

const RasterParams = z.object({ container: ContainerName, blob: BlobName })
type RasterParams = z.infer<typeof RasterParams>

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most)
/** `1,2,3` */
const numbers = (least: number, most: number) =>
  z
    .string()
    .max(400)
    .transform((text, ctx) => {
      const list = text.split(',').map(Number)
      if (list.every((n) => Number.isInteger(n) && n >= least && n <= most)) return list
      ctx.addIssue({ code: 'custom', message: `must be whole numbers from ${least} to ${most}, with commas between` })
      return z.NEVER
    })

const renderFields = {
  bidx: numbers(1, 65_535).optional(),
  rescale: z
    .string()
    .max(400)
    .transform((text, ctx) => {
      const list = text.split(',').map(Number)
      const pairs = list.flatMap((n, i) => (i % 2 === 0 ? [[n, list[i + 1] ?? Number.NaN] as [number, number]] : []))
      if (pairs.every(([a, b]) => Number.isFinite(a) && Number.isFinite(b) && a < b)) return pairs
      ctx.addIssue({ code: 'custom', message: 'must be min,max with min below max, once or once per band' })
      return z.NEVER
    })
    .optional(),
  colormap_name: z.enum(COLORMAP_NAMES).optional(),
  resampling: z.enum(['nearest', 'bilinear']).default('nearest'),
  nodata: z.union([z.literal('nan'), z.coerce.number()]).optional(),
} as const
type RenderQuery = z.infer<z.ZodObject<typeof renderFields>>

const PreviewQuery = z.strictObject({ ...renderFields, width: whole(1, 2048).default(512) })
const WindowQuery = z.strictObject({
  ...renderFields,
  x: whole(0, 200_000),
  y: whole(0, 200_000),
  width: whole(1, 2048),
  height: whole(1, 2048),
  format: z.enum(['png', 'json', 'tif']).default('png'),
})
const PointQuery = z
  .strictObject({
    lon: z.coerce.number().min(-180).max(360).optional(),
    lat: z.coerce.number().min(-90).max(90).optional(),
    x: z.coerce.number().optional(),
    y: z.coerce.number().optional(),
    bidx: renderFields.bidx,
  })
  .refine((q) => (q.lon !== undefined && q.lat !== undefined) !== (q.x !== undefined && q.y !== undefined), {
    message: 'give lon and lat, or x and y in the CRS of the raster',
    path: ['lon'],
  })
const StatisticsQuery = z.strictObject({ bidx: renderFields.bidx })
const TileParams = RasterParams.extend({ z: whole(0, 30), x: whole(0, 2 ** 30), y: whole(0, 2 ** 30) }).refine(
  (t) => t.x < 2 ** t.z && t.y < 2 ** t.z,
  { message: 'lies outside its zoom level', path: ['x'] },
)
const RenderQuery = z.strictObject(renderFields)

const renderOf = ({ bidx, rescale, colormap_name, resampling, nodata }: RenderQuery): Render => ({
  resampling,
  ...(bidx ? { bidx } : {}),
  ...(rescale ? { rescale } : {}),
  ...(colormap_name ? { colormap_name } : {}),
  ...(nodata === undefined ? {} : { nodata }),
})

type RasterCall<P, Q> = Pick<Call<P, Q, undefined>, 'pathParameters' | 'query' | 'headers' | 'url' | 'r'>

/** A picture of a version never changes; whether it is still the version is asked each time. */
const CACHE = 'private, max-age=60, must-revalidate'

/** Asks the newest version; 304 when the caller has what it would give. */
async function look(
  { pathParameters, headers, r }: RasterCall<RasterParams, unknown>,
  wanted: Look,
): Promise<{ etag: string; answer: LookAnswer | undefined }> {
  const { container, blob } = pathParameters
  const { size, etag = '', access_tier } = await r.blobs.properties({ container, blob })
  if (etag !== '' && tagsOf(headers.get('if-none-match')).includes(etag)) return { etag, answer: undefined }
  if (access_tier?.toLowerCase() === 'archive')
    throw new AppError('BLOB_ARCHIVED', `${container}/${blob} is in the archive tier: bring it back before it is looked at.`)
  const answer = await lookPool().run(
    { kind: 'look', source: { container, blob, etag, size }, look: wanted },
    AbortSignal.timeout(LOOK_MS),
  )
  return { etag, answer }
}

const LOOK_MS = 30_000

async function shown(call: RasterCall<RasterParams, unknown>, wanted: Look): Promise<Answer> {
  const { etag, answer } = await look(call, wanted)
  const cached = { etag, 'cache-control': CACHE }
  if (!answer) return { status: 304, headers: cached, body: undefined }
  if (answer.kind === 'empty') return { status: 204, headers: cached, body: undefined }
  if (answer.kind === 'json') return { headers: cached, body: answer.value }
  return {
    headers: { ...cached, 'content-type': answer.contentType, 'content-length': String(answer.bytes.length) },
    bytes: answer.bytes,
  }
}

const info = (call: RasterCall<RasterParams, object>): Promise<Answer> => shown(call, { what: 'info' })
const preview = (call: RasterCall<RasterParams, z.infer<typeof PreviewQuery>>): Promise<Answer> =>
  shown(call, { what: 'preview', width: call.query.width, render: renderOf(call.query) })

/** As the preview of a blob, for those who know it by another name. @throws AppError `NO_PREVIEW` where no picture can be made */
export function rasterPreview(
  call: Pick<RasterCall<unknown, unknown>, 'headers' | 'url' | 'r'>,
  blob: RasterParams,
  width: number,
): Promise<Answer> {
  return shown({ ...call, pathParameters: blob, query: {} }, { what: 'preview', width, render: { resampling: 'nearest' } })
}

function window(call: RasterCall<RasterParams, z.infer<typeof WindowQuery>>): Promise<Answer> {
  const { x, y, width, height, format } = call.query
  return shown(call, { what: 'window', area: { x, y, width, height }, format, render: renderOf(call.query) })
}

function point(call: RasterCall<RasterParams, z.infer<typeof PointQuery>>): Promise<Answer> {
  const { lon, lat, x, y, bidx } = call.query
  const isLonLat = lon !== undefined
  const at = (isLonLat ? [lon, lat] : [x, y]) as [number, number]
  return shown(call, { what: 'point', at, isLonLat, ...(bidx ? { bidx } : {}) })
}

function tile(call: RasterCall<z.infer<typeof TileParams>, RenderQuery>): Promise<Answer> {
  const { z, x, y } = call.pathParameters
  return shown(call, { what: 'tile', z, x, y, render: renderOf(call.query) })
}

const TILE_PIXELS = 256
const METRES_PER_DEGREE = 111_320

/** From where a tile shows all of it, to where a pixel of the tile is one of the raster. */
function zooms({ transform = [], crs, wgs84_bounds, width, height }: RasterInfo): { minzoom: number; maxzoom: number } {
  const [, a = 0, b = 0, , c = 0, d = 0] = transform
  const [, south = 0, , north = 0] = wgs84_bounds ?? []
  const pixel = Math.min(Math.hypot(a, c), Math.hypot(b, d))
  const stretch = Math.max(0.05, Math.cos(((south + north) / 2) * (Math.PI / 180)))
  const maxzoom = zoomOf(crs.kind === 'geographic' ? pixel * METRES_PER_DEGREE : pixel / stretch, TILE_PIXELS)
  const levels = Math.ceil(Math.log2(Math.max(1, Math.max(width, height) / TILE_PIXELS)))
  return { minzoom: Math.max(0, maxzoom - levels), maxzoom }
}

/** TileJSON 3.0.0: what a map needs to show the raster. */
async function tilejson(call: RasterCall<RasterParams, RenderQuery>): Promise<Answer> {
  const { etag, answer } = await look(call, { what: 'info' })
  if (!answer) return { status: 304, headers: { etag, 'cache-control': CACHE }, body: undefined }
  const raster = (answer as Extract<LookAnswer, { kind: 'json' }>).value as RasterInfo
  const { container, blob } = call.pathParameters
  if (!raster.wgs84_bounds || !raster.transform)
    throw new AppError(
      'CRS_MISSING',
      `${container}/${blob} has no place on a map: ${raster.crs.reason ?? 'it has no transform'}.`,
    )
  const [west, south, east, north] = raster.wgs84_bounds as [number, number, number, number]
  const { minzoom, maxzoom } = zooms(raster)
  const name = encodePath(blob)
  const base = call.url.href.slice(0, call.url.href.indexOf('/rasters/'))
  return {
    headers: { etag, 'cache-control': CACHE },
    body: {
      tilejson: '3.0.0',
      name: `${container}/${blob}`,
      tiles: [`${base}/rasters/${container}/tiles/{z}/{x}/{y}/${name}${withoutKeys(call.url)}`],
      scheme: 'xyz',
      minzoom,
      maxzoom,
      bounds: west <= east ? [west, south, east, north] : [-180, south, 180, north],
      center: [
        west <= east ? (west + east) / 2 : (((west + east + 360) / 2 + 540) % 360) - 180,
        (south + north) / 2,
        Math.max(0, maxzoom - 2),
      ],
      vector_layers: [],
    },
  }
}

/** The query of the pictures, without the key of whoever asked. */
function withoutKeys(url: URL): string {
  const query = new URLSearchParams(queryWithoutKeys(url.searchParams))
  return query.size === 0 ? '' : `?${query.toString()}`
}

interface Statistics {
  readonly level: number
  readonly exact: boolean
  readonly bands: readonly { readonly band: number }[]
}

/** Of a level that is quickly read; where a job recorded those of every pixel, the recorded ones. Percentiles are the level's. */
async function statistics(call: RasterCall<RasterParams, z.infer<typeof StatisticsQuery>>): Promise<Answer> {
  const { container, blob } = call.pathParameters
  const answer = await shown(call, { what: 'statistics', ...(call.query.bidx ? { bidx: call.query.bidx } : {}) })
  const found = answer.body as Statistics | undefined
  if (!found || found.exact) return answer
  const recorded = await outputStatistics(call.r.db, container, blob, answer.headers?.['etag'] ?? '')
  if (!recorded) return answer
  const bands = found.bands.map((b) => ({ ...b, ...recorded.find((r) => r.band === b.band) }))
  return { ...answer, body: { ...found, exact: true, percentiles_of_level: found.level, level: 0, bands } }
}

const common = { method: 'GET', role: 'reader', pathParameters: RasterParams } as const

export const rasterRoutes: readonly HttpRow[] = [
  route({
    ...common,
    name: 'getRasterInfo',
    summary: 'size, bands, CRS, bounds, overviews, compression, and whether it is a COG, with reasons',
    path: 'rasters/{container}/info/{*blob}',
    handle: info,
  }),
  route({
    ...common,
    name: 'getRasterPreview',
    summary: 'the whole raster as a PNG; `width`, `bidx`, `rescale`, `colormap_name`, `nodata`',
    path: 'rasters/{container}/preview/{*blob}',
    query: PreviewQuery,
    handle: preview,
  }),
  route({
    ...common,
    name: 'getRasterWindow',
    summary: 'a rectangle of pixels, `x`, `y`, `width`, `height`, as `format` png, json or tif',
    path: 'rasters/{container}/window/{*blob}',
    query: WindowQuery,
    handle: window,
  }),
  route({
    ...common,
    name: 'getRasterPoint',
    summary: 'values at `lon` and `lat`, or at `x` and `y` in the CRS of the raster',
    path: 'rasters/{container}/point/{*blob}',
    query: PointQuery,
    handle: point,
  }),
  route({
    ...common,
    name: 'getRasterTile',
    summary: 'a map tile of 256 pixels (WebMercatorQuad) as PNG; 204 where nothing is',
    path: 'rasters/{container}/tiles/{z}/{x}/{y}/{*blob}',
    pathParameters: TileParams,
    query: RenderQuery,
    handle: tile,
  }),
  route({
    ...common,
    name: 'getRasterTileJson',
    summary: 'TileJSON 3: what Leaflet or MapLibre need to show the raster',
    path: 'rasters/{container}/tilejson/{*blob}',
    query: RenderQuery,
    handle: tilejson,
  }),
  route({
    ...common,
    name: 'getRasterStatistics',
    summary: 'least, greatest, mean, deviation, percentiles and histogram per band, and of which level',
    path: 'rasters/{container}/statistics/{*blob}',
    query: StatisticsQuery,
    handle: statistics,
  }),
]
