// The grid of a warped output, and where its pixels come from: a net of exact points, straight lines between.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import { outline, type PointTransform, pointTransform, unwrapped, warpableCrs } from './crs.ts'
import { type Georeference, place, readGeoreference, type Transform, unplace } from './georeference.ts'
import { doubles, shorts, type WrittenTag } from './ifd-writer.ts'
import type { Pyramid } from './image.ts'
import type { Conversion } from './options.ts'
import type { OutputForm, RawTag } from './output.ts'
import type { FormWarning } from './output-form.ts'
import { GEO_TAGS, TAG } from './tags.ts'
import type { Rectangle } from './window.ts'

export const WarpMethod = z.enum(['nearest', 'bilinear', 'cubic'])
export type WarpMethod = z.infer<typeof WarpMethod>

export const WarpPlan = z.object({
  method: WarpMethod,
  from: z.int(),
  to: z.int(),
  source: z.object({ width: z.int(), height: z.int(), transform: z.array(z.number()).length(6) }),
  target: z.object({ width: z.int(), height: z.int(), transform: z.array(z.number()).length(6) }),
  /** Output pixels per source pixel along x and y, below 1 where the output is coarser. */
  scale: z.tuple([z.number(), z.number()]),
  /** The source counts in degrees, where x and x + 360 are one place. */
  wraps: z.boolean(),
})
export type WarpPlan = z.infer<typeof WarpPlan>

/** Output pixels may be so many times the source's. */
const MOST_EXPANSION = 4

/** @throws AppError `CRS_*`, `WARP_EXPANDS`, `WARP_DISCONTINUOUS` */
export async function planWarp(
  { main, file }: Pyramid,
  form: OutputForm,
  options: Conversion,
): Promise<{ form: OutputForm; warp: WarpPlan; warnings: FormWarning[] }> {
  const { name } = file.source
  const to = Number((options.target_crs as string).slice('EPSG:'.length))
  const { from, transform } = originOf(await readGeoreference(main.directory), name)
  const [source, target] = [await warpableCrs(from), await warpableCrs(to)]
  const forward = await pointTransform(from, to)
  const isDegrees = target.kind === 'geographic'
  const grid = outputGrid(main, transform, { forward, isDegrees, resolution: options.resolution, name, to })
  assertSize(main, grid, name, to)
  const base: Omit<WarpPlan, 'scale'> = {
    method: options.warp_resampling === 'auto' ? (form.color_map ? 'nearest' : 'bilinear') : options.warp_resampling,
    from,
    to,
    source: { width: main.width, height: main.height, transform: [...transform] },
    target: grid,
    wraps: source.kind === 'geographic',
  }
  const back = pixelTransform(base, await pointTransform(to, from))
  const warp: WarpPlan = { ...base, scale: scaleOf(back, main, grid) }
  return {
    warp,
    warnings: [source, target].flatMap((c) =>
      c.error_m > 0.1 ? [{ code: 'CRS_ERROR', message: `${c.name} is known within ${c.error_m} m` }] : [],
    ),
    form: warpedForm(form, grid, to, target.kind),
  }
}

/** A source that says nothing of holes gets a mask for those that the turn makes: never an invented nodata. */
function warpedForm(form: OutputForm, grid: WarpPlan['target'], to: number, kind: 'projected' | 'geographic'): OutputForm {
  const makesMask = form.nodata === null && form.alpha === null
  return {
    ...form,
    width: grid.width,
    height: grid.height,
    has_mask: form.has_mask || makesMask,
    tags: [...form.tags.filter((t) => !GEO_TAGS.includes(t.tag)), ...geoTags(grid.transform as unknown as Transform, to, kind)],
  }
}

/** @throws AppError `WARP_EXPANDS` */
function assertSize(
  main: { width: number; height: number },
  grid: { width: number; height: number },
  name: string,
  to: number,
): void {
  const times = (grid.width * grid.height) / (main.width * main.height)
  if (times <= MOST_EXPANSION) return
  throw new AppError(
    'WARP_EXPANDS',
    `${name} would have ${grid.width} x ${grid.height} pixels in EPSG:${to}, ${times.toFixed(1)} times as many as now. Give a coarser resolution or another CRS.`,
  )
}

/** @throws AppError `CRS_MISSING`, `CRS_GCPS_ONLY`, `CRS_USER_DEFINED` */
function originOf({ kind, transform, crs }: Georeference, name: string): { from: number; transform: Transform } {
  if (kind === 'gcps')
    throw new AppError('CRS_GCPS_ONLY', `${name} has ground control points and no transform. Warp it with GDAL first.`)
  if (!transform || crs.kind === 'none')
    throw new AppError(
      'CRS_MISSING',
      `${name} has no ${transform ? 'coordinate reference system' : 'place on Earth'}: it cannot be warped.`,
    )
  if (crs.epsg !== undefined) return { from: crs.epsg, transform }
  if (crs.kind === 'geocentric') throw new AppError('CRS_NOT_EARTH', `${name} has geocentric coordinates, which are not warped.`)
  throw new AppError(
    'CRS_USER_DEFINED',
    `The CRS of ${name}${crs.citation ? ` (${crs.citation})` : ''} is ${crs.reason ?? 'not known'}: it cannot be warped.`,
  )
}

interface GridNeeds {
  readonly forward: PointTransform
  readonly isDegrees: boolean
  readonly resolution: number | undefined
  readonly name: string
  readonly to: number
}

/** Points along each edge, and each way within. */
const POINTS = 21

/** Square pixels: as long as the diagonals ask for, or as given; the upper left corner is exact, the size rounded up. */
function outputGrid(
  main: { width: number; height: number },
  t: Transform,
  { forward, isDegrees, resolution, name, to }: GridNeeds,
): WarpPlan['target'] {
  const edge = outline(t, main.width, main.height, POINTS).map(([x, y]) => forward(x, y))
  const outside = (): never => {
    throw new AppError(
      'WARP_DISCONTINUOUS',
      `${name} holds a pole, a seam, or places that EPSG:${to} does not have. Choose another target_crs.`,
    )
  }
  const line = isDegrees ? unwrapped(edge) : { points: edge, turns: 0 }
  if (!line || line.turns !== 0 || line.points.some((p) => !p.every(Number.isFinite))) return outside()
  const shift = line.points[0]?.[0] ?? 0
  const inner = Array.from({ length: POINTS * POINTS }, (_, i) => {
    const [column, row] = [((i % POINTS) * main.width) / (POINTS - 1), (Math.floor(i / POINTS) * main.height) / (POINTS - 1)]
    const [x, y] = forward(...place(t, column, row))
    return [isDegrees ? x + Math.round((shift - x) / 360) * 360 : x, y] as const
  })
  if (inner.some((p) => !p.every(Number.isFinite))) return outside()
  const points = [...line.points, ...inner]
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])]
  const [west, east, south, north] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  if (isDegrees && east - west > 360.000_001) return outside()
  const diagonal = Math.hypot(east - west, north - south)
  const pixel = resolution ?? diagonal / Math.hypot(main.width, main.height)
  const [width, height] = [
    Math.max(1, Math.ceil((east - west) / pixel - 1e-6)),
    Math.max(1, Math.ceil((north - south) / pixel - 1e-6)),
  ]
  return { width, height, transform: [west, pixel, 0, north, 0, -pixel] }
}

/**
 * How many output pixels a source pixel has along each of its axes: by the sizes of the two, as gdalwarp; where the raster is turned, by
 * derivatives in the middle of the output, since a turned raster is larger without being finer.
 */
function scaleOf(
  places: PointTransform,
  main: { width: number; height: number },
  { width, height }: { width: number; height: number },
): [number, number] {
  const [c, r] = [width / 2, height / 2]
  const [here, right, below] = [places(c, r), places(c + 1, r), places(c, r + 1)]
  const turn = Math.abs(right[1] - here[1]) / Math.abs(right[0] - here[0])
  if (!(turn > TURNED)) return [width / main.width, height / main.height]
  const along = (i: 0 | 1): number => 1 / Math.hypot(right[i] - here[i], below[i] - here[i])
  const found: [number, number] = [along(0), along(1)]
  return found.every((s) => Number.isFinite(s) && s > 0) ? found : [1, 1]
}

/** Tangent of some six degrees. */
const TURNED = 0.1

/** The least that names place and CRS: GTModelType, GTRasterType and the code. */
function geoTags([x, dx, , y, , dy]: Transform, code: number, kind: 'projected' | 'geographic'): RawTag[] {
  const keys = [
    1,
    1,
    0,
    3,
    1024,
    0,
    1,
    kind === 'projected' ? 1 : 2,
    1025,
    0,
    1,
    1,
    kind === 'projected' ? 3072 : 2048,
    0,
    1,
    code,
  ]
  const raw = ({ bytes, ...tag }: WrittenTag): RawTag => ({ ...tag, bytes: Buffer.from(bytes).toString('base64') })
  return [doubles(TAG.pixelScale, [dx, -dy, 0]), doubles(TAG.tiePoints, [0, 0, 0, x, y, 0]), shorts(TAG.geoKeys, ...keys)].map(
    raw,
  )
}

/** Column and row of the source for a point of the target, both in pixels from the upper left corner. */
export async function backwards(warp: WarpPlan): Promise<PointTransform> {
  const back = await pointTransform(warp.to, warp.from)
  return pixelTransform(warp, back)
}

function pixelTransform(
  { source, target, wraps }: Pick<WarpPlan, 'source' | 'target' | 'wraps'>,
  back: PointTransform,
): PointTransform {
  const [s, t] = [source.transform as unknown as Transform, target.transform as unknown as Transform]
  const middle = place(s, source.width / 2, source.height / 2)[0]
  return (column, row) => {
    const [x, y] = back(...place(t, column, row))
    const near = wraps ? x - Math.round((x - middle) / 360) * 360 : x
    return unplace(s, near, y) ?? [Number.NaN, Number.NaN]
  }
}

/** Rough reach of a region in the source, for the plan alone: by proportion of the grids. */
export function sourceWindow({ source, target }: WarpPlan, { x, y, width, height }: Rectangle): Rectangle {
  const [kx, ky] = [source.width / target.width, source.height / target.height]
  const left = Math.max(0, Math.floor(x * kx))
  const top = Math.max(0, Math.floor(y * ky))
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.min(source.width - left, Math.ceil(width * kx))),
    height: Math.max(1, Math.min(source.height - top, Math.ceil(height * ky))),
  }
}
